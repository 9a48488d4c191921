"""Places that do not step a scheduler onwards, but to an epoch that they name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer


class StepsToEpochs:
    """Tells each place once."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._told: set[int] = set()
        observer.listeners.add("scheduler_given", self._given)

    def _given(self, scheduler: Any, site: int, args: Any, kwargs: Any) -> None:
        epoch = args[1] if len(args) > 1 else kwargs.get("epoch")
        if epoch is None or site in self._told:
            return
        if not isinstance(scheduler, self._observer.torch.optim.lr_scheduler.ReduceLROnPlateau):
            self._told.add(site)
            self._observer.writer.define("observed", fact="stepped_to", site=site)
