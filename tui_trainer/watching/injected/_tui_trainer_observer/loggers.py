"""Numbers that the program logs by names of its own, with whichever logger it uses."""

from __future__ import annotations

from time import perf_counter

from .plain import text
from .wrapping import Depth, noted_outermost, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from .observer import Observer
    from .values import Values

_MOST_NAMES = 500


class Loggers:
    """Notes what is logged, once each: a logger that passes it on to another one is the one that is named."""

    def __init__(self, observer: Observer, values: Values) -> None:
        self._observer = observer
        self._values = values
        self._depth = Depth()

    def logged_with_us(self, values: dict[str, Any], step: int | None) -> None:
        """The program calls `log` of what `tui_trainer.watch()` gave it."""
        self._logged("tui_trainer", values, step, perf_counter())

    def with_tensorboard(self, module: Any) -> None:
        """`torch.utils.tensorboard.writer` or `tensorboardX.writer` was imported."""

        def scalar(args: list[Any], step: Any, epoch: Any) -> tuple[Any, Any]:
            return {args[0]: args[1]}, step

        def scalars(args: list[Any], step: Any, epoch: Any) -> tuple[Any, Any]:
            return {f"{args[0]}/{name}": value for name, value in args[1].items()}, step

        writer = module.SummaryWriter
        self._listen(writer, "add_scalar", "SummaryWriter", ("tag", "scalar_value", "global_step"), scalar)
        self._listen(writer, "add_scalars", "SummaryWriter", ("main_tag", "tag_scalar_dict", "global_step"), scalars)

    def with_wandb(self, module: Any) -> None:
        """`wandb.sdk.wandb_run` was imported."""
        self._listen(module.Run, "log", "wandb", ("data", "step"), lambda args, step, _: (args[0], step))

    def with_mlflow(self, module: Any) -> None:
        """`mlflow.tracking.client` was imported."""

        def metric(args: list[Any], step: Any, epoch: Any) -> tuple[Any, Any]:
            return {args[1]: args[2]}, step

        def batch(args: list[Any], step: Any, epoch: Any) -> tuple[Any, Any]:
            metrics = args[1] or []
            return {held.key: held.value for held in metrics}, metrics[0].step if metrics else None

        client = module.MlflowClient
        self._listen(client, "log_metric", "mlflow", ("run_id", "key", "value", "", "step"), metric)
        self._listen(client, "log_batch", "mlflow", ("run_id", "metrics", ""), batch)

    def with_lightning(self, module: Any) -> None:
        """The logger connector of Lightning was imported: what `self.log` comes to, with a logger or without."""

        def metrics(connector: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
            values = dict(args[0] if args else kwargs["metrics"])
            step = args[1] if len(args) > 1 else kwargs.get("step")
            trainer = connector.trainer
            if step is None:
                step = values.get("step", trainer.global_step)
            values.pop("step", None)
            return values, int(step)

        kind = next(held for name, held in vars(module).items() if name.endswith("LoggerConnector"))
        self._listen_to_object(kind, "log_metrics", "Lightning", metrics)

    def with_trainer(self, module: Any) -> None:
        """`transformers.trainer` was imported."""

        def logs(trainer: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
            return args[0] if args else kwargs["logs"], trainer.state.global_step

        self._listen_to_object(module.Trainer, "log", "Trainer", logs)

    def with_accelerate(self, module: Any) -> None:
        """`accelerate.accelerator` was imported."""
        names = ("values", "step")
        self._listen(module.Accelerator, "log", "Accelerate", names, lambda args, step, _: (args[0], step))

    def _listen(
        self, kind: Any, method: str, by: str, names: tuple[str, ...], read: Callable[..., tuple[Any, Any]]
    ) -> None:
        """Listen to a method with these arguments; the last of them is the step."""

        def found(held: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
            given = [args[place] if place < len(args) else kwargs.get(name) for place, name in enumerate(names)]
            return read(given, given[-1], None)

        self._listen_to_object(kind, method, by, found)

    def _listen_to_object(self, kind: Any, method: str, by: str, read: Callable[..., tuple[Any, Any]]) -> None:
        def note(frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
            values, step = read(args[0], args[1:], kwargs)
            self._logged(by, values, step, end)

        replace(kind, method, noted_outermost(self._observer, by, self._depth, note))

    def _logged(self, by: str, values: Any, step: Any, clock: float) -> None:
        at = int(step) if type(step) in (int, float) and step == step else None
        epoch = values.get("epoch")
        told: dict[str, object] = {}
        for name, value in list(values.items())[:_MOST_NAMES]:
            if type(name) is str:
                number = _Number(self._observer, by, text(name, 300), at, told)
                self._values.give(value, number.take)
                number.is_late = True
        if told:
            self._observer.writer.define(
                "logged",
                by=by,
                values=told,
                step=at,
                epoch=float(epoch) if type(epoch) in (int, float) else None,
                clock=clock,
            )


class _Number:
    """A number that is logged: with others, or by itself where it comes late from a device."""

    def __init__(self, observer: Observer, by: str, name: str, step: int | None, others: dict[str, object]) -> None:
        self._observer = observer
        self._by = by
        self._name = name
        self._step = step
        self._others = others
        self.is_late = False

    def take(self, number: float) -> None:
        """Here it is."""
        if not self.is_late:
            self._others[self._name] = number
            return
        values = {self._name: number}
        self._observer.writer.define(
            "logged", by=self._by, values=values, step=self._step, epoch=None, clock=perf_counter()
        )
