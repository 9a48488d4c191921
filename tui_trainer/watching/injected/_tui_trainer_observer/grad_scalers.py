"""GradScalers: their calls, their scale, the steps that they skip. `get_scale()` waits for the device: never called."""

from __future__ import annotations

from .python_internals import ref
from .seen_objects import SeenObjects
from .torch_internals import does_skip_itself, found_infs, scale_of
from .wrapping import Depth, disguised, noted_outermost, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from .losses import Losses
    from .observer import Observer
    from .optimizer_steps import OptimizerSteps
    from .values import Values

_NAN = float("nan")


class ScalerRecord:
    """What is kept of a GradScaler."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.scale = _NAN


class GradScalers:
    """Notes what a program asks of them. `unscale_` within their own `step` is no call of the program's."""

    def __init__(self, observer: Observer, values: Values, losses: Losses, steps: OptimizerSteps) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self._values = values
        self._losses = losses
        self._steps = steps
        self._seen: SeenObjects[ScalerRecord] = SeenObjects(lambda _: ScalerRecord(observer.new_number()))
        observer.at_fork(self._seen.clear)

    def install(self, torch: Any) -> None:
        """Listen to all."""
        kind = getattr(torch.amp, "GradScaler", None) or torch.cuda.amp.GradScaler
        depth = Depth()
        for name, note in (
            ("scale", self._scaled),
            ("unscale_", self._unscaled),
            ("update", self._updated),
        ):
            replace(kind, name, noted_outermost(self._observer, "scaler." + name, depth, note))
        replace(kind, "step", self._make_step(noted_outermost(self._observer, "scaler.step", depth, self._stepped)))

    def _make_step(self, make: Any) -> Any:
        """Remembers how often the optimizer had stepped before."""

        def step(original: Any) -> Any:
            def counted(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
                self._before = self._steps.steps_of(optimizer)
                return original(scaler, optimizer, *args, **kwargs)

            return make(disguised(counted, original))

        return step

    def _scaled(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        outputs = args[1] if len(args) > 1 else kwargs.get("outputs")
        if result is not outputs and isinstance(outputs, self._observer.torch.Tensor):
            self._losses.scaled = (ref(result), ref(outputs))

    def _unscaled(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        if args[0].is_enabled():
            self._writer.call(self._site("scaler.unscale_", frame, args[0]), begin, end, 0.0)

    def _stepped(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        scaler, optimizer = args[0], args[1] if len(args) > 1 else kwargs["optimizer"]
        if not scaler.is_enabled():
            return
        site = self._site("scaler.step", frame, scaler)
        if self._steps.steps_of(optimizer) == self._before:
            self._writer.call(site, begin, end, 1.0)
            return
        # Fused optimizers are called in any case, and skip the step themselves.
        infs = found_infs(scaler, optimizer) if does_skip_itself(optimizer) else []
        if infs:
            self._values.record(site, begin, end, infs[0])
        else:
            self._writer.call(site, begin, end, 0.0)

    def _updated(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        scaler = args[0]
        if not scaler.is_enabled():
            return
        self._writer.call(self._site("scaler.update", frame, scaler), begin, end, 0.0)
        record = self._seen.of(scaler)
        scale = scale_of(scaler)
        if scale is None:
            return
        site = self._sites.of_part("scale", record.number, 0)
        if not scale.is_cpu:
            self._values.record(site, end, end, scale)
            return
        number = self._values.on_cpu(scale)
        if number != record.scale:
            record.scale = number
            self._writer.call(site, end, end, number)

    def _site(self, call: str, frame: FrameType, scaler: Any) -> int:
        return self._sites.of_call(call, frame, self._seen.of(scaler).number, scaler)
