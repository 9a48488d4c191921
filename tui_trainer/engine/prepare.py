"""Find all that was asked of a run, before anything is trained or written."""

from __future__ import annotations

import copy
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_trainer import __version__, garbage
from tui_trainer.errors import UserError
from tui_trainer.events import AnyEvent, Digests, PhaseStarted, RunConfigured
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import say

if TYPE_CHECKING:
    import torch

    from tui_trainer.engine import checkpoints
    from tui_trainer.engine.datasets import Images
    from tui_trainer.engine.distributed import Ranks
    from tui_trainer.engine.extension import Extended
    from tui_trainer.engine.lr_preview import PlannedRun
    from tui_trainer.engine.precision import ComputeOptions
    from tui_trainer.engine.reproducibility import Difference
    from tui_trainer.engine.thread_tuner import ThreadCount
    from tui_trainer.engine.train_state import Resumption, TrainState
    from tui_trainer.engine.user_code import UserCode
    from tui_trainer.run_request import Extension


@dataclass(frozen=True)
class Prepared:
    """All that was asked for, found to be there; nothing has been trained yet."""

    spec: RunSpec
    resolved: RunConfigured
    images: Images
    train_state: TrainState
    """The model, the preset that is followed, worked out, and what moves the weights."""
    compute_options: ComputeOptions
    ranks: Ranks
    """The processes that train together; this one alone, unless `torchrun` started it."""
    code: UserCode
    """What of it is a person's own."""
    threads: ThreadCount | None
    """Those that compute as the run begins; None where their number is fixed."""
    checkpoint: checkpoints.State | None = None
    """Where to go on; None to begin."""
    last_is_sound: bool = True
    """Whether that is the last checkpoint that was saved; it may be damaged, and one before it have served."""
    passed_over: str = ""
    """Why `auto` took no CUDA device, or not the first, where there is one."""
    extended: Extended | None = None
    """Where it goes on for another number of epochs."""
    differences: tuple[Difference, ...] = ()
    """On CUDA, what decides about the last bits and is not here as it was where the checkpoint was saved."""


def prepare(
    spec: RunSpec,
    emit: Callable[[AnyEvent], None],
    checkpoint_folder: Path | None = None,
    extension: Extension | None = None,
) -> Prepared:
    """Import torch, load the data, build the model, plan the LR; tells what it does, and the planned curve.

    With a folder of checkpoints, find the one to go on from too, perhaps for another number of epochs.

    Sets the threads of the calling thread, which must be the one that trains.

    Raises:
        UserError: the device, the data or a checkpoint that fits is not to be had; the extension does not fit; code of
            a person's own is not allowed here, or fails.
        PresetError: the rehearsal found what is wrong with the preset.
    """
    tell_phase(emit, "importing torch")
    with garbage.none_in_imports():
        from tui_trainer.engine import devices, distributed, reproducibility, user_code
        from tui_trainer.engine.extension import extend
        from tui_trainer.engine.precision import ComputeOptions
        from tui_trainer.engine.train_state import TrainState

        devices.load_optimizers()

    code = user_code.load(spec)
    ranks = distributed.join(spec.device)
    device, passed_over = devices.resolve(ranks.device(spec.device))
    devices.use(device)
    compute_options = ComputeOptions.chosen(
        device, spec.precision, compiled=spec.compile, deterministic=spec.deterministic
    )
    reproducibility.choose_algorithms(device, deterministic=spec.deterministic)
    devices.set_threads(spec.threads)
    images, planned = _load_and_plan(spec, code, device, ranks, emit, is_new=checkpoint_folder is None)
    model, weights = _build_model(spec, code, images, compute_options, emit)
    if code.is_there:
        _try(spec, code, model, compute_options, images)
    found = extended = None
    if checkpoint_folder is not None:
        found = _find_checkpoint(checkpoint_folder, spec, images, planned, model, compute_options, ranks, emit)
        extended = extend(extension, found, len(images.train), spec) if extension is not None else None
        planned = found.train_state.planned if found else planned
        emit(planned.curve)
    train_state = found.train_state if found else TrainState(model, planned, compute_options)
    differences = reproducibility.go_on_as(found.state.get("arithmetic"), device) if found else ()
    differences += code.changed_since(found.state.get("code")) if found else ()
    threads = _chosen_threads(spec, compute_options, ranks, model, images, planned, emit)
    resolved = _configured(spec, code, images, planned, model, weights, compute_options, ranks)
    state, last_is_sound = (found.state, found.last_is_sound) if found else (None, True)
    return Prepared(
        spec,
        resolved,
        images,
        train_state,
        compute_options,
        ranks,
        code,
        threads,
        checkpoint=state,
        last_is_sound=last_is_sound,
        passed_over=passed_over,
        extended=extended,
        differences=differences,
    )


