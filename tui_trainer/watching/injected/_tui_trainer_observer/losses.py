"""Losses that go backward: each by its value, and by the name that the program has for it."""

from __future__ import annotations

from time import perf_counter

from .call_sites import LastSite
from .process import uncaught
from .python_internals import getframe
from .wrapping import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .observer import Observer
    from .optimizer_steps import OptimizerSteps
    from .values import Values

_MOST_WITHOUT_STEP = 50
"""Losses that went backward with no optimizer's step seen: those of a compiled one cannot be."""
_FEWEST_WITHOUT_STEP = 3
"""The same of a program that has ended, and had an optimizer's gradients zeroed."""


class Losses:
    """Notes each call of `torch.autograd.backward`, which `Tensor.backward` calls too."""

    def __init__(self, observer: Observer, values: Values, steps: OptimizerSteps) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self._values = values
        self._steps = steps
        self._without_step = 0
        self._last_site = 0
        """Where the last of these went backward."""
        self._tensor_type: Any = None
        self.scaled: tuple[Any, Any] | None = None
        """Weak references to what a GradScaler gave last, and to the loss that it was given."""

    def install(self, torch: Any) -> None:
        """Listen to all. Written out in one function, as `OptimizerSteps.install` is."""
        observer, compiling, guard = self._observer, self._observer.compiling, self._observer.guard
        writer, add_rows, listeners = self._writer, self._writer.rows.extend, self._observer.listeners
        tensor_type = self._tensor_type = torch.Tensor
        item = tensor_type.item  # before it is wrapped
        sites, last = self._sites, LastSite()
        nan = float("nan")
        inside = False  # checkpointing calls backward within a backward

        def make(original: Any) -> Any:
            def backward(*args: Any, **kwargs: Any) -> Any:
                nonlocal inside
                if compiling() or inside or not observer.on:
                    return original(*args, **kwargs)
                inside = True
                try:
                    try:
                        if not writer.started:
                            observer.start()
                        loss: Any = args[0] if args else None
                        if self.scaled is not None or type(loss) is not tensor_type:
                            loss = self._loss(args, kwargs)
                        if listeners.before_backward:
                            for listener in listeners.before_backward:
                                listener(loss)
                    except Exception as error:
                        loss = None
                        guard.failed("backward", error)
                    begin = perf_counter()
                    result = original(*args, **kwargs)
                    end = perf_counter()
                finally:
                    inside = False
                try:
                    try:
                        frame = getframe(last.depth)
                        known = frame.f_lasti == last.instruction and frame.f_code is last.code
                    except ValueError:  # there are not as many
                        known = False
                    site = last.number if known else last.find(sites, "backward", getframe(1), 0, loss)
                    if type(loss) is tensor_type and loss.is_cpu:
                        try:
                            value = item(loss)
                        except (RuntimeError, ValueError):  # several numbers, or a tensor without memory
                            value = nan
                        add_rows((site, begin, end, value if type(value) is float else nan))
                        if end >= writer.due:
                            writer.overdue(end)
                    else:
                        self._values.record(site, begin, end, loss)
                    if listeners.after_backward:
                        for told in listeners.after_backward:
                            told(loss, site)
                    if not self._steps.first:
                        self._note_without_step(site, end)
                except Exception as error:
                    guard.failed("backward", error)
                return result

            return backward

        def forget() -> None:
            nonlocal inside
            inside = False
            self._without_step = 0
            last.forget()

        replace(torch.autograd, "backward", make)
        observer.at_fork(forget)
        observer.at_end(self._tell_few_without_step)

    def _loss(self, args: Any, kwargs: Any) -> Any:
        """What backward is called on; of a scaled loss, the loss."""
        root = args[0] if args else kwargs.get("tensors")
        if self.scaled is not None:
            given, loss = self.scaled
            self.scaled = None
            if given() is root and root is not None:
                return loss()
        if type(root) in (list, tuple) and len(root) == 1:
            return root[0]
        return root

    def _note_without_step(self, site: int, end: float) -> None:
        self._without_step += 1
        self._last_site = site
        if self._without_step == _MOST_WITHOUT_STEP:
            self._tell_without_step(end)

    def _tell_few_without_step(self) -> None:
        """The program ends. One that never had an optimizer's gradients zeroed may have wanted gradients alone, and one
        that an error ends may have come to no step yet."""
        few = _FEWEST_WITHOUT_STEP <= self._without_step < _MOST_WITHOUT_STEP
        if few and self._steps.had_gradients_zeroed and not self._steps.first and not uncaught():
            self._tell_without_step(perf_counter())

    def _tell_without_step(self, now: float) -> None:
        values = {"backwards": self._without_step}
        self._writer.define("observed", fact="step_not_visible", site=self._last_site, values=values, clock=now)
