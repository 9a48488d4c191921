"""What a call made, in words, for a person who follows the loop call by call."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from tui_trainer.text.numbers import format_lr, lr_change
from tui_trainer.watching.trace import Site


def in_words(site: Site, value: float, lr: float) -> str:
    """What a row says of its call; empty where it says nothing.

    Args:
        site: of the call.
        value: as the row has it.
        lr: what the optimizer's first group used until then; nan where it is not known.
    """
    words = _WORDS.get(site.call)
    return words(site, value, lr) if words is not None and isfinite(value) else ""


def _stepped(_: Site, value: float, lr: float) -> str:
    return f"step {value:.0f}" + (f", lr {format_lr(lr)} used" if isfinite(lr) else "")


def _scheduled(_: Site, value: float, lr: float) -> str:
    if not isfinite(lr):
        return f"lr {format_lr(value)}"
    return f"lr {format_lr(lr)} kept" if value == lr else "lr {} → {}".format(*lr_change(lr, value))


_WORDS: dict[str, Callable[[Site, float, float], str]] = {
    "backward": lambda site, value, _: f"{site.name or 'loss'} {value:.4f}",
    "optimizer.step": _stepped,
    "scheduler.step": _scheduled,
    "clip_grad": lambda _, value, __: f"grad norm {value:.4g}",
    "scaler.step": lambda _, value, __: "skipped" if value == 1 else "",
    "data": lambda _, value, __: {0.0: "a batch", -1.0: "a pass begins"}.get(value, "no more"),
}
