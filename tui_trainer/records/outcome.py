"""What came of a run, in words: how it ended, its best epoch, and what was wrong with it in the end."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from tui_trainer.events import EpochEnded, RunEnded
from tui_trainer.records.health import Finding, Health
from tui_trainer.records.history import History
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_metric
from tui_trainer.text.plain import plain


class BestLogged(NamedTuple):
    """The best value of what a run is judged by."""

    name: str
    value: float
    step: int


def best_logged(history: History) -> BestLogged | None:
    """Of a run that tells of no validated epoch, the best of what it is judged by; None where that has no goal, or is a
    number of the training."""
    objective = history.series.objective
    if objective is None or history.series.kind(objective) in ("train", "lr", "system"):
        return None
    if any(ended.validated or isfinite(ended.val_accuracy) for ended in history.epochs[-1:]):
        return None
    found = history.series.best(objective)
    return BestLogged(plain(objective), found.value, found.step) if found is not None else None


def best_of_all(history: History) -> str:
    """The best epoch as `best_in_words` says it, else the best value of what was validated without epochs."""
    if (words := best_in_words(history.best, history.lowest, history.health)) or (
        found := best_logged(history)
    ) is None:
        return words
    return say("end.best_of", name=found.name, value=format_metric(found.value), step=f"{found.step:,}")


def nothing_trained(ended: RunEnded, history: History) -> str:
    """How a run ended of which no step is known: of a watched one that does not say that there was none."""
    reason = plain(ended.reason)
    if history.program is None:
        return say("end.before_first_step", status=ended.status, reason=reason)
    more = "" if say("command.no_training") in reason else say("end.no_step")
    return say("end.unseen", status=ended.status, reason=reason, more=more)


def best_in_words(best: EpochEnded | None, lowest: EpochEnded | None, health: Health) -> str:
    """The best epoch, or that none was better than guessing; empty where nothing was validated.

    Args:
        best: the best epoch by its accuracy; None where none was measured.
        lowest: that of the lowest validation loss, if one is praiseworthy.
        health: of the same run.
    """
    if best is not None:
        caption = "end.best" if health.beats_guessing(best) else "end.chance"
        return say(caption, accuracy=f"{best.val_accuracy:.4f}", epoch=best.epoch)
    if lowest is not None:
        return say("end.best_loss", value=format_metric(lowest.val_loss), epoch=lowest.epoch)
    return ""


def end_in_words(ended: RunEnded, best: str, finding: Finding | None) -> str:
    """The line in which a run without a screen ends, and in which somebody who is told of it reads how.

    Args:
        ended: its goodbye.
        best: what `best_in_words` says.
        finding: what was wrong with it in the end.
    """
    said = [say("line.ended", status=ended.status, reason=plain(ended.reason)), best]
    if finding is not None and ended.status in ("finished", "stopped"):
        said.append(f"{finding.word}: {finding.reason}")
    return "; ".join(filter(None, said))
