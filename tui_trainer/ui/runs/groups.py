"""Runs that belong together: those of one comparison, and those that differ by their seeds alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING

from tui_trainer.records.summary import told
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.records.summary import RunSummary

OVER = ("finished", "diverged")
NOT_OF_THE_RECIPE = ("seed", "name")
"""What was asked for that may differ between runs of one group."""


@dataclass(frozen=True)
class Group:
    """Runs, and what stands over them: nothing where nothing has to be told apart."""

    heading: str
    runs: Sequence[RunSummary]


def grouped(runs: Iterable[RunSummary], comparisons: Mapping[str, str]) -> list[Group]:
    """The groups, that of the newest run first, and after them the runs that stand alone.

    `comparisons` names the comparison that a run was trained for, by the run's folder.
    """
    groups: dict[tuple[str, str], list[RunSummary]] = {}
    for run in sorted(runs, key=lambda run: (-(run.started_at or 0.0), run.id)):
        comparison = comparisons.get(run.folder)
        key = ("comparison", comparison) if comparison is not None else ("seeds", _recipe(run))
        groups.setdefault(key, []).append(run)
    found: list[Group] = []
    alone: list[RunSummary] = []
    for (kind, name), members in groups.items():
        if kind == "comparison":
            members.sort(key=lambda run: (run.trains, run.seed or 0, run.id))
            found.append(Group(_of_comparison(name, members), members))
        elif len({run.seed for run in members}) > 1:
            members.sort(key=lambda run: (run.seed or 0, run.id))
            found.append(Group(_of_seeds(members), members))
        else:
            alone += members
    if alone:
        alone.sort(key=lambda run: (-(run.started_at or 0.0), run.id))
        found.append(Group(say("runs.group_alone", runs=told(alone)) if found else "", alone))
    return found


def _recipe(run: RunSummary) -> str:
    """All that was asked for but the seed; of a run that nobody can compare so, what no other has."""
    if run.tool is not None or run.command is not None or run.seed is None:
        return run.folder
    asked = sorted((key, value) for key, value in run.config.items() if key not in NOT_OF_THE_RECIPE)
    return repr((run.preset, asked))


def _of_comparison(name: str, runs: Sequence[RunSummary]) -> str:
    presets = len({run.trains for run in runs})
    over = sum(run.status in OVER for run in runs)
    of = counted(presets, "preset") if presets > 1 else runs[0].trains
    return say("runs.group_comparison", name=plain(name), runs=counted(len(runs), "run"), of=of, over=over)


def _of_seeds(runs: Sequence[RunSummary]) -> str:
    run = runs[0]
    what = " · ".join(part for part in (run.trains, plain(run.dataset or ""), plain(run.model or "")) if part)
    best = [each.best_val_accuracy for each in runs if each.status == "finished" and each.best_val_accuracy is not None]
    figures = ""
    if len(best) > 1:
        figures = say("runs.group_accuracy", mean=f"{mean(best):.4f}", spread=f"{stdev(best):.4f}", count=len(best))
    seeds = len({each.seed for each in runs})
    return say("runs.group_seeds", what=what, runs=counted(len(runs), "run"), seeds=seeds, figures=figures)
