"""Losses that go backward: each by its value, and by the name that the program has for it."""

from __future__ import annotations

from time import perf_counter

from .python_internals import getframe
from .wrapping import Depth, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from .observer import Observer
    from .optimizer_steps import OptimizerSteps
    from .values import Values

_MOST_WITHOUT_STEP = 50
"""Losses that went backward with no optimizer's step seen: those of a compiled one cannot be."""


class Losses:
    """Notes each call of `torch.autograd.backward`, which `Tensor.backward` calls too."""

    def __init__(self, observer: Observer, values: Values, steps: OptimizerSteps) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self._values = values
        self._steps = steps
        self._without_step = 0
        self._tensor_type: Any = None
        self._item: Any = None
        self._depth = Depth()
        """Checkpointing calls backward within a backward."""
        self.scaled: tuple[Any, Any] | None = None
        """Weak references to what a GradScaler gave last, and to the loss that it was given."""

    def install(self, torch: Any) -> None:
        """Listen to all."""
        observer, compiling, depth = self._observer, self._observer.compiling, self._depth
        writer, guard, listeners = self._writer, self._observer.guard, self._observer.listeners
        tensor_type = self._tensor_type = torch.Tensor
        self._item = tensor_type.item  # before it is wrapped

        def make(original: Any) -> Any:
            def backward(*args: Any, **kwargs: Any) -> Any:
                if compiling() or depth.inside or not observer.on:
                    return original(*args, **kwargs)
                depth.inside = True
                try:
                    try:
                        if not writer.started:
                            observer.start()
                        # Written out: in a cold cache each function of Python's that is entered costs a microsecond.
                        loss = args[0] if args else None
                        if self.scaled is not None or type(loss) is not tensor_type:
                            loss = self._loss(args, kwargs)
                        for listener in listeners.before_backward:
                            listener()
                    except Exception as error:
                        loss = None
                        guard.failed("backward", error)
                    begin = perf_counter()
                    result = original(*args, **kwargs)
                    end = perf_counter()
                finally:
                    depth.inside = False
                try:
                    self._note(loss, getframe(1), begin, end)
                except Exception as error:
                    guard.failed("backward", error)
                return result

            return backward

        replace(torch.autograd, "backward", make)

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

    def _note(self, loss: Any, frame: FrameType, begin: float, end: float) -> None:
        site = self._sites.of_call("backward", frame, 0, loss)
        if type(loss) is self._tensor_type and loss.is_cpu and loss.dim() == 0:
            self._writer.call(site, begin, end, self._item(loss))
        else:
            self._values.record(site, begin, end, loss)
        for listener in self._observer.listeners.after_backward:
            listener(loss, site)
        if not self._steps.first:
            self._without_step += 1
            if self._without_step == _MOST_WITHOUT_STEP:
                self._writer.define("observed", fact="step_not_visible", site=site, values={}, clock=end)
