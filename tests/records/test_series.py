"""Named series: what real records hold comes out as it was logged, however it is read."""

from __future__ import annotations

from math import inf, isnan, nan
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records.streams import fold, state_of
from tests.scripted import scripted_run
from tui_trainer.events import (
    AnyEvent,
    EpochEnded,
    MetricDeclared,
    MetricsLogged,
    RunStarted,
    StepsTaken,
    decode,
    encode,
)
from tui_trainer.records import journal_cache, merging
from tui_trainer.records.columns import KEPT
from tui_trainer.records.history import History
from tui_trainer.records.journal import Journal
from tui_trainer.records.series import ATTEMPTS_KEPT, MOST_SERIES, LoggedSeries
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail


def logged(step: int, *, elapsed: float | None = None, epoch: int | None = None, **values: float) -> MetricsLogged:
    return MetricsLogged(at=1e9 + step, step=step, values=values, elapsed=elapsed, epoch=epoch)


def through_a_journal(folder: Path, events: list[AnyEvent]) -> History:
    """What a reader of the journal of these events is told."""
    path = folder / "events.jsonl"
    journal = Journal(path)
    for event in events:
        journal.emit(event)
    journal.close()
    history = History()
    with Tail(path, packed=True) as tail:
        for event in tail:
            history.apply(event)
        assert not tail.flaws
    return history


def points(history: History, name: str) -> list[tuple[int, float]]:
    series = history.series[name]
    return list(zip(series.steps, series.values, strict=True))


def test_sparse_series_at_unlike_steps(tmp_path: Path) -> None:
    history = through_a_journal(tmp_path, [logged(50, loss=2.0), logged(77, acc=0.5), logged(100, loss=1.0, acc=0.75)])
    assert points(history, "loss") == [(50, 2.0), (100, 1.0)]
    assert points(history, "acc") == [(77, 0.5), (100, 0.75)]
    assert history.last_step == 100


@pytest.mark.parametrize("first", [0, 1, 1000])
def test_the_first_step_may_be_any(tmp_path: Path, first: int) -> None:
    history = through_a_journal(tmp_path, [logged(first, loss=2.0), logged(first + 7, loss=1.0)])
    assert points(history, "loss") == [(first, 2.0), (first + 7, 1.0)]


def test_what_was_trained_again_takes_the_place_and_the_old_part_is_kept(tmp_path: Path) -> None:
    told = [logged(step, loss=float(step)) for step in (10, 20, 30, 40)]
    history = through_a_journal(tmp_path, [*told, logged(20, loss=2.5), logged(30, loss=3.5)])
    assert points(history, "loss") == [(10, 10.0), (20, 2.5), (30, 3.5)]
    (attempt,) = history.series["loss"].attempts
    assert list(attempt.steps) == [20, 30, 40]
    assert list(attempt.values) == [20.0, 30.0, 40.0]


def test_a_number_told_again_at_its_step_is_no_other_attempt() -> None:
    history = fold([logged(10, loss=1.0), logged(20, loss=2.0), logged(20, loss=3.0)])
    assert points(history, "loss") == [(10, 1.0), (20, 3.0)]
    assert not history.series["loss"].attempts


def test_attempts_are_bounded() -> None:
    history = History()
    for _ in range(ATTEMPTS_KEPT + 5):
        for step in (1, 2, 3):
            history.apply(logged(step, loss=1.0))
    assert len(history.series["loss"].attempts) == ATTEMPTS_KEPT


def test_nan_and_infinities_are_values_as_they_were(tmp_path: Path) -> None:
    history = through_a_journal(tmp_path, [logged(1, a=nan), logged(2, a=inf), logged(3, a=-inf), logged(5, a=1.0)])
    series = history.series["a"]
    assert list(series.steps) == [1, 2, 3, 5]
    assert isnan(series.values[0])
    assert list(series.values[1:]) == [inf, -inf, 1.0]
    assert not any(series.is_missing(step) for step in range(1, 6))


def test_a_step_that_the_record_lost_is_told_from_one_that_was_nan() -> None:
    def steps(first: int, losses: list[float | None]) -> StepsTaken:
        return StepsTaken(
            at=1e9, step=first, epoch=1, batch=first, losses=losses, lrs=[0.1], elapsed=[1.0] * len(losses)
        )

    history = fold([steps(1, [1.0, None]), steps(6, [2.0]), steps(7, [3.0])])
    loss = history.series["train_loss"]
    assert [loss.is_missing(step) for step in range(1, 8)] == [False, False, True, True, True, False, False]
    assert [isnan(value) for value in loss.values] == [False, True, True, True, True, False, False]


