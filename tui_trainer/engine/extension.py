"""Another number of epochs for a run that is gone on with: beyond the end that it has reached, or to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tui_trainer.engine.augmentation import check_augmentation
from tui_trainer.engine.early_stopping import Patience
from tui_trainer.engine.lr_preview import plan
from tui_trainer.engine.parameter_groups import check_groups
from tui_trainer.errors import UserError
from tui_trainer.presets.checks import check
from tui_trainer.presets.problems import PresetError
from tui_trainer.presets.schema import Preset
from tui_trainer.run_request import EXTEND, Extension
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr

if TYPE_CHECKING:
    from tui_trainer.engine.checkpoints import State
    from tui_trainer.engine.train_state import Resumption
    from tui_trainer.run_spec import RunSpec


class CannotExtend(UserError):
    """A run cannot train as many epochs, or not in this way."""


@dataclass(frozen=True)
class Extended:
    """What came of it."""

    asked: str
    """In words."""
    by: str
    old: int
    """How many epochs it was to train, or has trained, where it was over."""
    answer: str
    """What is trained now."""
    then: str = ""
    """What is followed from here on: `constant` or a preset; empty: what was."""
    old_preset: str = ""
    counts_anew: bool = False
    """Whether early stopping counts from here on."""
    warnings: list[str] = field(default_factory=list)
    """What the numbers of another preset will lead to."""


def extend(asked: Extension, found: Resumption | None, train_images: int, spec: RunSpec) -> Extended:
    """Have what stands where a run goes on trained for as many epochs as are asked for in all.

    A run that has reached its end goes on beyond it: along its schedule, at the LRs of its last step with all that the
    optimizer holds, or along another preset from its beginning, with the weights alone kept, as a switch keeps them.
    One that has not follows its schedule to the new end.

    Args:
        asked: how many epochs, and what follows.
        found: the checkpoint, and what stands there; changed.
        train_images: how many images an epoch has.
        spec: what was asked of the run at first.

    Raises:
        CannotExtend: there is no checkpoint, or no such length or way; with the reason.
        PresetError: the preset does not fit the network or the epochs.
    """
    if found is None:
        raise CannotExtend("it has saved no checkpoint, so there is nothing to go on from")
    state, train_state = found.state, found.train_state
    recipe = train_state.planned.recipe
    trained = state["epoch"] - (0 if state["batch"] else 1)
    has_stopped_early = _has_stopped_early(state, train_state.planned.preset)
    is_over = has_stopped_early or (not state["batch"] and trained >= recipe.lengths.epochs)
    old = trained if is_over else recipe.lengths.epochs
    _check_epochs(asked, state, trained, old)
    command = f"epochs {asked.epochs:,}"
    if asked.then == EXTEND:
        _follow_on(asked, found, train_images, is_over=is_over)
        steps = f"{train_state.planned.recipe.lengths.total_steps:,}"
        answer = say("reply.epochs", epochs=counted(asked.epochs, "epoch"), old=f"{old:,}", step=steps)
        return Extended(command, asked.by, old, answer, counts_anew=has_stopped_early)
    if not is_over:
        raise CannotExtend(
            f"epoch {trained:,} of {old:,} is trained: what follows its end can be chosen there. Resume it without "
            "--epochs first, or leave --then out"
        )
    warnings: list[str] = []
    if asked.preset is None:
        try:
            last = train_state.scheduler.used
            preset = _constant(train_state.planned.preset, last, from_epoch=trained + 1)
        except ValueError as error:
            raise CannotExtend(str(error)) from error
        what = say("reply.last_lr", lr=format_lr(last[0]["lr"]))
    else:
        preset = Preset.model_validate(asked.preset)
        if spec.loss is not None and preset.training.label_smoothing:
            raise CannotExtend(say("code.own_smoothing"))
        check_groups(preset, spec.model)
        check_augmentation(preset)
        left = preset.with_training(epochs=asked.epochs - trained)
        warnings = [str(each) for each in check(left, spec.conditions) if each.severity == "warning"]
        what = say("reply.preset", preset=asked.then)
    planned = plan(
        asked.then,
        preset,
        train_images,
        first_epoch=trained + 1,
        last_epoch=asked.epochs,
        first_step=state["step"] + 1,
    )
    if asked.preset is None:
        train_state.hold(planned)
    else:
        train_state.use(planned)
    answer = say(
        "reply.epochs_then",
        epochs=counted(asked.epochs, "epoch"),
        old=f"{old:,}",
        step=f"{planned.recipe.lengths.total_steps:,}",
        then=what,
        epoch=f"{trained + 1:,}",
    )
    command = f"{command}, then {asked.then}"
    return Extended(command, asked.by, old, answer, asked.then, recipe.preset, True, warnings)


def _check_epochs(asked: Extension, state: State, trained: int, old: int) -> None:
    if asked.epochs == old:
        raise CannotExtend(say("reply.epochs_already", epochs=counted(old, "epoch")))
    if asked.epochs < max(1, trained):
        raise CannotExtend(say("reply.epoch_is_trained", epoch=trained))
    if state["switch"] is not None and asked.epochs <= trained:
        taken = {"preset": state["switch"][0], "epoch": trained + 1}
        raise CannotExtend(say("reply.epochs_end_before_switch", **taken))


def _has_stopped_early(state: State, preset: Preset) -> bool:
    patience = Patience.of(preset.training)
    counted_so_far = state.get("early_stopping")
    if patience is None or counted_so_far is None or state["batch"] or state["switch"] is not None:
        return False
    patience.load(counted_so_far)
    return patience.is_at_its_end


def _follow_on(asked: Extension, found: Resumption, train_images: int, *, is_over: bool) -> None:
    """Have the schedule go on, or end earlier."""
    state = found.state
    try:
        if state["switch"] is not None:
            name, preset = state["switch"]
            first_epoch = state["epoch"] + bool(state["batch"])
            plan(name, Preset.model_validate(preset), train_images, first_epoch=first_epoch, last_epoch=asked.epochs)
        found.train_state.train_until(asked.epochs, train_images)
    except (PresetError, ValueError) as error:
        why = say("reply.epochs_do_not_fit", why=error)
        raise CannotExtend(f"{why}. {say('reply.go_on_otherwise')}" if is_over else why) from error


def _constant(preset: Preset, last: list[dict[str, Any]], *, from_epoch: int) -> Preset:
    """The preset without a scheduler, with the LRs and the momentum that each group of the optimizer used last.

    Raises:
        ValueError: at these nothing can be trained.
    """
    asked = preset.model_dump(mode="json")
    optimizer = asked["optimizer"]
    optimizer |= {key: value for key, value in last[0].items() if key in optimizer}
    for number in preset.groups_with_lr:
        group = optimizer["groups"][number - 1]
        group.pop("lr_scale", None)
        group["lr"] = last[number]["lr"]
    if not any(group["lr"] for group in last):
        raise ValueError("its last LR is 0, at which nothing is trained: give another preset with --then")
    title = say("plan.constant_from", title=preset.title or preset.scheduler.name, epoch=f"{from_epoch:,}")[:200]
    asked |= {"title": title, "scheduler": {"name": "none"}, "warmup": None}
    try:
        return Preset.model_validate(asked)
    except ValidationError as error:
        raise ValueError(f"at the LR and the momentum of its last step no run can begin: {error}") from error