def _load_and_plan(
    spec: RunSpec,
    code: UserCode,
    device: torch.device,
    ranks: Ranks,
    emit: Callable[[AnyEvent], None],
    *,
    is_new: bool,
) -> tuple[Images, PlannedRun]:
    """The images on the device, and the LR planned for as many; a new run tells the curve as soon as it can be drawn.

    A record that is gone on with has a curve, and perhaps that of another preset since.
    """
    from tui_trainer.engine.augmentation import check_augmentation
    from tui_trainer.engine.lr_preview import plan
    from tui_trainer.engine.parameter_groups import check_groups

    check_groups(spec.preset, spec.model)
    check_augmentation(spec.preset)
    planned = plan(spec.preset_name, spec.preset, spec.train_images)
    if is_new:
        emit(planned.curve)
    tell_phase(emit, "loading data", spec.dataset)
    downloading = partial(tell_phase, emit, f"downloading {spec.dataset}")
    loaded = ranks.in_turn(lambda: _loaded(spec, code, device, downloading))
    images = loaded.augmented(spec.preset.training, spec.dataset)
    check_augmentation(spec.preset, images.shape)
    if len(images.train) != spec.train_images:
        planned = plan(spec.preset_name, spec.preset, len(images.train))
        if is_new:
            emit(planned.curve)
    return images, planned


def _build_model(
    spec: RunSpec, code: UserCode, images: Images, compute_options: ComputeOptions, emit: Callable[[AnyEvent], None]
) -> tuple[torch.nn.Module, str]:
    """The model on its device, and the digest of the weights that it begins with."""
    from tui_trainer.engine import reproducibility

    tell_phase(emit, say("setting.building"), spec.model)
    model = begun_with(spec.seed, spec, code, images)
    weights = reproducibility.of_weights(model)
    return compute_options.place(model), weights


def begun_with(seed: int, spec: RunSpec, code: UserCode, images: Images) -> torch.nn.Module:
    """The network of a run, its initial weights drawn from a seed.

    Raises:
        UserError: it is a person's own, and fails.
    """
    from tui_trainer.engine import models

    if code.model is not None:
        return code.build_model(images.shape, len(images.classes), seed)
    return models.build(spec.model, images.shape, seed, len(images.classes), spec.preset.model_options)


def _try(
    spec: RunSpec, code: UserCode, model: torch.nn.Module, compute_options: ComputeOptions, images: Images
) -> None:
    """See that code of a person's own does what is asked of it, as far as a few images and one step show."""
    from tui_trainer.engine.schedules import build_optimizer
    from tui_trainer.engine.train_state import parameters_of

    plainly = replace(compute_options, compiled=False).forward(model)
    code.check(model, plainly, (images.train.images, images.train.labels), len(images.classes))
    if spec.optimizer is not None:
        twins = copy.deepcopy(parameters_of(spec.preset, model))
        code.check_optimizer(build_optimizer(spec.preset.optimizer, twins))