def test_whole_numbers_beyond_what_a_float_holds_stay_exact(tmp_path: Path) -> None:
    large = 2**53 + 1
    history = through_a_journal(tmp_path, [logged(1, tokens=5), logged(2, tokens=large), logged(3, tokens=2**60)])
    tokens = history.series["tokens"]
    assert [tokens.exact(index) for index in range(3)] == [5, large, 2**60]  # type: ignore[attr-defined]
    assert tokens.values[1] == float(large)


def test_two_thousand_names_of_any_kind(tmp_path: Path) -> None:
    names = [f"layer {i}/wéight norm·{i}" for i in range(1999)] + ["ü" * 500]
    values = {name: float(i) for i, name in enumerate(names)}
    history = through_a_journal(tmp_path, [MetricsLogged(at=1e9, step=s, values=values) for s in (1, 2)])
    assert list(history.series) == names
    assert points(history, names[-1]) == [(1, 1999.0), (2, 1999.0)]


def test_no_end_and_no_epochs_are_known_of_a_language_model(tmp_path: Path) -> None:
    history = through_a_journal(tmp_path, [logged(step, loss=1.0, elapsed=step / 10) for step in (1000, 2000)])
    assert history.epoch_at(1500) is None
    assert history.clock_at(1500) == 100.0
    assert history.clock_at(999) is None
    assert history.recipe is None


def test_epochs_and_clock_of_sparse_series(tmp_path: Path) -> None:
    history = through_a_journal(
        tmp_path, [logged(10, loss=1.0, epoch=1, elapsed=1.0), logged(20, loss=1.0, epoch=2, elapsed=2.0)]
    )
    assert [history.epoch_at(step) for step in (9, 10, 19, 20, 25)] == [None, 1, 1, 2, 2]


def test_an_epoch_without_accuracy_survives_its_journal(tmp_path: Path) -> None:
    epoch = EpochEnded(
        at=1e9, epoch=1, step=3, train_loss=1.0, train_accuracy=nan, val_loss=0.5, val_accuracy=nan, lr=0.1,
        images_per_second=0.0, elapsed=1.0,
    )  # fmt: skip
    assert repr(decode(encode(epoch))) == repr(epoch)
    history = through_a_journal(tmp_path, [epoch])
    assert points(history, "val_loss") == [(3, 0.5)]
    assert "val_accuracy" not in history.series
    assert history.best is None
    assert history.series.objective == "val_loss"
    assert history.series.best("val_loss") == (3, 0.5)


def test_an_epoch_that_was_not_validated_has_no_validation_loss() -> None:
    trained = EpochEnded(
        at=1e9, epoch=1, step=3, train_loss=1.0, train_accuracy=0.5, val_loss=nan, val_accuracy=nan, lr=0.1,
        images_per_second=0.0, elapsed=1.0, validated=False,
    )  # fmt: skip
    diverged = msgspec.structs.replace(trained, validated=True)
    assert "val_loss" not in fold([trained]).series
    assert points(fold([diverged]), "val_loss")[0][0] == 3


def test_our_own_runs_have_the_same_numbers_as_series() -> None:
    history = fold(scripted_run(epochs=3, batches=7))
    assert list(history.series["train_loss"].values) == list(history.losses)
    assert list(history.series["lr"].values) == list(history.lrs)
    assert points(history, "val_accuracy") == [(epoch.step, epoch.val_accuracy) for epoch in history.epochs]
    assert history.series.objective == "val_accuracy"
    assert history.series.goal("train_loss") == "min"


def test_a_run_says_what_its_series_are() -> None:
    history = fold(
        [
            logged(1, **{"val/BLEU": 10.0, "val_loss": 2.0}),
            MetricDeclared(at=1e9, name="val/BLEU", goal="max", unit="%", kind="val", objective=True),
            logged(2, **{"val/BLEU": 30.0}),
            logged(3, **{"val/BLEU": nan}),
            logged(4, **{"val/BLEU": 30.0}),
        ]
    )
    assert history.series.objective == "val/BLEU"
    assert history.series.best("val/BLEU") == (2, 30.0)  # of equals the earliest
    assert history.series.group("val/BLEU") == "val"
    assert history.series.best("nothing") is None


