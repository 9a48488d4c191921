"""Who else listens to the calls that are noted: the probes, each for as long as it has something to find out."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NEVER = 1 << 62


class Listeners:
    """Those of each kind of call, mostly none. Each tuple is put anew as one comes or goes, so that one may go while
    they are called. What a listener raises is a fault of ours."""

    def __init__(self) -> None:
        self.before_backward: tuple[Callable[[Any], None], ...] = ()
        """Given the loss, or None."""
        self.after_backward: tuple[Callable[[Any, int], None], ...] = ()
        """Given the loss, or None, and the place."""
        self.after_step: tuple[Callable[[Any, Any, int], int], ...] = ()
        """Given the optimizer, what is kept of it, and the place. Gives back behind which step of this optimizer it is
        to be called again, at the latest: `NEVER` where it has seen enough."""
        self.wake: Callable[[], None] = _nobody_to_wake
        """Have `after_step` called behind the next step of each optimizer."""
        self.pass_began: tuple[Callable[[Any, Any, int], None], ...] = ()
        """Given the loader, the iterator, and the place."""
        self.batch_asked: tuple[Callable[[Any], None], ...] = ()
        """Given the iterator, before it gives another batch, or ends."""
        self.batch_given: tuple[Callable[[Any, Any], None], ...] = ()
        """Given the iterator and the batch."""
        self.scheduler_given: tuple[Callable[[Any, int, Any, Any], None], ...] = ()
        """A scheduler's step was given something: the scheduler, the place, and the arguments."""
        self.at_goodbye: tuple[Callable[[], None], ...] = ()
        """The interpreter ends."""

    def add(self, kind: str, listener: Any) -> None:
        """Have it called from now on."""
        setattr(self, kind, (*getattr(self, kind), listener))
        if kind == "after_step":
            self.wake()

    def remove(self, kind: str, listener: Any) -> None:
        """Do not call it any more."""
        setattr(self, kind, tuple(each for each in getattr(self, kind) if each != listener))

    def clear(self) -> None:
        """Nobody listens any more."""
        for kind, listeners in list(vars(self).items()):
            if type(listeners) is tuple:
                setattr(self, kind, ())


def _nobody_to_wake() -> None:
    pass
