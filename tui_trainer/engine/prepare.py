"""Find all that was asked of a run, before anything is trained or written."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_trainer import __version__
from tui_trainer.errors import UserError
from tui_trainer.events import AnyEvent, Digests, PhaseStarted, RunConfigured
from tui_trainer.run_spec import RunSpec

if TYPE_CHECKING:
    import torch

    from tui_trainer.engine import checkpoints
    from tui_trainer.engine.datasets import Images
    from tui_trainer.engine.distributed import Ranks
    from tui_trainer.engine.lr_preview import PlannedRun
    from tui_trainer.engine.precision import ComputeOptions
    from tui_trainer.engine.thread_tuner import ThreadCount
    from tui_trainer.engine.train_state import TrainState


@dataclass(frozen=True)
class Prepared:
    """All that was asked for, found to be there; nothing has been trained yet."""

    spec: RunSpec
    resolved: RunConfigured
    images: Images
    learner: TrainState
    """The model, the preset that is followed, worked out, and what moves the weights."""
    kernels: ComputeOptions
    ranks: Ranks
    """The processes that train together; this one alone, unless `torchrun` started it."""
    threads: ThreadCount | None
    """Those that compute as the run begins; None where their number is fixed."""
    checkpoint: checkpoints.State | None = None
    """Where to go on; None to begin."""
    last_is_sound: bool = True
    """Whether that is the last checkpoint that was saved; it may be damaged, and one before it have served."""
    passed_over: str = ""
    """Why `auto` took no CUDA device, or not the first, where there is one."""


def prepare(spec: RunSpec, emit: Callable[[AnyEvent], None], checkpoint_folder: Path | None = None) -> Prepared:
    """Import torch, load the data, build the model, plan the LR; tells what it does, and the planned curve.

    With a folder of checkpoints, find the one to go on from too.

    Sets the threads of the calling thread, which must be the one that trains.

    Raises:
        UserError: the device, the data or a checkpoint that fits is not to be had.
        PresetError: the rehearsal found what is wrong with the preset.
    """
    tell_phase(emit, "importing torch")
    import torch

    from tui_trainer.engine import datasets, devices, distributed, models, reproducibility
    from tui_trainer.engine.lr_preview import plan
    from tui_trainer.engine.precision import ComputeOptions
    from tui_trainer.engine.resuming import learner_at, resume
    from tui_trainer.engine.train_state import TrainState

    ranks = distributed.join(spec.device)
    device, passed_over = devices.resolve(ranks.device(spec.device))
    devices.use(device)
    kernels = ComputeOptions.chosen(device, spec.precision, compiled=spec.compile)
    devices.set_threads(spec.threads)
    planned = plan(spec.preset_name, spec.preset, spec.train_images)
    if checkpoint_folder is None:  # a record that is gone on with has it, and perhaps of another preset since
        emit(planned.curve)
    tell_phase(emit, "loading data", spec.dataset)
    downloading = partial(tell_phase, emit, f"downloading {spec.dataset}")
    images = ranks.in_turn(lambda: _loaded(spec, device, downloading))
    if len(images.train) != spec.train_images:
        planned = plan(spec.preset_name, spec.preset, len(images.train))
        if checkpoint_folder is None:
            emit(planned.curve)
    tell_phase(emit, "building the model", spec.model)
    model = models.build(spec.model, images.shape, spec.seed)
    weights = reproducibility.of_weights(model)
    model = kernels.place(model)
    found = None
    if checkpoint_folder is not None:
        tell_phase(emit, "loading the checkpoint")
        there = partial(
            learner_at, model=model, kernels=kernels, train_images=len(images.train), epochs=planned.recipe.epochs
        )
        found = resume(checkpoint_folder, facts(spec, images), there, ranks, emit)
        planned = found.learner.planned if found else planned
        emit(planned.curve)
    learner = found.learner if found else TrainState(model, planned, kernels)
    threads = _chosen_threads(spec, kernels, ranks, model, images, planned, emit)
    resolved = RunConfigured(
        at=time.time(),
        dataset=spec.dataset,
        model=spec.model,
        parameters=models.parameter_count(model),
        device=str(device),
        device_name=devices.name_of(device),
        device_uuid=devices.uuid_of(device),
        threads=torch.get_num_threads(),
        ranks=ranks.count,
        precision=kernels.precision,
        seed=spec.seed,
        train_images=len(images.train),
        val_images=len(images.val),
        recipe=planned.recipe,
        versions=_versions(),
        digests=Digests(weights=weights, data=images.digest, order=datasets.order_digest(images.train, spec.seed)),
        augmentation="crop and flip" if images.train.augmented else "none",
    )
    state, last_is_sound = (found.state, found.last_is_sound) if found else (None, True)
    return Prepared(spec, resolved, images, learner, kernels, ranks, threads, state, last_is_sound, passed_over)


def _loaded(spec: RunSpec, device: torch.device, downloading: Callable[[str], None]) -> Images:
    """The images on the device.

    Raises:
        UserError: they are not to be had, or there is no memory for them.
    """
    from tui_trainer.engine import datasets, devices

    try:
        return datasets.load(spec, device, downloading)
    except (RuntimeError, MemoryError) as error:
        if not devices.is_out_of_memory(error):
            raise
        there = "this machine" if device.type == "cpu" else str(device)
        instead = "" if device.type == "cpu" else ", or train with --device cpu"
        raise UserError(
            f"--dataset {spec.dataset}: {there} has no memory for its images; take fewer with --limit-train{instead}"
        ) from error


def _chosen_threads(
    spec: RunSpec,
    kernels: ComputeOptions,
    ranks: Ranks,
    model: torch.nn.Module,
    images: Images,
    planned: PlannedRun,
    emit: Callable[[AnyEvent], None],
) -> ThreadCount | None:
    """Set the number of threads by timing steps, where that is left to the run."""
    if spec.threads is not None or kernels.device.type != "cpu" or ranks.several:
        return None
    from tui_trainer.engine import devices, thread_tuner

    tell_phase(emit, "timing steps", "to choose the number of threads")
    timed = thread_tuner.timed_on_a_copy(model, kernels, images.train, planned.recipe.batch_size)
    choice = thread_tuner.first_choice(timed, devices.set_threads(None))
    devices.set_threads(choice.threads)
    return choice


def _versions() -> dict[str, str]:
    import torch

    return {"tui-trainer": __version__, "torch": str(torch.__version__), "python": platform.python_version()}


def facts(spec: RunSpec, images: Images) -> dict[str, Any]:
    """What a checkpoint must have in common with the run that goes on from it."""
    return {
        "dataset": spec.dataset,
        "data": images.digest,
        "train_images": len(images.train),
        "model_name": spec.model,
        "seed": spec.seed,
        "asked": spec.preset.model_dump(mode="json"),
    }


def tell_phase(emit: Callable[[AnyEvent], None], name: str, detail: str = "") -> None:
    """Say what the run is doing now."""
    emit(PhaseStarted(at=time.time(), phase=name, detail=detail))