def test_the_best_follows_what_took_another_ones_place() -> None:
    history = fold([MetricDeclared(at=1e9, name="acc", goal="max"), logged(1, acc=0.5), logged(2, acc=0.9)])
    assert history.series.best("acc") == (2, 0.9)
    history.apply(logged(2, acc=0.4))
    assert history.series.best("acc") == (1, 0.5)
    history.apply(logged(2, acc=0.6))
    assert history.series.best("acc") == (2, 0.6)


def test_a_resumed_run_tells_nothing_twice(tmp_path: Path) -> None:
    def begun(resumed: int | None) -> RunStarted:
        return RunStarted(at=1e9, run="r", schema=1, pid=1, host="h", resumed_from_step=resumed)

    events: list[AnyEvent] = [begun(None), *(logged(step, norm=float(step)) for step in (10, 20, 30))]
    again: list[AnyEvent] = [begun(10), logged(20, norm=20.0, other=1.0), logged(30, norm=30.0), logged(40, norm=40.0)]
    history = through_a_journal(tmp_path, events + again)
    assert points(history, "norm") == [(10, 10.0), (20, 20.0), (30, 30.0), (40, 40.0)]
    assert points(history, "other") == [(20, 1.0)]
    assert not history.series["norm"].attempts


def test_a_run_that_found_no_checkpoint_and_began_anew_loses_no_numbers(tmp_path: Path) -> None:
    def begun() -> RunStarted:
        return RunStarted(at=1e9, run="r", schema=2, pid=1, host="h")

    def steps(first: int) -> StepsTaken:
        return StepsTaken(at=1e9, step=first, epoch=1, batch=first, losses=[1.0] * 20, lrs=[0.1], elapsed=[1.0] * 20)

    told = [event for first in (1, 21, 41) for event in (steps(first), logged(first + 19, norm=float(first)))]
    history = through_a_journal(tmp_path, [begun(), *told, begun(), *told[:2]])
    assert points(history, "norm") == [(20, 1.0), (40, 21.0), (60, 41.0)]


def test_numbers_between_steps_are_packed_with_them(tmp_path: Path) -> None:
    def steps(first: int) -> StepsTaken:
        elapsed = [round(first / 10 + i / 10, 4) for i in range(20)]
        return StepsTaken(
            at=1e9 + first, step=first, epoch=1, batch=first, losses=[1.0] * 20, lrs=[0.1], elapsed=elapsed
        )

    events: list[AnyEvent] = []
    for first in range(1, 4001, 20):
        events += [steps(first), logged(first + 19, elapsed=round(first / 10 + 1.9, 4), norm=float(first))]
    with patch.object(journal_cache, "BLOCK", 20_000):
        history = through_a_journal(tmp_path, events)
    expected = fold(events)
    assert history.version < len(events) / 5
    history.version = expected.version
    assert state_of(history) == state_of(expected)


