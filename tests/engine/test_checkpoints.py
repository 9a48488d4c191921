"""A checkpoint is what was saved, or it is said what is wrong with it; and nothing is left beside it."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine import tiny as t
from tests.engine.test_resume import EPOCHS, assert_equal, numbers, older, stop_after
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.engine import checkpoints
from tui_trainer.engine.checkpoints import BEST, LAST, LAST_BUT_ONE, BadCheckpoint
from tui_trainer.events import Alert, CheckpointSaved


def stop(tiny: TinyRun, text: str) -> None:
    """Train into the second epoch, and no further: there are all three checkpoints then."""
    stop_after(tiny, BATCHES + 1)
    tiny.train(text, EPOCHS)
    tiny.when.clear()


def whole_and_stopped(tiny: TinyRun, text: str) -> dict[str, Any]:
    """What a whole run comes to; the same one stands stopped in its second epoch then."""
    tiny.train(text, EPOCHS)
    whole = numbers(tiny)
    tiny.events.clear()
    stop(tiny, text)
    return whole


@pytest.fixture
def stopped(tiny: TinyRun) -> TinyRun:
    """A run that was stopped in its second epoch, and has all three checkpoints."""
    stop(tiny, t.STEP)
    tiny.events.clear()
    return tiny


def notices(tiny: TinyRun) -> list[str]:
    return [event.text for event in tiny.of(Alert) if event.kind == "checkpoint"]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.slow
@pytest.mark.parametrize("make", [lambda file: None, older], ids=["new", "older"])
def test_a_bit_that_flipped_anywhere_is_found_or_changes_nothing(
    stopped: TinyRun, make: Callable[[Path], None]
) -> None:
    last = stopped.folder / LAST
    make(last)
    whole, state = last.read_bytes(), checkpoints.load(last)
    # All of what is not numbers, and a part of the numbers: they are most of it.
    rng = random.Random(0)
    places = [*range(0, len(whole), 1499), *rng.sample(range(len(whole)), 50), *range(len(whole) - 60, len(whole))]
    places += range(0, whole.index(b"PK\x03\x04", 4), 97)
    found = 0
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.randrange(8)
        last.write_bytes(flipped)
        try:
            assert same(checkpoints.load(last), state), f"bit of byte {place}"
        except BadCheckpoint:
            found += 1
    assert found > len(places) / 2


def flip_in(file: Path, key: str) -> None:
    """Flip a bit in the middle of a weight."""
    content = bytearray(file.read_bytes())
    numbers_ = checkpoints.load(file)["model"][key].numpy().tobytes()
    content[content.index(numbers_) + len(numbers_) // 2] ^= 4
    file.write_bytes(content)


@pytest.mark.says("checkpoint.changed")
@pytest.mark.never_says("checkpoint.missing", "checkpoint.no_checksums", "checkpoint.changed_inside")
def test_a_bit_that_flipped_in_a_weight_is_told_with_file_and_key(stopped: TinyRun) -> None:
    last = stopped.folder / LAST
    key = next(iter(checkpoints.load(last)["model"]))
    flip_in(last, key)
    with pytest.raises(BadCheckpoint) as refused:
        checkpoints.load(last)
    assert str(refused.value) == f"{last} is damaged: model.{key} is not what was saved"


@pytest.mark.says("checkpoint.changed_inside")
@pytest.mark.never_says("checkpoint.changed", "checkpoint.no_checksums", "checkpoint.changed_inside")
def test_one_of_an_older_form_tells_which_of_its_files_is_damaged(stopped: TinyRun, captions_said: set[str]) -> None:
    last = stopped.folder / LAST
    older(last)
    captions_said.clear()
    key = next(iter(checkpoints.load(last)["model"]))
    assert not {id for id in captions_said if id.startswith("checkpoint.")}
    flip_in(last, key)
    with pytest.raises(BadCheckpoint, match="in it is not what was saved"):
        checkpoints.load(last)
    assert {id for id in captions_said if id.startswith("checkpoint.")} == {"checkpoint.changed_inside"}


def test_a_damaged_last_checkpoint_is_passed_over_and_that_is_told(tiny: TinyRun) -> None:
    whole = whole_and_stopped(tiny, t.STEP)
    last = tiny.folder / LAST
    flip_in(last, next(iter(checkpoints.load(last)["model"])))
    tiny.train(t.STEP, EPOCHS, resume=True)
    (told,) = notices(tiny)
    assert told.startswith(f"{last} is damaged: model.")
    assert told.endswith(f"; going on from {LAST_BUT_ONE}, saved after step {BATCHES}")
    assert torch.equal(*(numbers_["weights"][next(iter(whole["weights"]))] for numbers_ in (numbers(tiny), whole)))


def test_a_damaged_last_checkpoint_never_takes_the_place_of_the_sound_one_before_it(stopped: TinyRun) -> None:
    (stopped.folder / LAST).write_bytes(b"torn")
    stop_after(stopped, BATCHES + 1)
    stopped.train(t.STEP, EPOCHS, resume=True)
    assert len(stopped.of(CheckpointSaved)) == 1
    assert checkpoints.load(stopped.folder / LAST)["step"] == BATCHES + 1
    assert checkpoints.load(stopped.folder / LAST_BUT_ONE)["step"] == BATCHES


def test_nothing_is_told_where_the_last_checkpoint_is_sound(stopped: TinyRun) -> None:
    stopped.train(t.STEP, EPOCHS, resume=True)
    assert notices(stopped) == []


def test_where_the_last_two_are_no_good_the_best_one_serves(stopped: TinyRun) -> None:
    for name in (LAST, LAST_BUT_ONE):
        (stopped.folder / name).unlink()  # best.pt may be the same file by another name
        (stopped.folder / name).write_bytes(b"torn")
    assert stopped.train(t.STEP, EPOCHS, resume=True).status == "finished"
    told = [f"{stopped.folder / name} is not a whole checkpoint" for name in (LAST, LAST_BUT_ONE)]
    assert notices(stopped) == [f"{text}; going on from {BEST}, saved after step {BATCHES}" for text in told]


def test_checkpoints_without_checksums_are_gone_on_from(tiny: TinyRun) -> None:
    whole = whole_and_stopped(tiny, t.ONE_CYCLE)
    for name in (LAST, LAST_BUT_ONE, BEST):
        older(tiny.folder / name)
    tiny.train(t.ONE_CYCLE, EPOCHS, resume=True)
    assert notices(tiny) == []
    assert_equal(numbers(tiny), whole)


def without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        for key in path[:-1]:
            state = state[key]  # type: ignore[index]
        del state[path[-1]]  # type: ignore[arg-type]

    return change


def wider(state: dict[str, Any]) -> None:
    state["model"]["1.weight"] = torch.zeros(256, 65)


def narrow_moment(state: dict[str, Any]) -> None:
    state["optimizer"]["state"][0]["exp_avg"] = torch.zeros(3)


def whole_numbers(state: dict[str, Any]) -> None:
    state["optimizer"]["state"][0]["exp_avg"] = torch.zeros(256, 64, dtype=torch.int64)


UNFIT: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no step": (without("step"), "step is missing"),
    "no model": (without("model"), "model is missing"),
    "no weight": (without("model", "1.weight"), "model.1.weight is missing"),
    "another shape": (wider, "model.1.weight has the shape 256×65 where 256×64 should be"),
    "a surplus weight": (lambda s: s["model"].update(extra=torch.zeros(1)), "model.extra is not of this network"),
    "no groups": (without("optimizer", "param_groups"), "optimizer.param_groups is missing"),
    "no LR": (without("optimizer", "param_groups", 0, "lr"), "optimizer.param_groups.0.lr is missing"),
    "no moment": (without("optimizer", "state", 0, "exp_avg"), "optimizer.state.0.exp_avg (of 1.weight) is missing"),
    "a moment of another shape": (narrow_moment, "optimizer.state.0.exp_avg (of 1.weight) has the shape 3 where"),
    "a moment of whole numbers": (whole_numbers, "optimizer.state.0.exp_avg (of 1.weight) is of a wrong kind"),
    "a moment of one number": (
        lambda s: s["optimizer"]["state"][0].update(exp_avg=torch.tensor(3.0)),
        "optimizer.state.0.exp_avg (of 1.weight) has the shape of a single number where 256×64 should be",
    ),
    "another option": (
        lambda s: s["optimizer"]["param_groups"][0].update(eps=1.0),
        "optimizer.param_groups.0.eps is not that of the preset",
    ),
    "another schedule": (
        lambda s: s["scheduler"]["scheduler"].update(step_size=0),
        "scheduler.scheduler.step_size is not one of this schedule",
    ),
    "a step of another place": (lambda s: s.update(step=s["step"] + 1), "step cannot be"),
    "an epoch before the first": (lambda s: s.update(epoch=0), "epoch cannot be 0"),
    "no state of a weight": (without("optimizer", "state", 1), "optimizer.state.1."),
    "no place in the schedule": (without("scheduler", "steps"), "scheduler.steps is missing"),
    "no epoch in the schedule": (
        without("scheduler", "scheduler", "last_epoch"),
        "scheduler.scheduler.last_epoch is missing",
    ),
    "no preset": (without("preset"), "preset is missing"),
    "a preset that is none": (lambda s: s["preset"].update(optimizer={"name": "SGD"}), "does not fit"),
    "a switch to nothing": (lambda s: s.update(switch=["other", {"optimizer": 3}]), "does not fit"),
    "a moment too many": (
        lambda s: s["optimizer"]["state"][0].update(max_exp_avg_sq=torch.zeros(256, 64)),
        "optimizer.state.0.max_exp_avg_sq (of 1.weight) is not held by this optimizer",
    ),
    "a word for a number": (lambda s: s.update(step="3"), "step is of a wrong kind"),
}


def test_what_is_wrong_with_an_average_of_the_weights_is_named(tiny: TinyRun) -> None:
    text = f"ema_decay = 0.5\n{t.STEP}"
    tiny.train(text, 1)
    sound = {name: checkpoints.load(tiny.folder / name) for name in (LAST, BEST)}
    for change, words in (
        (without("ema"), "ema.model is missing"),
        (without("ema", "count"), "ema.count is of a wrong kind"),
        (lambda state: state["ema"].update(count=-1), "ema.count is of a wrong kind"),
        (without("ema", "model", "1.weight"), "ema.model.1.weight is missing"),
        (lambda state: state["ema"]["model"].update({"1.bias": torch.zeros(3)}), "ema.model.1.bias has the shape 3 "),
    ):
        for name, state in sound.items():
            changed = copy.deepcopy(state)
            change(changed)
            (tiny.folder / name).unlink(missing_ok=True)
            torch.save({**changed, "schema": 1}, tiny.folder / name)
        with pytest.raises(BadCheckpoint, match=words):
            tiny.train(text, 1, resume=True)


@pytest.mark.parametrize(("change", "words"), UNFIT.values(), ids=UNFIT)
def test_what_is_missing_in_a_checkpoint_or_of_another_shape_is_named_with_the_file(
    stopped: TinyRun, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    for name in (LAST, LAST_BUT_ONE, BEST):
        file = stopped.folder / name
        state = checkpoints.load(file)
        change(state)
        file.unlink()
        torch.save({**state, "schema": 1}, file)
    with pytest.raises(BadCheckpoint) as refused:
        stopped.train(t.STEP, EPOCHS, resume=True)
    assert f"{stopped.folder / LAST} does not fit: " in str(refused.value)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.says("checkpoint.unfit", "checkpoint.going_on_from")
@pytest.mark.never_says("checkpoint.unreadable", "checkpoint.changed")
def test_a_last_checkpoint_that_does_not_fit_is_passed_over_and_that_is_told(stopped: TinyRun) -> None:
    last = stopped.folder / LAST
    state = checkpoints.load(last)
    del state["model"]["1.weight"]
    torch.save({**state, "schema": 1}, last)
    assert stopped.train(t.STEP, EPOCHS, resume=True).status == "finished"
    assert notices(stopped) == [
        f"{last} does not fit: model.1.weight is missing; going on from {LAST_BUT_ONE}, saved after step {BATCHES}"
    ]


@pytest.mark.says("checkpoint.unreadable", "checkpoint.going_on_from")
@pytest.mark.never_says("checkpoint.unfit")
def test_a_checkpoint_that_is_no_file_is_waited_for_by_nobody(stopped: TinyRun) -> None:
    last = stopped.folder / LAST
    last.unlink()
    os.mkfifo(last)
    stopped.train(t.STEP, EPOCHS, resume=True)
    reason = "cannot be read: it is a named pipe, not a file"
    assert notices(stopped) == [f"{last} {reason}; going on from {LAST_BUT_ONE}, saved after step {BATCHES}"]
    assert last.is_file()


def stripped(state: dict[str, Any], *way: str) -> dict[str, Any]:
    """Without what stands there."""
    place = state
    for part in way[:-1]:
        place = place[part]
    del place[way[-1]]
    return state


@pytest.mark.says("checkpoint.*")
@pytest.mark.never_says(
    "checkpoint.changed", "checkpoint.missing", "checkpoint.no_checksums", "checkpoint.going_on_from"
)
@pytest.mark.parametrize(
    ("way", "words", "said"),
    [
        (("checksums",), "its checksums are missing", "checkpoint.no_checksums"),
        (("model", "1.weight"), "model.1.weight is missing", "checkpoint.missing"),
    ],
)
def test_what_is_gone_from_a_whole_checkpoint_is_named(
    stopped: TinyRun, way: tuple[str, ...], words: str, said: str, captions_said: set[str]
) -> None:
    last = stopped.folder / LAST
    captions_said.clear()
    checkpoints.load(last)
    assert not {id for id in captions_said if id.startswith("checkpoint.")}
    torch.save(stripped(torch.load(last, weights_only=True), *way), last)
    with pytest.raises(BadCheckpoint, match=words):
        checkpoints.load(last)
    assert {id for id in captions_said if id.startswith("checkpoint.")} == {said}


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


ALL = sorted([BEST, LAST, LAST_BUT_ONE])


def test_what_a_killed_process_left_is_gone_once_the_run_goes_on(stopped: TinyRun) -> None:
    for name in (".draft-4711", ".draft-4711-link", checkpoints.DRAFT, checkpoints.LINK):
        (stopped.folder / name).write_bytes(b"half a checkpoint")
    stopped.train(t.STEP, EPOCHS, resume=True)
    assert names(stopped.folder) == ALL


def test_a_process_killed_between_two_renames_has_the_next_save_leave_nothing_behind(stopped: TinyRun) -> None:
    last, before = stopped.folder / LAST, stopped.folder / LAST_BUT_ONE
    before.unlink()
    before.hardlink_to(last)  # as it was when the new one was still to take its place
    saved = checkpoints.load(last)
    checkpoints.save(saved, stopped.folder)
    assert names(stopped.folder) == ALL
    assert same(checkpoints.load(before), saved)


def test_a_draft_that_is_the_best_checkpoint_by_another_name_is_not_written_into(stopped: TinyRun) -> None:
    # Killed after it was given the name of the best one, and before that of the last one.
    best = stopped.folder / BEST
    content = best.read_bytes()
    for name in (checkpoints.DRAFT, checkpoints.LINK):
        (stopped.folder / name).hardlink_to(best)
        assert checkpoints.save(checkpoints.load(stopped.folder / LAST), stopped.folder) == {}
        assert best.read_bytes() == content
    assert names(stopped.folder) == ALL


@pytest.mark.says("checkpoint.not_saved", "checkpoint.none_saved", "checkpoint.lacking")
@pytest.mark.never_says("checkpoint.still_of")
@pytest.mark.parametrize("linked", [True, False], ids=["links", "no links"])
def test_a_file_that_cannot_be_replaced_is_told_alone_and_nothing_is_left_behind(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    if not linked:
        monkeypatch.setattr(os, "link", refuse)
    replace, missing = Path.replace, BEST

    def replace_others(self: Path, target: Path) -> Path:
        if target.name == missing:
            refuse()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_others)
    monkeypatch.setattr("tui_trainer.engine.trainer.validate", lambda *args: (0.5, 0.5))
    ended = tiny.train(t.STEP, 2)
    assert names(tiny.folder) == sorted([LAST, LAST_BUT_ONE])
    assert notices(tiny) == ["best.pt, of epoch 1, was not saved: Operation not permitted"]
    assert [(e.epoch, e.file, e.best) for e in tiny.of(CheckpointSaved)] == [
        (1, "checkpoints/last.pt", False),
        (2, "checkpoints/last.pt", False),
    ]
    why = "the best checkpoint, of epoch 1, could not be saved: Operation not permitted"
    assert (ended.status, ended.reason, ended.exit_code) == ("finished", f"all epochs done; {why}", 1)

    missing = LAST
    for file in tiny.folder.iterdir():
        file.unlink()
    tiny.events.clear()
    ended = tiny.train(t.STEP, 2)
    assert names(tiny.folder) == [BEST]
    assert notices(tiny) == [
        "last.pt, of epoch 1, was not saved: Operation not permitted",
        "no checkpoint of epoch 2 was saved: Operation not permitted",
    ]
    assert [(e.epoch, e.file, e.best) for e in tiny.of(CheckpointSaved)] == [(1, "checkpoints/best.pt", True)]
    assert "the last checkpoint, of epoch 2, could not be saved: " in ended.reason


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_where_there_are_no_links_the_best_one_is_a_private_copy(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse)
    before = os.umask(0)
    try:
        tiny.train(t.STEP, 2)
    finally:
        os.umask(before)
    assert names(tiny.folder) == ALL
    assert {file.stat().st_mode & 0o777 for file in tiny.folder.iterdir()} == {0o600}
    for file in tiny.folder.iterdir():
        checkpoints.load(file)


@pytest.mark.says("checkpoint.lacking", "checkpoint.still_of")
def test_the_end_names_the_checkpoint_that_could_not_be_saved_and_what_is_there_instead(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = iter([(0.5, 0.5), (0.5, 0.6), (0.5, 0.4)])
    monkeypatch.setattr("tui_trainer.engine.trainer.validate", lambda *args: next(outcomes))
    create = checkpoints.new_file

    def full_after_the_first(file: Path, *, private: bool) -> object:
        if tiny.of(CheckpointSaved):
            raise OSError(28, "No space left on device")
        return create(file, private=private)

    monkeypatch.setattr(checkpoints, "new_file", full_after_the_first)
    ended = tiny.train(t.STEP, 3)
    why = "No space left on device"
    assert ended.reason == (
        f"all epochs done; the best checkpoint, of epoch 2, could not be saved (best.pt is still of epoch 1): {why}; "
        f"the last checkpoint, of epoch 3, could not be saved (last.pt is still of epoch 1): {why}"
    )
    assert ended.exit_code == 1


@pytest.mark.says("end.all_epochs")
@pytest.mark.never_says("checkpoint.none_saved", "checkpoint.not_saved", "checkpoint.lacking")
def test_the_end_names_none_where_the_last_and_the_best_could_be_saved_in_the_end(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    outcomes = iter([(0.5, 0.5), (0.5, 0.6)])
    monkeypatch.setattr("tui_trainer.engine.trainer.validate", lambda *args: next(outcomes))
    create = checkpoints.new_file

    def full_at_first(file: Path, *, private: bool) -> object:
        if not tiny.of(Alert):
            raise OSError(28, "No space left on device")
        return create(file, private=private)

    monkeypatch.setattr(checkpoints, "new_file", full_at_first)
    ended = tiny.train(t.STEP, 2)
    assert (ended.reason, ended.exit_code) == ("all epochs done", 0)
    tiny.events.clear()
    monkeypatch.setattr(checkpoints, "new_file", create)
    captions_said.clear()
    outcomes = iter([(0.5, 0.5), (0.5, 0.6)])
    tiny.train(t.STEP, 2)
    assert not {id for id in captions_said if id.startswith("checkpoint.")}


def test_a_file_system_that_makes_no_folder_last_has_saved_the_checkpoint(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def files_alone(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(22, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", files_alone)
    assert tiny.train(t.STEP, 2).exit_code == 0
    assert notices(tiny) == []


@pytest.mark.never_says("checkpoint.unfit", in_all_cases=False)
@pytest.mark.says("checkpoint.value_missing", "checkpoint.wrong_kind", "checkpoint.other_shape", "checkpoint.not_held")
@pytest.mark.says("checkpoint.single_number")
@pytest.mark.never_says("checkpoint.value_missing", "checkpoint.wrong_kind", "checkpoint.other_shape")
@pytest.mark.never_says("checkpoint.not_held", "checkpoint.single_number", "checkpoint.unreadable")
def test_what_does_not_fit_is_said_of_what_does_not_alone(stopped: TinyRun, captions_said: set[str]) -> None:
    captions_said.clear()
    last = stopped.folder / LAST
    whole = checkpoints.load(last)
    stopped.train(t.STEP, EPOCHS, resume=True)
    assert not {id for id in captions_said if id.startswith("checkpoint.")}
    for name in ("no moment", "a moment of whole numbers", "a moment of one number", "a moment too many"):
        change, words = UNFIT[name]
        checkpoints.save(whole, stopped.folder)
        state = checkpoints.load(last)
        change(state)
        torch.save({**state, "schema": 1}, last)
        captions_said.clear()
        stopped.events.clear()
        stopped.train(t.STEP, EPOCHS, resume=True)
        assert words in notices(stopped)[0]
