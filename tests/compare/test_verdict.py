"""What is said of made-up curves, to the word: ties, boundaries, seeds that are missing, and numbers that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path

import msgspec
import pytest

from tests.compare.made import ends, goes_on, record, resolved, rewritten
from tests.scripted import scripted_run
from tui_trainer.compare import verdict as verdicts
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.plain_lines import cell
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.compare.table import COLUMNS, Figure, Row, Table, tabulate
from tui_trainer.compare.verdict import verdict
from tui_trainer.events import (
    AnyEvent,
    EndStatus,
    EpochEnded,
    MetricDeclared,
    MetricsLogged,
    ProgramWatched,
    RunConfigured,
)

Curve = Sequence[float]
"""The validation accuracy of each epoch."""


def curve(
    runs: Path,
    accuracies: Curve,
    status: EndStatus | None = "finished",
    *,
    losses: Curve | None = None,
    speed: float = 100.0,
    logged: Mapping[str, Curve] | None = None,
    declared: Sequence[MetricDeclared] = (),
) -> str:
    """The record of a run with such epochs, each of which takes ten seconds; losses are 1 less the accuracy.

    Of each series that is `logged` a value stands at each epoch's end.
    """
    folder = record(runs, epochs=1, batches=2)
    events: list[AnyEvent] = []
    ends = iter(accuracies)
    for event in scripted_run(epochs=max(1, len(accuracies)), batches=2, status=status):
        if isinstance(event, RunConfigured):
            event = resolved(event, val_images=1000)
            events += declared
        elif isinstance(event, EpochEnded):
            accuracy = next(ends, None)
            if accuracy is None:
                continue
            event = msgspec.structs.replace(
                event,
                val_accuracy=accuracy,
                val_loss=1.0 - accuracy if losses is None else losses[event.epoch - 1],
                elapsed=10.0 * event.epoch,
                images_per_second=speed,
            )
            values = {name: each[event.epoch - 1] for name, each in (logged or {}).items() if len(each) >= event.epoch}
            if values:
                events.append(MetricsLogged(at=event.at, step=event.step, values=values, epoch=event.epoch))
        events.append(event)
    rewritten(folder, events)
    return folder.name


def of(
    runs: Path, *, target: float | None = None, ends: Sequence[EndStatus | None] = (), **curves: Sequence[Curve]
) -> Comparison:
    """Presets by label, a curve a seed; `ends` are theirs in that order, and finished where there is none."""
    states = [*ends, *["finished"] * 99]
    entries = []
    for label, seeds in curves.items():
        for seed, accuracies in enumerate(seeds):
            run = curve(runs, accuracies, states.pop(0))  # type: ignore[arg-type]
            entries.append(Contestant(label=label, seed=seed, run=run))
    comparison = Comparison(Session.create(runs, entries, target=target))
    comparison.poll_all()
    return comparison


def said(comparison: Comparison) -> list[str]:
    return verdict(comparison, tabulate(comparison))


def values(row: Row, key: str) -> list[float]:
    return row.values(next(column for column in COLUMNS if column.key == key))


@pytest.mark.says("comparison.only_one")
@pytest.mark.never_says("comparison.no_epoch", "comparison.only_one_has_it", "comparison.one_finished_yet")
def test_a_single_run_has_nothing_to_be_set_against(tmp_path: Path) -> None:
    one = of(tmp_path, a=[[0.5]], b=[[]])
    assert said(one)[0] == "Only a has finished an epoch, at 0.5000: nothing to compare it with."
    goes_on(one.runs[0])
    assert said(one)[0] == "Only a has finished an epoch, at 0.5000 so far: nothing to compare it with."


@pytest.mark.never_says("comparison.with_all_seeds", "comparison.of_finished")
@pytest.mark.says("comparison.first", "comparison.first_together", "comparison.all_reached", "comparison.none_reached")
@pytest.mark.never_says(
    "comparison.first", "comparison.first_together", "comparison.all_reached", "comparison.none_reached"
)
def test_who_was_first_to_a_target(tmp_path: Path) -> None:
    alone = of(tmp_path, target=0.9, a=[[0.5, 0.9]], b=[[0.5, 0.8, 0.95]])
    assert said(alone)[0] == "a reached 0.9 first (epoch 2, 20.0 s)."  # a target that is met is reached
    level = of(tmp_path, target=0.9, a=[[0.9]], b=[[0.9]], c=[[0.1, 0.9]])
    assert said(level)[0] == "a and b reached 0.9 first, all in epoch 1."
    every = of(tmp_path, target=0.9, a=[[0.1, 0.9]], b=[[0.2, 0.9]])
    assert said(every)[0] == "All reached 0.9 in epoch 2."
    nobody = of(tmp_path, target=0.99, a=[[0.1]], b=[[0.2]])
    assert said(nobody)[0] == "None reached 0.99."
    unasked = of(tmp_path, a=[[0.01]], b=[[0.02]])
    assert tabulate(unasked).target is None
    assert "reached" not in " ".join(said(unasked))


@pytest.mark.says("comparison.with_all_seeds")
@pytest.mark.says("comparison.first", "comparison.none_reached")
@pytest.mark.never_says("comparison.first")
def test_of_seeds_all_must_have_reached_it_where_those_of_another_have(tmp_path: Path) -> None:
    half = of(tmp_path, target=0.9, a=[[0.9], [0.5]], b=[[0.1, 0.9], [0.1, 0.1, 0.9]])
    assert said(half)[0] == "b reached 0.9 with all seeds first (epoch 2.5 on average, 25.0 s)."
    none_whole = of(tmp_path, target=0.9, a=[[0.9], [0.5]], b=[[0.1, 0.9], [0.5]])
    assert said(none_whole)[0] == "None reached 0.9 with all seeds."
    assert "target_epoch" not in tabulate(none_whole).best


@pytest.mark.says("comparison.seeds_of_presets_tell")
@pytest.mark.never_says("comparison.of_finished", "comparison.seeds_tell", "comparison.seed_of")
@pytest.mark.says("comparison.ended_best", "comparison.luck_of_a_seed")
@pytest.mark.never_says("comparison.level", "comparison.more_than_luck", "comparison.could_be_luck")
def test_who_ended_highest_by_how_many_images(tmp_path: Path) -> None:
    lead = "a ended highest (0.9000), ahead of b (0.8500) by 0.0500"
    images = "50 of 1,000 images, which may be luck of the one seed (their presets with --seeds 5 tell)"
    assert f"{lead}: {images}." in said(of(tmp_path, a=[[0.9]], b=[[0.85]], c=[[0.1]]))
    other = of(tmp_path, a=[[0.9]], b=[[0.85]])
    resolution = other.runs[1].history.resolved
    assert resolution is not None
    other.runs[1].history.resolved = msgspec.structs.replace(resolution, val_images=7)
    assert f"{lead}." in said(other)  # of which images, nobody knows


@pytest.mark.says("comparison.level")
@pytest.mark.never_says("comparison.ended_best", "comparison.best_epoch")
def test_those_that_are_level_are_so_together(tmp_path: Path) -> None:
    ended = of(tmp_path, a=[[0.5]], b=[[0.9]], c=[[0.9]])
    assert "b and c ended level and highest, at 0.9000." in said(ended)
    both = of(tmp_path, a=[[0.9]], b=[[0.9]])
    assert "a and b ended level, at 0.9000." in said(both)
    goes_on(ended.runs[0])
    assert "b and c ended level of the 2 that finished, at 0.9000." in said(ended)
    assert not any("best epoch" in sentence for sentence in said(ended))  # it was nobody else's


@pytest.mark.says(
    "comparison.one_finished",
    "comparison.one_diverged",
    "comparison.none_finished_yet",
    "comparison.none_finished",
    "comparison.diverged",
    "comparison.ended_best",
)
@pytest.mark.never_says(
    "comparison.one_diverged", "comparison.diverged", "comparison.none_finished", "comparison.none_finished_yet"
)
def test_a_diverged_run_did_not_end_highest(tmp_path: Path) -> None:
    one = of(tmp_path, ends=["diverged"], a=[[0.9]], b=[[0.5]])
    assert said(one)[0] == "b alone finished, at 0.5000: nothing to compare it with."
    assert "a diverged: its loss was not finite." in said(one)
    goes_on(one.runs[1])
    assert said(one)[0] == "None has finished yet: nothing to compare."
    both = of(tmp_path, ends=["diverged", "diverged"], a=[[0.9]], b=[[0.5]])
    assert said(both) == ["None finished: nothing to compare.", "a and b diverged: their losses were not finite."]
    third = of(tmp_path, ends=["diverged"], a=[[0.9, 0.95]], b=[[0.5, 0.4]], c=[[0.3, 0.3]])
    assert said(third)[1].startswith("b ended highest of the 2 that finished (0.4000), ahead of c (0.3000)")
    assert tabulate(third).best["final_accuracy"] == [1]


@pytest.mark.never_says("comparison.all_seeds")
@pytest.mark.says("comparison.not_over", "comparison.one_finished_yet")
@pytest.mark.never_says("comparison.best_epoch", "comparison.one_finished")
def test_what_is_still_in_training_wins_nothing(tmp_path: Path) -> None:
    going = of(tmp_path, target=0.9, ends=["finished", "finished", None], a=[[0.9]], b=[[0.85]], c=[[0.95, 0.8]])
    goes_on(going.runs[2])
    told = said(going)
    assert told[0] == "a reached 0.9 first of the 2 that finished (epoch 1, 10.0 s)."
    assert told[1].startswith("a ended highest of the 2 that finished (0.9000), ahead of b (0.8500) by 0.0500")
    assert told[2:] == ["1 run is not over yet."]  # and not that c had the best epoch
    assert tabulate(going).best["best_accuracy"] == [0]
    assert [row.group.label for row in tabulate(going).sorted_by("best_accuracy")] == ["a", "b", "c"]
    nobody = of(tmp_path, target=0.99, ends=["finished", "finished", None], a=[[0.9]], b=[[0.85]], c=[[0.995, 0.8]])
    goes_on(nobody.runs[2])
    assert said(nobody)[0] == "None of the 2 that finished reached 0.99."
    one = of(tmp_path, ends=["finished", None], a=[[0.9]], b=[[0.95]])
    goes_on(one.runs[1])
    assert said(one)[0] == "Only a has finished, at 0.9000: nothing to compare it with yet."


@pytest.mark.says("comparison.ended_best")
@pytest.mark.says("comparison.of_finished", "comparison.with_all_seeds", "comparison.all_seeds")
@pytest.mark.says("comparison.a_part", "comparison.parts", "comparison.one_diverged", "comparison.crashed")
@pytest.mark.never_says("comparison.ended_best")
def test_one_seed_of_three_wins_nothing(tmp_path: Path) -> None:
    ends: list[EndStatus | None] = ["finished", "diverged", "crashed"]
    part = of(tmp_path, target=0.9, ends=ends, a=[[0.99], [0.98], [0.97]], b=[[0.9], [0.8], [0.85]], c=[[0.1]] * 3)
    told = said(part)
    assert told[0] == "None of the 2 that finished reached 0.9 with all seeds."
    assert told[1].startswith("b ended highest of the 2 that finished (0.8500 ± 0.0500), ahead of c (0.1000 ±")
    assert "a (1 of 3 seeds) diverged: its loss was not finite." in told
    assert "a (1 of 3 seeds) crashed." in told
    assert "a finished 1 of 3 seeds: a mean of a part wins nothing." in told
    table = tabulate(part)
    assert values(table.rows[0], "final_accuracy") == [0.99]  # of the seed that finished alone
    assert cell(table.rows[0], COLUMNS[1]) == "0.9900 (1 of 3)"
    assert all(0 not in winners for winners in table.best.values())
    assert [row.group.label for row in table.sorted_by("final_accuracy")] == ["b", "c", "a"]
    goes_on(part.runs[3])
    assert said(part)[0] == "Only c has finished all its seeds, at 0.1000 ± 0.0000: nothing to compare it with yet."
    assert "a has finished 1 of 3 seeds and b has finished 2 of 3 seeds: means of a part win nothing." in said(part)


@pytest.mark.says("comparison.none_finished_yet")
@pytest.mark.never_says("comparison.one_finished_yet")
def test_a_seed_that_trains_is_in_no_mean(tmp_path: Path) -> None:
    two = of(tmp_path, a=[[0.9], [0.8], [0.1]], b=[[0.7], [0.6], [0.1]])
    for run in two.runs[2], two.runs[5]:
        goes_on(run)
    row = tabulate(two).rows[0]
    assert values(row, "final_accuracy") == [0.9, 0.8]
    assert cell(row, COLUMNS[1]) == "0.8500 ± 0.0707 (2 of 3)"
    for run in two.runs:
        goes_on(run)
    assert tabulate(two).rows[0].figures == {}  # three that train have no mean at all
    assert said(two)[0] == "None has finished all its seeds yet: nothing to compare."
    alone = of(tmp_path, ends=[None], a=[[0.9]], b=[[0.5]])
    goes_on(alone.runs[0])
    assert cell(tabulate(alone).rows[0], COLUMNS[1]) == "0.9000"  # as it stands


@pytest.mark.says("comparison.seed_of", "comparison.seeds_tell", "comparison.seeds_of_presets_tell")
@pytest.mark.never_says("comparison.seed_of", "comparison.seeds_tell", "comparison.seeds_of_presets_tell")
@pytest.mark.says("comparison.other_seeds_tell")
@pytest.mark.never_says("comparison.other_seeds_tell")
@pytest.mark.says("comparison.luck_of_a_seed")
@pytest.mark.never_says("comparison.luck_of_a_seed")
def test_advice_is_not_what_was_done_already(tmp_path: Path) -> None:
    def advice(comparison: Comparison) -> str:
        return next(sentence for sentence in said(comparison) if "ahead of" in sentence)

    joined = of(tmp_path, a=[[0.9]], b=[[0.85]])
    assert advice(joined).endswith("which may be luck of the one seed (their presets with --seeds 5 tell).")
    watched = of(tmp_path, a=[[0.9]], b=[[0.85]])
    for run in watched.runs[1:]:
        run.history.apply(ProgramWatched(at=1.0, command=["python", "train.py"], cwd="/", pid=1))
    assert advice(watched).endswith("which may be luck of the one run each (more of them, with other seeds, tell).")
    trained = of(tmp_path, a=[[0.9]], b=[[0.85]])
    for run in trained.runs:
        run.entry = msgspec.structs.replace(run.entry, asked={})
    assert advice(trained).endswith("which may be luck of the one seed (--seeds 5 tells).")
    mixed = of(tmp_path, a=[[0.9], [0.91]], b=[[0.85]])
    assert advice(mixed).endswith("which may be luck of the one seed of b.")
    three = of(tmp_path, a=[[0.9], [0.91], [0.92]], b=[[0.85], [0.84], [0.83]])
    assert "--seeds" not in " ".join(said(three))
    part = of(tmp_path, ends=["finished", "crashed", "crashed"], a=[[0.9], [0.91], [0.92]], b=[[0.85], [0.84], [0.83]])
    assert "--seeds" not in " ".join(said(part))


def test_a_target_once_named_stays(tmp_path: Path) -> None:
    """None was asked for: the first two that finish name one, and what finishes later and higher names no other."""
    made = [curve(tmp_path, [top / 2, top]) for top in (0.92, 0.91, 0.99, 0.995)]
    entries = [Contestant(label=f"run{i}", seed=0, run=run) for i, run in enumerate(made)]
    comparison = Comparison(Session.create(tmp_path, entries))
    comparison.poll_all()
    goodbyes = [run.history.ended for run in comparison.runs]
    for run in comparison.runs:
        goes_on(run)
    named = []
    begun = comparison.session.plan.created_at
    for number, (run, goodbye) in enumerate(zip(comparison.runs, goodbyes, strict=True)):
        assert goodbye is not None
        ends(run, msgspec.structs.replace(goodbye, at=begun + 10.0 * (number + 1)))
        named.append(tabulate(comparison).target)
    assert named == [None, 0.9, 0.9, 0.9]
    assert not tabulate(comparison).target_was_asked
    unread = Comparison(comparison.session)
    assert tabulate(unread).target is None  # whose records are not read yet


@pytest.mark.says("comparison.crashed", "comparison.stopped", "comparison.one_stopped", "comparison.not_over")
@pytest.mark.never_says(
    "comparison.crashed",
    "comparison.one_stopped",
    "comparison.stopped",
    "comparison.one_diverged",
    "comparison.diverged",
    "comparison.not_over",
    "comparison.one_gone",
    "comparison.gone",
    "comparison.a_part",
    "comparison.parts",
)
def test_what_went_otherwise_is_counted(tmp_path: Path) -> None:
    ends: list[EndStatus | None] = ["crashed", "crashed", "stopped", "stopped"]
    several = said(of(tmp_path, ends=ends, a=[[0.9]], b=[[0.5]], c=[[0.4]], d=[[0.3]]))
    assert "a and b crashed." in several
    assert "c and d were stopped early." in several
    single = of(tmp_path, ends=["stopped"], a=[[0.9]], b=[[0.5]], c=[[0.5]])
    for run in single.runs[1:]:
        goes_on(run)
    assert "a was stopped early." in said(single)
    assert said(single)[-1] == "2 runs are not over yet."
    assert not any(
        word in sentence
        for sentence in said(of(tmp_path, a=[[0.9]], b=[[0.5]]))
        for word in ("crashed", "stopped", "diverged", "over yet")
    )


@pytest.mark.says("comparison.beyond_spread")
@pytest.mark.says("comparison.at_spread")
@pytest.mark.never_says("comparison.beyond_spread", "comparison.within_spread")
def test_a_lead_as_large_as_the_spread_is_not_larger(tmp_path: Path) -> None:
    told = said(of(tmp_path, a=[[0.5], [0.5], [0.5]], b=[[0.0], [0.25], [0.5]]))
    assert any(
        "by 0.2500, as much as the spread of seeds: it could be luck (Welch's t-test, p = 0.23, 3 seeds each)" in s
        for s in told
    )
    uneven = said(of(tmp_path, a=[[0.5], [0.5], [0.5]], b=[[0.0], [0.25]]))
    assert any("3 and 2 seeds)" in s for s in uneven)


@pytest.mark.says("comparison.within_spread")
@pytest.mark.never_says("comparison.at_spread", "comparison.beyond_spread")
def test_a_lead_that_is_smaller_than_the_spread_is_called_so(tmp_path: Path, captions_said: set[str]) -> None:
    told = said(of(tmp_path, a=[[0.5], [0.6]], b=[[0.45], [0.6]]))
    assert any("less than the spread of seeds: it could be luck" in sentence for sentence in told)
    assert not captions_said & {"comparison.at_spread", "comparison.beyond_spread"}


@pytest.mark.says("comparison.beyond_spread")
@pytest.mark.never_says("comparison.at_spread", "comparison.within_spread")
@pytest.mark.says("comparison.*_luck")
@pytest.mark.never_says("comparison.more_than_luck", "comparison.could_be_luck", "comparison.luck_of_a_seed")
@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.05, "more than the spread of seeds, yet it could be luck (Welch's t-test, p = 0.05,"),
        (0.0499, "more than the spread of seeds: more than luck (Welch's t-test, p = 0.05,"),
        (0.001, "p = 0.001,"),
        (0.00099, "p < 0.001,"),
    ],
)
def test_where_luck_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, p: float, words: str) -> None:
    monkeypatch.setattr(verdicts, "welch", lambda a, b: p)
    told = said(of(tmp_path, a=[[0.9], [0.91]], b=[[0.5], [0.51]]))
    assert any(words in sentence for sentence in told)


def test_numbers_that_are_none_are_left_out_of_means_and_told_as_missing(tmp_path: Path) -> None:
    first, second = curve(tmp_path, [0.5, 0.7, 0.6], losses=[0.5, 0.3, nan]), curve(tmp_path, [0.9, 0.8, 0.3])
    entries = [Contestant(label="a", seed=seed, run=run) for seed, run in enumerate((first, second))]
    comparison = Comparison(Session.create(tmp_path, entries))
    comparison.poll_all()
    row = tabulate(comparison).rows[0]
    assert values(row, "best_loss") == pytest.approx([0.3, 0.1])
    assert values(row, "final_loss") == pytest.approx([0.7])
    assert row.figures["final_loss"].spread is None
    shown = {column.key: cell(row, column) for column in COLUMNS}
    assert shown["final_loss"] == "0.7000 (1 of 2)"
    assert shown["best_accuracy"] == "0.8000 ± 0.1414"
    assert shown["seconds"] == "30.0 ± 0.0 s"
    slow = Comparison(Session.create(tmp_path, [Contestant(label="a", seed=0, run=curve(tmp_path, [0.5], speed=0.0))]))
    slow.poll_all()
    assert "images_per_second" not in tabulate(slow).rows[0].figures


def table(tmp_path: Path) -> Table:
    return tabulate(of(tmp_path, target=0.8, a=[[0.8, 0.7]], b=[[0.5, 0.9]], c=[[0.8, 0.9]], d=[[]]))


def test_the_best_of_a_column_may_be_several_but_not_all(tmp_path: Path) -> None:
    best = table(tmp_path).best
    assert best["final_accuracy"] == [1, 2]
    assert best["final_loss"] == [1, 2]
    assert best["target_epoch"] == best["target_step"] == best["target_seconds"] == [0, 2]
    assert "seconds" not in best  # to take long is neither good nor bad
    assert "images_per_second" not in best  # all alike
    alone = tabulate(of(tmp_path, target=0.8, a=[[0.8]], b=[[0.5]])).best
    assert "target_epoch" not in alone  # nobody to be better than
    assert alone["best_accuracy"] == alone["best_loss"] == [0]


def test_a_table_is_sorted_by_what_is_better_and_those_without_come_last(tmp_path: Path) -> None:
    whole = table(tmp_path)

    def labels(key: str, reverse: bool = False) -> str:
        return "".join(row.group.label for row in whole.sorted_by(key, reverse))

    assert labels("") == "abcd"
    assert labels("", True) == "dcba"
    assert labels("final_accuracy") == "bcad"
    assert labels("final_loss") == "bcad"
    assert labels("final_loss", True) == "abcd"
    assert labels("target_epoch") == "acbd"
    longer = tabulate(of(tmp_path, a=[[0.5]], b=[[0.5, 0.5]], c=[[]]))
    assert [row.group.label for row in longer.sorted_by("seconds")] == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("tops", "rung"),
    [
        ((0.95, 0.949), 0.9),
        ((0.95, 0.95), 0.95),  # a rung that is met is reached
        ((0.99,), None),  # one alone sets no target
        ((0.99, 0.0), None),
        ((0.99, 0.98, 0.97, 0.5, 0.4), 0.97),  # half of five are three
        ((0.99, 0.98, 0.5, 0.4), 0.98),
        ((0.99, 0.05), None),
    ],
)
def test_a_target_is_what_half_of_them_have_reached_and_two_at_the_least(
    tmp_path: Path, tops: Sequence[float], rung: float | None
) -> None:
    comparison = of(tmp_path, **{f"run{i}": [[top / 2, top]] for i, top in enumerate(tops)})
    assert tabulate(comparison).target == rung
    assert not tabulate(comparison).target_was_asked


def test_of_seeds_the_best_one_counts_for_a_target(tmp_path: Path) -> None:
    comparison = of(tmp_path, a=[[0.1], [0.9]], b=[[0.9], [0.1]])
    assert tabulate(comparison).target == 0.9


@pytest.mark.parametrize(
    ("ends", "status", "progress"),
    [
        (("finished", "finished"), "finished", "2 of 2"),
        (("finished", "crashed"), "crashed", "2 of 2"),
        (("diverged", "crashed"), "diverged", "2 of 2"),
        (("stopped", "finished"), "stopped", "2 of 2"),
        (("crashed", None), "running", "1 of 2, 1/1"),
        (("finished", "to come"), "to come", "1 of 2"),
        (("to come", "to come"), "to come", ""),
    ],
)
def test_one_word_for_all_seeds(tmp_path: Path, ends: Sequence[EndStatus | None], status: str, progress: str) -> None:
    runs = [None if end == "to come" else curve(tmp_path, [0.5], end) for end in ends]
    entries = [Contestant(label="a", seed=i, run=run) for i, run in enumerate(runs)]
    comparison = Comparison(Session.create(tmp_path, entries))
    comparison.poll_all()
    for run, end in zip(comparison.runs, ends, strict=True):
        if end is None:
            goes_on(run)
    (row,) = tabulate(comparison).rows
    assert (row.status, row.progress) == (status, progress)


def test_figures_are_written_as_a_person_would(tmp_path: Path) -> None:
    show = {column.key: column.show for column in COLUMNS}
    assert [show["seconds"](v) for v in (0.04, 99.94, 99.95, 5999.0, 6000.0)] == [
        "0.0 s",
        "99.9 s",
        "100 s",
        "5999 s",
        "1.7 h",
    ]
    assert [show["target_epoch"](v) for v in (3.0, 2.5, 1000.0)] == ["3", "2.5", "1,000"]
    assert Figure.of([1.0, 2.0, 6.0]).mean == 3.0  # and not the median
    assert Figure.of([1.0, 3.0]).spread == pytest.approx(2**0.5)  # of a sample