def _find_checkpoint(
    folder: Path,
    spec: RunSpec,
    images: Images,
    planned: PlannedRun,
    model: torch.nn.Module,
    compute_options: ComputeOptions,
    ranks: Ranks,
    emit: Callable[[AnyEvent], None],
) -> Resumption | None:
    """The checkpoint to go on from, put into `model`; None where there is none."""
    from tui_trainer.engine.train_state import resume, train_state_at

    tell_phase(emit, say("setting.loading_checkpoint"))
    there = partial(
        train_state_at,
        model=model,
        compute_options=compute_options,
        train_images=len(images.train),
        epochs=planned.recipe.lengths.epochs,
    )
    return resume(folder, facts(spec, images), there, ranks, emit)


def _configured(
    spec: RunSpec,
    code: UserCode,
    images: Images,
    planned: PlannedRun,
    model: torch.nn.Module,
    weights: str,
    compute_options: ComputeOptions,
    ranks: Ranks,
) -> RunConfigured:
    """What all that was asked for with a default or `auto` has come to; the threads are those set by now."""
    import torch

    from tui_trainer.engine import augmentation, datasets, devices, models, reproducibility

    return RunConfigured(
        at=time.time(),
        dataset=spec.dataset,
        model=spec.model,
        model_options=spec.preset.model_options,
        parameters=models.parameter_count(model),
        device=str(compute_options.device),
        device_name=devices.name_of(compute_options.device),
        classes=len(images.classes),
        device_uuid=devices.uuid_of(compute_options.device),
        threads=torch.get_num_threads(),
        ranks=ranks.count,
        precision=compute_options.precision,
        seed=spec.seed,
        train_images=len(images.train),
        val_images=len(images.val),
        recipe=planned.recipe,
        versions={**_versions(), **augmentation.versions_of(images.train.augmentation)},
        digests=Digests(
            weights=weights,
            data=images.digest,
            order=datasets.order_digest(images.train, spec.seed, spec.dataset),
            code=code.digest,
        ),
        code={each.option: each.name for each in spec.code},
        augmentation=augmentation.in_words(images.train.augmentation),
        arithmetic=reproducibility.arithmetic(compute_options.device),
    )


def _loaded(spec: RunSpec, code: UserCode, device: torch.device, downloading: Callable[[str], None]) -> Images:
    """The images on the device.

    Raises:
        UserError: they are not to be had, or there is no memory for them.
    """
    from tui_trainer.engine import datasets, devices

    try:
        if code.dataset is not None:
            return datasets.load_own(spec, device, code)
        return datasets.load(spec, device, downloading)
    except (RuntimeError, MemoryError) as error:
        if not devices.is_out_of_memory(error):
            raise
        there = "this machine" if device.type == "cpu" else str(device)
        instead = "" if device.type == "cpu" else say("data.or_cpu")
        raise UserError(
            f"--dataset {spec.dataset}: {there} has no memory for its images; take fewer with --limit-train{instead}"
        ) from error


def _chosen_threads(
    spec: RunSpec,
    compute_options: ComputeOptions,
    ranks: Ranks,
    model: torch.nn.Module,
    images: Images,
    planned: PlannedRun,
    emit: Callable[[AnyEvent], None],
) -> ThreadCount | None:
    """Set the number of threads by timing steps, where that is left to the run."""
    if spec.threads is not None or compute_options.device.type != "cpu" or ranks.several:
        return None
    from tui_trainer.engine import devices, thread_tuner

    tell_phase(emit, "timing steps", say("setting.choosing_threads"))
    timed = thread_tuner.timed_on_a_copy(model, compute_options, images.train, planned.recipe.batch_size)
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
        **({"loss": spec.loss} if spec.loss is not None else {}),
        "asked": spec.preset.model_dump(mode="json"),
    }


def tell_phase(emit: Callable[[AnyEvent], None], name: str, detail: str = "") -> None:
    """Say what the run is doing now."""
    emit(PhaseStarted(at=time.time(), phase=name, detail=detail))
