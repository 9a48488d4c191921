"""The training loop of a recipe as a short listing: which line stands for which call of ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tui_trainer.events import CallsMade, ResolvedConfig
from tui_trainer.records.columns import CallTally
from tui_trainer.records.history import History
from tui_trainer.text.captions import CAPTIONS, say
from tui_trainer.ui.live.loop import LinePlace, Loop, LoopLine

if TYPE_CHECKING:
    from tui_trainer.run_spec import RunSpec

CODE = {
    "zero_grad": "optimizer.zero_grad()",
    "forward": "out = model(images)",
    "loss": "loss = loss_fn(out, labels)",
    "backward": "loss.backward()",
    "optimizer.step": "optimizer.step()",
    "ema.update": "ema.update_parameters(model)",
    "swa.update": "swa.update_parameters(model)",
    "scheduler.step": "scheduler.step()",
}
SWALR = "swalr.step()"
"""What stands for a step of the scheduler where `swa_lr` has the LR."""

_SHORT = {
    "optimizer.step": "opt.step",
    "scheduler.step": "sched.step",
    "clip_grad": "clip",
    "ema.update": "ema",
    "swa.update": "swa",
}
_SHORTER = _SHORT | {"zero_grad": "zero", "validate": "val"}
_SHORTEST = _SHORTER | {"forward": "fwd", "backward": "back", "optimizer.step": "opt", "scheduler.step": "sched"}
SHORTER_AND_SHORTER: tuple[dict[str, str], ...] = ({}, _SHORT, _SHORTER, _SHORTEST)
"""What calls are named where the loop stands in one line."""

IN_BATCH = ("zero_grad", "forward", "loss", "backward", "optimizer.step")
_INDENTS: dict[LinePlace, int] = {"epochs": 0, "batches": 1, "batch": 2, "epoch": 1}


class RecipeLoop(Loop):
    """The listing for a recipe, with a line more for every call seen in a place where it has none.

    Args:
        recipe: what is followed.
        orders: the latest orders of calls, newest last.
    """

    def __init__(self, recipe: ResolvedConfig, orders: Iterable[CallsMade] = ()) -> None:
        batch, epoch = _within_batch(recipe), _at_epoch_end(recipe)
        newest: CallsMade | None = None
        for order in orders:
            if order.batch is None:
                epoch += _unexpected(order.calls, epoch, "epoch")
            else:
                batch += _unexpected(order.calls, batch, "batch")
                newest = order
        self.place_of = {"data": "batches"}
        """Where each call is made now; of two places within the batch, if that is where it was made last."""
        self.place_of.update((line.call, line.place) for line in epoch)
        self.place_of.update(
            (line.call, line.place)
            for line in batch
            if line.call not in self.place_of or newest is None or line.call in newest.calls
        )
        self.lines = [
            LoopLine(f"for epoch in range({recipe.epochs}):" if recipe.epochs else "while True:", "", "epochs", 0),
            LoopLine("for images, labels in train:", "data", "batches", 1),
            *batch,
            *epoch,
        ]

    def tally(self, line: LoopLine, history: History) -> CallTally | None:
        if line.call == "data":
            calls = history.calls
            batches = calls["forward"].count if "forward" in calls else history.steps
            return CallTally(batches, calls.get("data", CallTally()).seconds)
        return super().tally(line, history)

    def has_share(self, call: str, on_cuda: bool) -> bool:
        return call != "validate" or not on_cuda


def asked_recipe(spec: RunSpec) -> ResolvedConfig:
    """What a run will follow, by what it was asked to be, as long as it has not said so itself."""
    preset = spec.preset
    return ResolvedConfig(
        preset=spec.preset_name,
        title=preset.title,
        optimizer=preset.optimizer.name,
        scheduler=preset.scheduler.name,
        interval=preset.scheduler.interval,
        monitor=preset.scheduler.monitor,
        warmup_epochs=(preset.warmup.epochs or 0) if preset.warmup else 0,
        warmup_steps=(preset.warmup.steps or 0) if preset.warmup else 0,
        clip_grad_norm=preset.training.clip_grad_norm,
        clip_grad_value=preset.training.clip_grad_value,
        ema_decay=preset.training.ema_decay,
        swa_start=preset.training.swa_start,
        swa_lr=preset.training.swa_lr,
        epochs=preset.training.epochs,
        batch_size=preset.training.batch_size,
        accumulate=preset.training.accumulate,
        batches_per_epoch=spec.batches_per_epoch,
        total_steps=preset.training.epochs * spec.batches_per_epoch,
    )


def _within_batch(recipe: ResolvedConfig) -> list[LoopLine]:
    lines = [_line(CODE[call], call, "batch") for call in IN_BATCH]
    step = IN_BATCH.index("optimizer.step")
    if code := _clip_code(recipe):
        lines.insert(step, _line(code, "clip_grad", "batch"))
    if recipe.ema_decay is not None:
        lines.append(_line(CODE["ema.update"], "ema.update", "batch"))
    if recipe.interval == "step" or recipe.warmup_batches:
        before = f"if epoch < {recipe.swa_start}: " if recipe.swa_lr is not None and recipe.interval == "step" else ""
        lines.append(_line(f"{before}{CODE['scheduler.step']}", "scheduler.step", "batch"))
    return _of_several(recipe.accumulate, lines[:step], lines[step:]) if recipe.accumulate > 1 else lines


def _of_several(batches: int, each: list[LoopLine], step: list[LoopLine]) -> list[LoopLine]:
    """The lines of each batch, and of a step that several make together."""
    code = {
        "zero_grad": f"if batch % {batches} == 1: {CODE['zero_grad']}",
        "loss": f"{CODE['loss']} / {batches}",
    }
    return [
        *(line._replace(code=code.get(line.call, line.code)) for line in each),
        LoopLine(f"if batch % {batches} == 0 or is_last:", "", "batch", _INDENTS["batch"]),
        *(line._replace(indent=line.indent + 1) for line in step),
    ]


def _clip_code(recipe: ResolvedConfig) -> str:
    if recipe.clip_grad_norm is not None:
        return f"clip_grad_norm_(params, {recipe.clip_grad_norm:g})"
    return f"clip_grad_value_(params, {recipe.clip_grad_value:g})" if recipe.clip_grad_value is not None else ""


def _at_epoch_end(recipe: ResolvedConfig) -> list[LoopLine]:
    metric = recipe.monitor or "val_loss"
    of = "ema" if recipe.ema_decay is not None else "" if recipe.swa_start is None else "swa"
    lines = [_line(f"{metric} = validate({of})", "validate", "epoch")]
    if recipe.swa_start is not None:
        update = f"if epoch >= {recipe.swa_start}: {CODE['swa.update']}"
        lines.insert(0, _line(update, "swa.update", "epoch"))
    if recipe.swa_lr is not None:
        own = f"{CODE['scheduler.step']} if epoch < {recipe.swa_start} else {SWALR}"
        swa = f"if epoch >= {recipe.swa_start}: {SWALR}"
        lines.append(_line(own if recipe.interval == "epoch" else swa, "scheduler.step", "epoch"))
    elif recipe.interval == "epoch":
        lines.append(_line(f"scheduler.step({recipe.monitor or ''})", "scheduler.step", "epoch"))
    return lines


def _unexpected(calls: Sequence[str], lines: Sequence[LoopLine], place: LinePlace) -> list[LoopLine]:
    known = {line.call for line in lines}
    return [
        _line(CODE.get(call, call), call, place, expected=False) for call in dict.fromkeys(calls) if call not in known
    ]


def _line(code: str, call: str, place: LinePlace, *, expected: bool = True) -> LoopLine:
    metric = code.partition("(")[2] if call == "scheduler.step" else ")"
    suffix = f"({metric}" if metric != ")" else ""
    names = tuple(shorter.get(call, call) + suffix for shorter in SHORTER_AND_SHORTER)
    meaning = say(f"loop.ours.{call}") if f"loop.ours.{call}" in CAPTIONS else ""
    return LoopLine(code, call, place, _INDENTS[place], names, place, meaning, expected)