@pytest.mark.parametrize("packed", [True, False])
def test_a_million_rows_take_few_events_packed_or_not(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path)
    told = [logged(step, elapsed=step / 10, loss=1 / (1 + step), epoch=step // 1000) for step in range(12_000)]
    told[6_000:6_000] = [logged(5_999, val_loss=0.5)]
    for event in told:
        journal.emit(msgspec.structs.replace(event, values={**event.values, "tokens": event.step}))
    journal.close()
    if not packed:
        (tmp_path / "events.packed").unlink()
    history = History()
    with Tail(path, packed=True) as tail:
        for event in tail:
            history.apply(event)
    assert history.version < 60
    assert list(history.series["tokens"].steps) == list(range(12_000))
    assert history.series.last("val_loss") == (5_999, 0.5)
    assert history.epoch_at(6_500) == 6


def test_whole_numbers_that_are_forgotten_or_told_again_take_no_room() -> None:
    history = History(forgets=True)
    for step in range(3 * KEPT):
        history.apply(logged(step, tokens=2**53 + 1 + 2 * step))
    series = history.series["tokens"]
    assert isinstance(series, LoggedSeries)
    assert len(series._whole) == len(series.steps) <= 2 * KEPT
    assert series.exact(-1 + len(series.steps)) == 2**53 + 1 + 2 * (3 * KEPT - 1)


def test_numbers_of_every_step_come_with_the_steps(tmp_path: Path) -> None:
    def steps(first: int, **metrics: list[float | None]) -> StepsTaken:
        return StepsTaken(
            at=1e9, step=first, epoch=1, batch=first, losses=[1.0, 2.0], lrs=[0.1], elapsed=[1.0, 2.0], metrics=metrics
        )

    history = through_a_journal(tmp_path, [steps(1, norm=[0.5, None]), steps(3), steps(5, norm=[0.75, 1.0])])
    series = history.series["norm"]
    assert list(series.steps) == [1, 2, 5, 6]
    assert isnan(series.values[1])
    assert [series.values[index] for index in (0, 2, 3)] == [0.5, 0.75, 1.0]


def of_each_step(first: int, losses: list[float | None]) -> StepsTaken:
    return StepsTaken(
        at=1e9, step=first, epoch=1, batch=first, losses=losses, lrs=[0.1] * len(losses), elapsed=[1.0] * len(losses)
    )


@pytest.mark.parametrize("before", [True, False])
def test_numbers_logged_by_the_name_of_a_series_of_every_step_hide_it_never(tmp_path: Path, before: bool) -> None:
    row = logged(0 if before else 5, lr=7.0, train_loss=8.0, norm=9.0)
    steps = of_each_step(1, [1.0, 2.0])
    history = through_a_journal(tmp_path, [row, steps] if before else [steps, row])
    assert points(history, "lr") == [(1, 0.1), (2, 0.1)]
    assert points(history, "train_loss") == [(1, 1.0), (2, 2.0)]
    assert points(history, "lr (logged)") == [(row.step, 7.0)]
    assert points(history, "train_loss (logged)") == [(row.step, 8.0)]
    assert points(history, "norm") == [(row.step, 9.0)]
    assert history.series["lr (logged)"].name == "lr (logged)"


def test_where_no_step_tells_them_they_have_their_names() -> None:
    history = fold([logged(10, lr=7.0, **{"lr (logged)": 6.0})])
    assert points(history, "lr") == [(10, 7.0)]
    assert points(history, "lr (logged)") == [(10, 6.0)]


def test_a_name_that_is_given_in_its_place_is_taken_from_no_other(tmp_path: Path) -> None:
    history = through_a_journal(
        tmp_path, [logged(0, lr=7.0, **{"lr (logged)": 6.0}), of_each_step(1, [1.0]), logged(5, **{"lr (logged)": 5.0})]
    )
    assert points(history, "lr") == [(1, 0.1)]
    assert points(history, "lr (logged)") == [(0, 7.0)]
    assert points(history, "lr (logged) (logged)") == [(0, 6.0), (5, 5.0)]


def test_who_kept_something_of_a_series_sees_that_another_has_its_name() -> None:
    history = fold([MetricDeclared(at=1e9, name="train_loss", goal="min"), logged(0, train_loss=0.25)])
    assert history.series.best("train_loss") == (0, 0.25)
    before = history.series["train_loss"].rewrites
    history.apply(of_each_step(1, [2.0, 1.5]))
    assert history.series["train_loss"].rewrites != before
    assert history.series.best("train_loss") == (2, 1.5)


def test_lengths_that_differ_are_no_event() -> None:
    line = (
        b'{"type":"StepsTaken","at":1,"step":1,"epoch":1,"batch":1,"losses":[1.0,2.0],"lrs":[0.1],"elapsed":[1,2],'
        b'"metrics":{"norm":[1.0]}}'
    )
    with pytest.raises(msgspec.ValidationError):
        decode(line)


@pytest.mark.parametrize(("digits", "kept"), [(18, 10**18 - 1), (19, 1e19), (400, inf)])
def test_a_whole_number_that_is_too_large_is_kept_as_a_float(digits: int, kept: float) -> None:
    event = decode(b'{"type":"MetricsLogged","at":1,"step":1,"values":{"a":' + b"9" * digits + b"}}")
    assert isinstance(event, MetricsLogged)
    assert event.values == {"a": kept}
    assert decode(encode(event)) == event


names = st.sampled_from(["loss", "val/acc", "lr-SGD/pg1", "lr", "ü", ""])
numbers = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(2**70), 2**70)
rows = st.builds(
    MetricsLogged,
    at=st.just(1e9),
    step=st.integers(0, 30),
    values=st.dictionaries(names, numbers, min_size=1, max_size=4),
    epoch=st.none() | st.integers(0, 5),
    elapsed=st.none() | st.floats(0, 100),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows | st.integers(1, 30).map(lambda step: of_each_step(step, [1.0])), max_size=40))
