"""Which parts listen to which module that the program imports."""

from __future__ import annotations

from .control import Control
from .data_passes import DataPasses
from .first_steps import FirstSteps
from .grad_scalers import GradScalers
from .gradients import Gradients
from .loggers import Loggers
from .losses import Losses
from .networks import Networks
from .numbers_read import NumbersRead
from .optimizer_steps import OptimizerSteps
from .probes import Probes
from .saved_files import LoadedStates, SavedFiles
from .schedulers import Schedulers
from .timm_schedulers import TimmSchedulers
from .values import Values
from .wrapping import Depth, compile_nothing_of_ours, noted_outermost, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from .observer import Observer


def after_imports(observer: Observer) -> dict[str, Callable[[Any], None]]:
    """What is to be called with which module, once the program has imported it."""
    values, saved = Values(observer), SavedFiles(observer)
    loggers = Loggers(observer, values)
    observer.logged = loggers.logged_with_us
    steps = OptimizerSteps(observer)
    losses = Losses(observer, values, steps)
    networks, schedulers = Networks(observer), Schedulers(observer, steps)
    steps.before_first_step = FirstSteps(observer, networks, schedulers).before
    parts = (
        values,
        steps,
        losses,
        Gradients(observer, values, steps, networks),
        networks,
        schedulers,
        DataPasses(observer),
        GradScalers(observer, values, losses, steps),
        saved,
        LoadedStates(observer, networks, steps, schedulers),
        Control(observer, steps),
        NumbersRead(observer),
        Probes(observer, networks),
    )

    def with_torch(torch: Any) -> None:
        observer.with_torch(torch)
        compile_nothing_of_ours(torch, __package__)
        for part in parts:
            try:
                part.install(torch)
            except Exception as error:
                observer.guard.failed(type(part).__name__, error)

    def with_argparse(argparse: Any) -> None:
        def note(frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
            observer.process.parsed(result[0])

        replace(argparse.ArgumentParser, "parse_known_args", noted_outermost(observer, "argparse", Depth(), note))

    connector = "trainer.connectors.logger_connector.logger_connector"
    return {
        "torch": with_torch,
        "argparse": with_argparse,
        "torch.utils.tensorboard.writer": loggers.with_tensorboard,
        "tensorboardX.writer": loggers.with_tensorboard,
        "wandb.sdk.wandb_run": loggers.with_wandb,
        "mlflow.tracking.client": loggers.with_mlflow,
        "lightning.pytorch." + connector: loggers.with_lightning,
        "pytorch_lightning." + connector: loggers.with_lightning,
        "transformers.trainer": loggers.with_trainer,
        "accelerate.accelerator": loggers.with_accelerate,
        "timm.scheduler.scheduler": TimmSchedulers(observer, schedulers).with_timm,
        "safetensors.torch": saved.with_safetensors,
        "torch.distributed.checkpoint": saved.with_distributed_checkpoint,
    }
