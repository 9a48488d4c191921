"""What a watched run came to, as far as it can be told: its network, data, optimizer, scheduler and length."""

from __future__ import annotations

from typing import Any

from tui_trainer.events import ResolvedConfig, RunConfigured
from tui_trainer.watching.interpreter.definitions import Definitions, count, name
from tui_trainer.watching.interpreter.lr_causes import Scheduler
from tui_trainer.watching.interpreter.passes import Passes
from tui_trainer.watching.trace import LoaderSeen, ModelSeen, Options

EPOCHS = ("epochs", "num_epochs", "n_epochs", "max_epochs", "num_train_epochs", "nb_epochs", "niter")
"""What programs call their argument for the number of epochs."""

BEGIN = ("start_epoch", "first_epoch", "initial_epoch")
"""For the epochs that another process did already, counted from 0."""


def configured(
    definitions: Definitions,
    options: Options,
    optimizer: int,
    passes: Passes,
    leading: Scheduler | None,
    took_over_at: int = 0,
) -> dict[str, Any]:
    """The fields of `RunConfigured`, for a run whose steps are those of an optimizer, from a step on if not from the
    first."""
    model = _model(definitions)
    training = passes.training
    loader = definitions.loaders.get(training.loader) if training is not None else None
    hello = definitions.hello
    arguments = hello.arguments if hello is not None else {}
    seed = arguments.get("seed")
    versions = {"torch": name(hello.torch), "python": name(hello.python)} if hello is not None else {}
    return {
        "dataset": name(loader.dataset) if loader is not None else "",
        "model": name(model.class_name) if model is not None else "",
        "parameters": count(model.parameters) if model is not None else None,
        "device": name(model.device) if model is not None else "",
        "device_name": name(model.device_name) if model is not None else "",
        "device_uuid": name(model.device_uuid) if model is not None else "",
        "threads": (count(model.threads, 1) if model is not None else None),
        "seed": seed if type(seed) is int and abs(seed) < 2**63 else None,
        "train_images": definitions.samples(loader.id) if loader is not None else None,
        "ranks": (count(hello.world_size, 1) if hello is not None else None) or 1,
        "versions": {key: version for key, version in versions.items() if version},
        "recipe": _recipe(definitions, options, optimizer, passes, leading, loader, arguments, took_over_at),
    }


def event(fields: dict[str, Any], at: float) -> RunConfigured:
    """The event that tells them."""
    return RunConfigured(at=at, **fields)


def _recipe(
    definitions: Definitions,
    options: Options,
    optimizer: int,
    passes: Passes,
    leading: Scheduler | None,
    loader: LoaderSeen | None,
    arguments: dict[str, Any],
    took_over_at: int,
) -> ResolvedConfig:
    seen = definitions.optimizers.get(optimizer)
    # Its argument may be of each network that it trains.
    epochs = _epochs(options, definitions, passes, arguments if not took_over_at else {})
    steps = passes.steps_an_epoch
    total = count(options.steps, 1)
    rounds = definitions.rounds_of_steps(optimizer)
    if total is None and rounds is not None:
        total = max(0, took_over_at - 1) + rounds
    if total is None and epochs is not None and steps is not None:
        total = count(epochs * steps, 1)
    monitor, min_lr = leading.watches if leading is not None else (None, None)
    return ResolvedConfig(
        preset="",
        title="",
        optimizer=name(seen.class_name) if seen is not None else "",
        scheduler=name(leading.seen.class_name) if leading is not None else "",
        interval=leading.interval if leading is not None else None,
        monitor=name(monitor) if monitor else None,
        warmup_epochs=0,
        epochs=epochs,
        batch_size=_samples_a_step(loader, passes),
        batches_per_epoch=steps,
        total_steps=total,
        min_lr=min_lr,
        took_over_at=took_over_at,
    )


def _samples_a_step(loader: LoaderSeen | None, passes: Passes) -> int:
    """Of all batches that a step's gradients come from; 0 where that is not known."""
    size = count(loader.batch_size, 1) if loader is not None else None
    batches = passes.batches_a_step
    return (count(size * batches) or 0) if size is not None and batches is not None else 0


def _model(definitions: Definitions) -> ModelSeen | None:
    """The largest network that is trained."""
    return max(definitions.models.values(), key=lambda model: model.trainable, default=None)


def _epochs(options: Options, definitions: Definitions, passes: Passes, arguments: dict[str, Any]) -> int | None:
    """The last epoch, as the person or the program said it; None where there are no epochs, or it went on behind it."""
    asked = epochs_asked(options, definitions, passes, arguments) if passes.counts_epochs else None
    return asked if asked is not None and asked >= max(1, passes.epoch) else None


def epochs_asked(options: Options, definitions: Definitions, passes: Passes, arguments: dict[str, Any]) -> int | None:
    """How many epochs there are to be: as the person said it, as the `range` of the program's loop over them has it, or
    what its argument for it leaves of them."""
    asked = count(options.epochs, 1)
    if asked is not None:
        return asked
    rounds = definitions.rounds.get(passes.training.site) if passes.training is not None else None
    if rounds is not None and (before := passes.epochs_before(definitions.are_in_one_line)) is not None:
        return before + rounds
    given = (arguments.get(key) for key in EPOCHS)
    asked = next((number for number in given if type(number) is int and 0 < number < 2**31), None)
    begun = (arguments.get(key) for key in BEGIN)
    before = next((number for number in begun if type(number) is int and 0 < number < 2**31), 0)
    return asked - before if asked is not None else None