def test_live_replayed_and_in_pieces_are_equal(tmp_path: Path, events: list[AnyEvent]) -> None:
    (tmp_path / "events.jsonl").unlink(missing_ok=True)
    (tmp_path / "events.packed").unlink(missing_ok=True)
    assert state_of(through_a_journal(tmp_path, events)) == state_of(fold(events))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows | st.integers(1, 30).map(lambda step: of_each_step(step, [1.0])), max_size=60), st.booleans())
def test_lines_that_are_merged_come_to_the_same(tmp_path: Path, events: list[AnyEvent], alike: bool) -> None:
    """However few rows are looked at together."""
    (tmp_path / "events.jsonl").unlink(missing_ok=True)
    (tmp_path / "events.packed").unlink(missing_ok=True)
    if alike:  # rows of one table, mostly
        events = [
            logged(step, loss=event.values.get("loss", step), tokens=2**53 + step)
            if isinstance(event, MetricsLogged)
            else event
            for step, event in enumerate(events)
        ]
    with (
        patch("tui_trainer.records.tail.MANY", 1),
        patch.object(merging, "LEAST_ROWS", 2),
        patch.object(merging, "LEAST_IN_A_TABLE", 3),
    ):
        history, expected = through_a_journal(tmp_path, events), fold(events)
    history.version = expected.version
    assert state_of(history) == state_of(expected)


def test_a_clock_that_falls_is_read_as_high_in_merged_lines(tmp_path: Path) -> None:
    falling = [logged(0, loss=0.0), of_each_step(15, [1.0]), logged(2, loss=0.0), of_each_step(16, [1.0])]
    assert falling[2].at > falling[3].at
    with patch("tui_trainer.records.tail.MANY", 1):
        history, expected = through_a_journal(tmp_path, falling), fold(falling)
    history.version = expected.version
    assert state_of(history) == state_of(expected)


@given(st.lists(rows, max_size=40))
def test_steps_always_rise_and_the_latest_value_of_each_stands(events: list[MetricsLogged]) -> None:
    history = fold(list(events))
    for name, series in history.series.items():
        steps = list(series.steps)
        assert steps == sorted(set(steps))
        told = [(event.step, event.values[name]) for event in events if name in event.values]
        last_at: dict[int, int] = {step: place for place, (step, _) in enumerate(told)}
        for step, value in zip(steps, series.values, strict=True):
            assert repr(float(told[last_at[step]][1])) == repr(value)
        # A step is gone only where something at or before it was logged later.
        for place, (step, _) in enumerate(told):
            if step not in steps:
                assert any(later <= step for later, _ in told[place + 1 :])


# However many there are


@pytest.mark.says("record.too_many_series")
def test_more_series_than_are_kept_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    many = [f"m{number}" for number in range(12)]
    events: list[AnyEvent] = [
        RunStarted(at=1.0, run="r", schema=2, pid=1, host="h"),
        *(logged(step, **dict.fromkeys(many[step * 3 :][:3], 1.0)) for step in range(4)),
        logged(9, m0=2.0, m11=2.0, val_loss=0.5),
    ]
    with patch("tui_trainer.records.series.MOST_SERIES", 7):
        live, read = fold(events), through_a_journal(tmp_path, events)
        (tmp_path / "run.json").write_text("{}")
        summary = summarize(tmp_path)
    for history in (live, read):
        assert list(history.series) == [*many[:7], "val_loss"]
        assert history.series.last("m0") == (9, 2.0)
        assert history.known.flaws.in_words() == [TOO_MANY]
    assert list(summary.metrics) == list(live.series)
    assert TOO_MANY in summary.flaws


TOO_MANY = "the record has more than 20,000 series; those that came after them are left out."


@pytest.mark.never_says("record.too_many_series")
def test_as_many_as_are_kept_are_not(tmp_path: Path) -> None:
    with patch("tui_trainer.records.series.MOST_SERIES", 7):
        history = fold([logged(1, **{f"m{number}": 1.0 for number in range(7)}), logged(2, m0=1.0)])
    assert not history.known.flaws.in_words()


def test_a_journal_of_hundreds_of_thousands_of_names_is_no_feast(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    with (tmp_path / "events.jsonl").open("wb") as file:
        file.write(encode(RunStarted(at=1.0, run="r", schema=2, pid=1, host="h")))
        for line in range(20):
            file.write(encode(logged(line, **{f"{line}-{number}": 1.0 for number in range(10_000)})))
    summary = summarize(tmp_path)
    assert len(summary.metrics) == MOST_SERIES
    assert TOO_MANY in summary.flaws
