"""Which parts listen to which module that the program imports."""

from __future__ import annotations

from .data_passes import DataPasses
from .gradients import Gradients
from .losses import Losses
from .networks import Networks
from .optimizer_steps import OptimizerSteps
from .schedulers import Schedulers
from .values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .import_hook import AfterImport
    from .observer import Observer


def after_imports(observer: Observer) -> dict[str, AfterImport]:
    """What is to be called with which module, once the program has imported it."""

    def with_torch(torch: Any) -> None:
        observer.with_torch(torch)
        values = Values(observer)
        steps = OptimizerSteps(observer)
        networks = Networks(observer)
        for part in (
            values,
            steps,
            Losses(observer, values),
            Gradients(observer, values, steps, networks),
            Schedulers(observer, steps),
            DataPasses(observer),
        ):
            try:
                part.install(torch)
            except Exception as error:
                observer.guard.failed(type(part).__name__, error)

    return {"torch": with_torch}
