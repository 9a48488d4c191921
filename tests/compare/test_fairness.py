"""Whether a comparison is fair: in each case what is said of it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.compare.made import compared, record, rewritten, seeds, session_of
from tui_trainer.cli.compare_reporter import CompareReporter
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.fairness import fairness
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.events import AnyEvent, Digests, EpochEnded, EpochsChanged, RunConfigured, decode_lines
from tui_trainer.lr_reasons import changed
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.text.reasons import Reason

OLD: dict[str, Any] = {"digests": Digests(), "augmentation": ""}


def two(runs: Path, **changes: Any) -> Comparison:
    """StepLR as it is, and none with other conditions."""
    return compared(runs, [record(runs), record(runs, scheduler="none", changes=changes)])


def on_another_machine(runs: Path) -> Comparison:
    made = [record(runs), record(runs, scheduler="none")]
    events = list(decode_lines((made[1] / "events.jsonl").read_bytes()))
    rewritten(made[1], [msgspec.structs.replace(events[0], host="elsewhere"), *events[1:]])
    return compared(runs, made)


@pytest.mark.parametrize(
    ("made", "is_ranked"),
    [
        (two, True),
        (on_another_machine, False),
        (lambda runs: two(runs, device="cuda:0"), False),
        (lambda runs: two(runs, versions={"torch": "1.0"}), True),
    ],
)
def test_in_seconds_nobody_is_best_where_machines_differ(
    tmp_path: Path, made: Callable[[Path], Comparison], is_ranked: bool
) -> None:
    comparison = made(tmp_path)
    first = comparison.runs[0]
    first.history.epochs[:] = [msgspec.structs.replace(each, images_per_second=1e6) for each in first.history.epochs]
    first.group.happened_to(first)
    assert ("images_per_second" in find_out(comparison).table.best) is is_ranked


def with_no_end(runs: Path) -> Comparison:
    made = [record(runs), record(runs, scheduler="none")]
    rewritten(
        made[1],
        [
            msgspec.structs.replace(event, recipe=msgspec.structs.replace(event.recipe, epochs=None))
            if isinstance(event, RunConfigured)
            else event
            for event in decode_lines((made[1] / "events.jsonl").read_bytes())
        ],
    )
    return compared(runs, made)


def dialled(runs: Path) -> Comparison:
    """The LR dial of the first run was turned twice."""
    made = [record(runs), record(runs, scheduler="none")]
    events: list[AnyEvent] = list(decode_lines((made[0] / "events.jsonl").read_bytes()))
    last = next(i for i, event in enumerate(events) if isinstance(event, EpochEnded))
    turned = [
        changed(0.001, lr, Reason("dial_turned", {"by": "shell", "factor": lr / 0.001}), 1, events[last].step, 0.0)
        for lr in (0.0005, 0.0001)
    ]
    rewritten(made[0], [*events[: last + 1], *turned, *events[last + 1 :]])
    return compared(runs, made)


def given_more(runs: Path) -> Comparison:
    """The first run was given more epochs while it trained."""
    made = [record(runs), record(runs, scheduler="none")]
    events: list[AnyEvent] = list(decode_lines((made[0] / "events.jsonl").read_bytes()))
    first = next(i for i, event in enumerate(events) if isinstance(event, EpochEnded))
    recipe = next(event.recipe for event in events if isinstance(event, RunConfigured))
    longer = msgspec.structs.replace(recipe, epochs=4)
    more = EpochsChanged(at=0.0, step=events[first].step, epoch=1, old=3, recipe=longer, by="shell")
    rewritten(made[0], [*events[: first + 1], more, *events[first + 1 :]])
    return compared(runs, made)


def of_several_batches(runs: Path) -> Comparison:
    """The second run makes a step of four batches."""
    made = [record(runs), record(runs, scheduler="none")]
    rewritten(
        made[1],
        [
            msgspec.structs.replace(event, recipe=msgspec.structs.replace(event.recipe, accumulate=4))
            if isinstance(event, RunConfigured)
            else event
            for event in decode_lines((made[1] / "events.jsonl").read_bytes())
        ],
    )
    return compared(runs, made)


def begun_anew(runs: Path) -> Comparison:
    session = session_of(runs, [record(runs), record(runs, scheduler="none")])
    entries = [msgspec.structs.replace(entry, given_up=("lost-run",)) for entry in session.entries[:1]]
    comparison = Comparison(type(session).create(runs, [*entries, *session.entries[1:]]))
    comparison.poll_all()
    return comparison


FAIR = {"fairness.fair", "fairness.proven", "fairness.short_fair"}
BUT = {"fairness.fair", "fairness.proven", "fairness.short_but"}
UNLIKE = {"fairness.not_alike", "fairness.same", "fairness.short_not_alike"}


def table(folder: Path) -> Path:
    path = folder / "metrics.csv"
    path.write_text("step,loss\n1,0.5\n")
    return path


CASES: dict[str, tuple[Callable[[Path], Comparison], set[str], list[str]]] = {
    "nothing trained": (
        lambda runs: compared(runs, [], ["none"]),
        {"fairness.nothing_trained"},
        ["Is it fair? Nothing has been trained."],
    ),
    "records that nobody has read yet": (
        lambda runs: Comparison(session_of(runs, [record(runs), record(runs, scheduler="none")])),
        {"fairness.reading"},
        ["Whether it is fair is known once the records are read."],
    ),
    "of another tool's alone": (
        lambda runs: compared(runs / "runs", [table(runs)]),
        {"fairness.others_untold"},
        ["Is it fair? On what other tools have trained, their records do not say."],
    ),
    "one alone": (
        lambda runs: compared(runs, [record(runs)], ["none"]),
        {"fairness.only_one"},
        ["Is it fair? Nothing to set against it: data, split, model, ", " as recorded."],
    ),
    "alike": (
        two,
        FAIR,
        [
            "Fair: same data, split, model, initial weights, ",
            " (data, initial weights and batch order by digest, to the bit).",
            "Fair: nothing but the presets differs.",
        ],
    ),
    "steps of several batches": (
        of_several_batches,
        UNLIKE | {"fairness.proven"},
        ["batch order: ", "batches of 64", "batches of 4 × 64"],
    ),
    "other weights": (
        lambda runs: two(runs, seed=5),
        UNLIKE | {"fairness.proven"},
        ["Not like for like: initial weights: seed 0, cnn", "Same data, ", "Not like for like: other initial weights"],
    ),
    "other threads": (
        lambda runs: two(runs, threads=7),
        BUT | {"fairness.rounding_and_seconds"},
        ["Rounding may differ, and seconds cannot be compared: threads: ", "Fair but for threads."],
    ),
    "another device": (
        lambda runs: two(runs, device="cuda:0"),
        BUT | {"fairness.rounding_and_seconds"},
        ["Rounding may differ, and seconds cannot be compared: device: ", "Fair but for device."],
    ),
    "other versions": (
        lambda runs: two(runs, versions={"torch": "1.0"}),
        BUT | {"fairness.rounding"},
        ["Rounding may differ, and training amplifies it: versions: ", "Fair but for versions."],
    ),
    "another machine": (
        on_another_machine,
        BUT | {"fairness.seconds"},
        ["Seconds cannot be compared: machine: ", "elsewhere (none)", "Fair but for machine."],
    ),
    "no end known": (
        with_no_end,
        UNLIKE | {"fairness.proven", "fairness.not_known"},
        ["epochs: 3 epochs (steplr); not known (none)"],
    ),
    "an old record": (
        lambda runs: two(runs, **OLD),
        {"fairness.fair_as_told", "fairness.not_told_by", "fairness.short_as_told"},
        [
            "Fair as far as is told: same split, model, ",
            "Not told by none: data, initial weights, batch order and augmentation.",
            "Fair as far as is told; not told: data, initial weights, batch order and augmentation.",
        ],
    ),
    "an old record and an unlike one": (
        lambda runs: compared(
            runs,
            [
                record(runs),
                record(runs, scheduler="none", changes=OLD),
                record(runs, scheduler="OneCycleLR", changes={"seed": 3}),
            ],
        ),
        UNLIKE | {"fairness.not_told", "fairness.not_told_by"},
        ["initial weights: seed 0, cnn (steplr); seed 3, cnn (onecycle); not told (none)"],
    ),
    "a switch": (
        lambda runs: compared(runs, [record(runs, switch_at=2), record(runs, scheduler="none")]),
        FAIR | {"fairness.switched"},
        ["steplr switched to onecycle in epoch 2."],
    ),
    "an LR set by hand": (dialled, FAIR | {"fairness.dialled"}, ["steplr had its LR set by hand, from step "]),
    "other epochs by hand": (
        given_more,
        UNLIKE | {"fairness.proven", "fairness.epochs"},
        ["steplr was given 4 epochs instead of 3 after step 20."],
    ),
    "begun anew": (
        begun_anew,
        FAIR | {"fairness.begun_anew"},
        ["steplr was begun anew: lost-run had no checkpoint to go on from."],
    ),
    "seeds": (
        lambda runs: seeds(runs, {"a": [{"seed": 0}, {"seed": 1}], "b": [{"seed": 0}, {"seed": 1}]}),
        FAIR,
        ["Fair: same data, "],
    ),
}


@pytest.mark.says("fairness.*")
@pytest.mark.never_says("fairness.*")
@pytest.mark.parametrize("case", CASES)
def test_this_is_said_and_nothing_else(case: str, tmp_path: Path, captions_said: set[str]) -> None:
    of, ids, words = CASES[case]
    fair = fairness(of(tmp_path))
    told = "\n".join([*fair.words, fair.short])
    for each in words:
        assert each in told
    assert {id for id in captions_said if id.startswith("fairness.")} == ids


@pytest.mark.says("line.begins_anew")
def test_a_comparison_without_a_screen_says_it_as_the_run_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = begun_anew(tmp_path)
    comparison.runs[0].entry = msgspec.structs.replace(comparison.runs[0].entry, asked={})
    CompareReporter(comparison).tell_news()
    assert "begins anew: lost-run had no checkpoint to go on from\n" in capsys.readouterr().out


@pytest.mark.never_says("line.begins_anew")
def test_of_other_runs_it_does_not(tmp_path: Path, captions_said: set[str]) -> None:
    CompareReporter(two(tmp_path)).tell_news()
    assert "line.begins_anew" not in captions_said


def test_each_is_said_in_a_case() -> None:
    assert set().union(*(ids for _, ids, _ in CASES.values())) == {id for id in CAPTIONS if id.startswith("fairness.")}
