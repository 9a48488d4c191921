"""TensorBoard's event files are read as what they are: live, torn, damaged, in several files and of several writers."""

from __future__ import annotations

import os
import struct
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.foreign_records.event_files import (
    VERSION,
    block,
    event,
    event_file,
    frame,
    number,
    scalar,
    scalars,
    start,
    tensor,
    varint,
)
from tests.foreign_records.followed import Followed, Numbers
from tui_trainer.foreign_records import tensorboard, tensorboard_file
from tui_trainer.foreign_records.crc32c import masked_crc32c, masked_crc32c_of_rows, windows_of_eight
from tui_trainer.foreign_records.tensorboard import TensorBoard
from tui_trainer.records.errors import RunsError

KIND = TensorBoard()


def halves(steps: range | list[int]) -> Numbers:
    return {step: step / 2 for step in steps}


def test_the_crc_is_the_one_of_the_standard() -> None:
    # RFC 3720, B.4: 32 bytes of zeros have 8a9136aa, the numbers 0 to 31 have 46dd794e.
    for data, crc in ((bytes(32), 0x8A9136AA), (bytes(range(32)), 0x46DD794E)):
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        rows = np.frombuffer(data * 3, np.uint8).reshape(3, 32)
        assert masked_crc32c(data) == masked
        assert masked_crc32c_of_rows(rows).tolist() == [masked] * 3


@given(st.binary(min_size=8, max_size=40))
def test_all_ways_to_the_crc_are_one(data: bytes) -> None:
    rows = np.frombuffer(data, np.uint8)
    assert masked_crc32c_of_rows(rows.reshape(1, -1)).tolist() == [masked_crc32c(data)]
    assert windows_of_eight(rows).tolist() == [masked_crc32c(data[at : at + 8]) for at in range(len(data) - 7)]


# What an event may hold

KINDS: dict[str, tuple[bytes, float | int]] = {
    "simple_value": (scalar("x", 0.5), 0.5),
    "float_val": (tensor("x", 1, block(5, struct.pack("<f", 3.25)), "scalars"), 3.25),
    "tensor_content": (tensor("x", 1, block(4, struct.pack("<f", 0.5)), "scalars"), 0.5),
    "double": (tensor("x", 2, block(6, struct.pack("<d", 0.1)), "scalars"), 0.1),
    "double content": (tensor("x", 2, block(4, struct.pack("<d", -inf))), -inf),
    "int64": (tensor("x", 9, block(10, varint(-3)), "scalars"), -3),
    "int32 content": (tensor("x", 3, block(4, struct.pack("<i", -7)), "scalars"), -7),
    "half": (tensor("x", 19, block(4, struct.pack("<e", 1.5)), "scalars"), 1.5),
    "of one element": (tensor("x", 1, block(5, struct.pack("<f", 2.0)), "", (1,)), 2.0),
    "zero left out": (tensor("x", 1, b"", "scalars"), 0.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_is_read_in_each_form_alone_and_among_many(kind: str, tmp_path: Path) -> None:
    value, expected = KINDS[kind]
    event_file(tmp_path / "one", frame(event(3, value)))
    event_file(tmp_path / "many", b"".join(frame(event(step, value)) for step in range(200, 260)))
    assert Followed(KIND, tmp_path / "one").all_numbers == {"x": {3: expected}}
    assert Followed(KIND, tmp_path / "many").all_numbers == {"x": dict.fromkeys(range(200, 260), expected)}


@pytest.mark.says("foreign.not_drawn")
def test_what_is_no_number_is_counted_and_said(tmp_path: Path) -> None:
    others = [
        tensor("text", 7, block(8, "words"), "text"),
        tensor("weights", 2, block(4, bytes(48)), "histograms", (2, 3)),
        tensor("matrix", 1, block(4, bytes(8)), "", (2,)),
        block(1, "old") + block(5, b""),
        block(1, "picture") + block(4, b""),
    ]
    event_file(tmp_path, frame(event(1, *others, scalar("x", 1.0))) + scalars("x", range(2, 40)))
    followed = Followed(KIND, tmp_path)
    assert followed.all_numbers == {"x": {1: 1.0} | halves(range(2, 40))}
    assert followed.flaws == ["left out: 2 histograms, 1 image, 1 other value, 1 text"]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["loss", "a/b", "val/accuracy", "ü", ""]),
            st.integers(0, 2**62),
            st.floats(width=32),
        ),
        max_size=80,
    )
)
def test_read_as_columns_is_the_same_as_one_by_one(tmp_path_factory: pytest.TempPathFactory, told: list[tuple]) -> None:
    content = b"".join(frame(event(step, scalar(tag, value))) for tag, step, value in told)
    path = event_file(tmp_path_factory.mktemp("events"), content)
    few = tensorboard_file.FEW
    try:
        columns = repr([*tensorboard_file.EventFile(path, 0, "").read()])
        tensorboard_file.FEW = 10_000
        assert repr(sorted(_pairs(path))) == repr(sorted(_pairs(path, few)))
    finally:
        tensorboard_file.FEW = few
    assert columns.count("Points") == len({tuple(step for tag, step, _ in told if tag == name) for name, _, _ in told})


def _pairs(path: Path, few: int | None = None) -> list[tuple[str, int, str]]:
    tensorboard_file.FEW = few or tensorboard_file.FEW
    return [
        (name, step, repr(value))
        for points in tensorboard_file.EventFile(path, 0, "").read()
        for name, values in points.columns.items()
        for step, value in zip(points.steps, values, strict=True)
    ]


# Live


@pytest.mark.never_says("foreign.bad_events", "foreign.damaged_lengths", "foreign.rest_unread", "foreign.not_drawn")
def test_a_file_that_grows_byte_by_byte_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    whole = VERSION + scalars("loss", range(1, 12))
    path = event_file(tmp_path, b"")
    path.write_bytes(b"")
    followed = Followed(KIND, path)
    for end in range(1, len(whole) + 1):
        with path.open("ab") as file:
            file.write(whole[end - 1 : end])
        followed.look()
    assert followed.numbers("loss") == halves(range(1, 12))
    assert not followed.history.series["loss"].attempts
    assert not followed.flaws


def test_a_file_that_is_replaced_by_a_shorter_one_is_read_anew(tmp_path: Path) -> None:
    path = event_file(tmp_path, scalars("loss", range(1, 100)))
    followed = Followed(KIND, tmp_path)
    path.write_bytes(VERSION + scalars("loss", range(1, 30), 9.0))
    followed.look()
    assert followed.numbers("loss") == dict.fromkeys(range(1, 30), 9.0)


def test_one_that_disappears_leaves_what_was_read_and_a_new_one_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(tensorboard, "REST", 0)
    path = event_file(tmp_path, scalars("loss", range(1, 10)))
    followed = Followed(KIND, tmp_path)
    path.unlink()
    followed.look()
    event_file(tmp_path, scalars("loss", range(10, 20)), begun=1_700_000_099)
    followed.look()
    assert followed.numbers("loss") == halves(range(1, 20))


# Several files


def test_a_session_that_starts_ends_what_earlier_files_say_from_its_step_on(tmp_path: Path) -> None:
    first = start(0) + scalars("loss", range(100)) + scalars("rare", [0, 50, 80])
    event_file(tmp_path, first, begun=1_700_000_000)
    event_file(tmp_path, start(60) + scalars("loss", range(60, 120), 2.0), begun=1_700_000_500)
    followed = Followed(KIND, tmp_path)
    assert followed.numbers("loss") == halves(range(60)) | dict.fromkeys(range(60, 120), 2.0)
    assert followed.numbers("rare") == halves([0, 50])


@pytest.mark.never_says("foreign.late", "foreign.earlier_writer", "foreign.no_step")
def test_without_it_the_later_writer_wins_from_where_it_began_and_the_earlier_attempt_is_kept(tmp_path: Path) -> None:
    event_file(tmp_path, scalars("loss", range(100)), begun=1_700_000_000)
    event_file(tmp_path, scalars("loss", range(60, 80), 2.0), begun=1_700_000_500)
    followed = Followed(KIND, tmp_path)
    assert followed.numbers("loss") == halves(range(60)) | dict.fromkeys(range(60, 80), 2.0)
    assert [len(each.steps) for each in followed.history.series["loss"].attempts] == [40]
    assert not followed.flaws


@pytest.mark.says("foreign.earlier_writer")
def test_of_two_that_write_one_series_at_once_the_later_stands_however_often_one_looks(tmp_path: Path) -> None:
    one = event_file(tmp_path, scalars("loss", range(10)), begun=1_700_000_000)
    other = event_file(tmp_path, scalars("loss", range(5, 9), 2.0), begun=1_700_000_500)
    followed = Followed(KIND, tmp_path)
    for step in range(10, 20):
        for path, value in ((one, None), (other, 2.0)):
            with path.open("ab") as file:
                file.write(scalars("loss", [step], value))
            followed.look()
    steps = [*range(5, 9), *range(10, 20)]
    assert followed.numbers("loss") == halves(range(5)) | dict.fromkeys(steps, 2.0)
    assert followed.flaws == ["10 numbers left out: a later file has their series from there on"]


def test_files_of_one_folder_that_live_at_once_are_all_followed(tmp_path: Path) -> None:
    files = {tag: event_file(tmp_path, scalars(tag, range(3)), host=tag) for tag in ("train", "eval")}
    followed = Followed(KIND, tmp_path)
    for tag, path in files.items():
        with path.open("ab") as file:
            file.write(scalars(tag, range(3, 6)))
    followed.look()
    assert followed.all_numbers == {tag: halves(range(6)) for tag in ("eval", "train")}


def test_folders_below_are_parts_of_the_run_and_a_single_one_is_the_run(tmp_path: Path) -> None:
    event_file(tmp_path / "keras" / "train", scalars("epoch_loss", range(3)))
    assert Followed(KIND, tmp_path / "keras").all_numbers == {"epoch_loss": halves(range(3))}
    event_file(tmp_path / "keras" / "validation", scalars("epoch_loss", range(4)))
    (tmp_path / "keras" / "train" / "round").symlink_to(tmp_path / "keras")
    assert Followed(KIND, tmp_path / "keras").all_numbers == {
        "train/epoch_loss": halves(range(3)),
        "validation/epoch_loss": halves(range(4)),
    }


def keras(folder: Path, epochs: range, batches: int) -> None:
    """What Keras writes of epochs, of so many batches each; none where it writes of no batch."""
    train, held_out = b"", b""
    for epoch in epochs:
        at = 1.7e9 + 100 * epoch
        for batch in range(batches):
            step = epoch * batches + batch + 1
            train += frame(event(step, scalar("batch_loss", step), time=at + batch))
        held_out += frame(event(50 * (epoch + 1), scalar("evaluation_loss_vs_iterations", epoch), time=at + 98))
        train += frame(event(epoch, scalar("epoch_loss", epoch), time=at + 99))
        held_out += frame(event(epoch, scalar("epoch_loss", epoch), time=at + 99))
    for part, content in (("train", train), ("validation", held_out)):
        path = folder / part / f"events.out.tfevents.1700000000.box.{part}.v2"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(content)


@pytest.mark.says("foreign.repeated", "foreign.by_clock")
def test_of_keras_an_epoch_stands_at_its_last_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "LOOK_EVERY_S", 0.0)
    keras(tmp_path, range(2), batches=50)
    followed = Followed(KIND, tmp_path)
    keras(tmp_path, range(2, 4), batches=50)
    followed.look()
    wanted = {50: 0.0, 100: 1.0, 150: 2.0, 200: 3.0}
    assert followed.numbers("train/epoch_loss") == followed.numbers("validation/epoch_loss") == wanted
    assert len(followed.numbers("train/batch_loss")) == 200
    assert [followed.history.epoch_at(step) for step in wanted] == [0, 1, 2, 3]
    assert followed.history.series.keys() == {"train/epoch_loss", "validation/epoch_loss", "train/batch_loss"}
    series = "train/epoch_loss and validation/epoch_loss"
    assert followed.flaws == [
        f"steps of {series} count epochs, or the like: they stand where the training was then",
        "4 numbers left out: evaluation_…_vs_iterations repeats those of the epochs",
    ]


@pytest.mark.never_says("foreign.repeated", "foreign.by_clock")
def test_where_no_batches_are_told_steps_are_epochs_and_words_like_kerass_are_nothing_elsewhere(
    tmp_path: Path, captions_said: set[str]
) -> None:
    keras(tmp_path / "keras", range(3), batches=0)
    followed = Followed(KIND, tmp_path / "keras")
    assert followed.numbers("train/epoch_loss") == followed.numbers("validation/epoch_loss") == {0: 0.0, 1: 1.0, 2: 2.0}
    assert followed.history.series.keys() == {"train/epoch_loss", "validation/epoch_loss"}
    captions_said.clear()
    names = ("batch_loss", "epoch_loss", "evaluation_loss_vs_iterations")
    event_file(tmp_path / "other", b"".join(scalars(name, range(4)) for name in names))
    assert Followed(KIND, tmp_path / "other").all_numbers == dict.fromkeys(names, halves(range(4)))


def logged(*numbers: tuple[str, int, float]) -> bytes:
    """Numbers that were logged one after the other: a name, a step and the seconds since the training began."""
    return b"".join(frame(event(step, scalar(name, 1.0), time=1.7e9 + at)) for name, step, at in numbers)


LOSSES = [("loss", step, step) for step in range(0, 401, 2)]


@pytest.mark.says("foreign.by_clock")
@pytest.mark.parametrize("first", [0, 1])
def test_what_counts_epochs_stands_where_the_training_was(tmp_path: Path, first: int) -> None:
    epochs = [("acc", epoch, 100 * (epoch - first + 1) + 0.5) for epoch in range(first, first + 4)]
    come = sorted([*LOSSES, *epochs], key=lambda each: each[2])
    event_file(tmp_path / "whole", logged(*come))
    live = event_file(tmp_path / "live", b"")
    followed = Followed(KIND, live)
    for each in come:
        with live.open("ab") as file:
            file.write(logged(each))
        followed.look()
    for one in (followed, Followed(KIND, tmp_path / "whole")):
        assert [*one.numbers("acc")] == [100, 200, 300, 400]
        assert [*one.numbers("loss")] == [step for _, step, _ in LOSSES]
        assert "steps of acc count epochs, or the like" in one.flaws[0]


NO_EPOCHS = {
    "each step": [("acc", step, step + 0.5) for step in range(400)],
    "written when the training was over": [("acc", epoch, 500.0 + epoch) for epoch in range(4)],
    "at some of the steps, afterwards": [("acc", step, 500.0 + step) for step in range(0, 400, 100)],
    "at those steps": [("acc", step, step + 0.5) for step in range(0, 400, 100)],
    "once": [("acc", 200, 300)],
}


@pytest.mark.never_says("foreign.by_clock")
@pytest.mark.parametrize("case", NO_EPOCHS)
def test_what_counts_steps_stands_at_them(tmp_path: Path, case: str) -> None:
    come = sorted([*LOSSES, *NO_EPOCHS[case]], key=lambda each: each[2])
    event_file(tmp_path, logged(*come))
    assert [*Followed(KIND, tmp_path).numbers("acc")] == [step for _, step, _ in NO_EPOCHS[case]]


@pytest.mark.says("foreign.too_many_files")
def test_no_more_files_are_followed_than_a_person_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "MOST_FILES", 3)
    for begun in range(5):
        event_file(tmp_path, scalars("x", [begun]), begun=begun)
    assert "there are more than 3 files: the others are not read" in Followed(KIND, tmp_path).flaws


@pytest.mark.never_says("foreign.too_many_files")
def test_the_clocks_of_two_machines_move_no_time_below_zero(tmp_path: Path) -> None:
    event_file(tmp_path, scalars("loss", range(5), begun=1.7e9), begun=1, host="a")
    event_file(tmp_path, scalars("loss", range(5, 9), begun=1.6e9), begun=2, host="b")
    followed = Followed(KIND, tmp_path)
    assert followed.numbers("loss") == halves(range(9))
    assert min(followed.history.logged_elapsed.values) == 0.0
    assert not followed.flaws


# Damage


@pytest.mark.says("foreign.bad_events")
def test_an_event_whose_crc_is_wrong_is_left_out_and_those_behind_it_are_read(tmp_path: Path) -> None:
    for count in (5, 50):  # read one by one, and as columns
        content = bytearray(scalars("loss", range(300, 300 + count)))
        content[len(content) // count * 2 + 20] ^= 0x10
        event_file(tmp_path / str(count), bytes(content))
        followed = Followed(KIND, tmp_path / str(count))
        assert followed.numbers("loss") == halves([300, 301, *range(303, 300 + count)])
        assert followed.flaws == ["events.out.tfevents.1700000000.box.1.0: 1 event damaged; left out"]


@pytest.mark.says("foreign.damaged_lengths")
def test_behind_a_damaged_length_the_next_whole_event_is_found(tmp_path: Path) -> None:
    content = bytearray(scalars("loss", range(300, 320)))
    content[len(content) // 20 * 4] ^= 1
    event_file(tmp_path, bytes(content))
    followed = Followed(KIND, tmp_path)
    assert followed.numbers("loss") == halves([*range(300, 304), *range(305, 320)])
    assert "1 length damaged; what stands up to the next whole event is lost" in followed.flaws[0]


@pytest.mark.says("foreign.rest_unread")
def test_where_none_is_found_it_says_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard_file, "SEARCHED", 1000)
    monkeypatch.setattr(tensorboard_file, "PIECE", 512)
    sound = event_file(tmp_path, scalars("loss", range(1, 4))).stat().st_size
    event_file(tmp_path, scalars("loss", range(1, 4)) + b"\xff" * 3000)
    followed = Followed(KIND, tmp_path)
    followed.look()
    assert followed.numbers("loss") == halves(range(1, 4))
    assert f"damaged at byte {sound}; what stands behind it is not read" in followed.flaws[0]


def test_an_event_longer_than_a_piece_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard_file, "PIECE", 512)
    event_file(tmp_path, scalars("x", [1]) + frame(event(2, block(1, "y" * 2000))) + scalars("x", range(3, 60)))
    assert Followed(KIND, tmp_path).numbers("x") == halves([1, *range(3, 60)])


@pytest.mark.says("foreign.late")
def test_single_numbers_that_came_late_stand_where_they_belong(tmp_path: Path) -> None:
    path = event_file(tmp_path, scalars("loss", [1, 2, 3, 5, 4, 6]))
    followed = Followed(KIND, tmp_path)
    with path.open("ab") as file:
        file.write(scalars("loss", [8, 9]))
    followed.look()
    with path.open("ab") as file:
        file.write(scalars("loss", [7, 10]))
    followed.look()
    assert followed.numbers("loss") == halves(range(1, 11))
    assert followed.flaws == ["2 numbers came late, and stand where their steps are"]


@pytest.mark.says("foreign.no_step")
def test_steps_that_can_be_none_are_left_out_and_said(tmp_path: Path) -> None:
    event_file(tmp_path, scalars("loss", [-1, 0, 1]))
    followed = Followed(KIND, tmp_path)
    assert followed.numbers("loss") == halves([0, 1])
    assert followed.flaws == ["1 number left out: their steps are below 0, or too large"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all files")
def test_a_file_that_may_not_be_read_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    event_file(tmp_path, scalars("a", range(3)), host="a").chmod(0)
    event_file(tmp_path, scalars("b", range(3)), host="b")
    followed = KIND.open(tmp_path)
    with pytest.raises(PermissionError):
        [*followed.read()]


@pytest.mark.says("foreign.needs_numpy")
@pytest.mark.never_says("foreign.needs_numpy")
def test_without_numpy_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    event_file(tmp_path, b"")
    KIND.open(tmp_path)
    assert not captions_said
    monkeypatch.setattr(tensorboard, "find_spec", lambda _: None)
    with pytest.raises(RunsError, match="pip install numpy"):
        KIND.open(tmp_path)


def test_only_event_files_are_taken_for_some(tmp_path: Path) -> None:
    assert KIND.recognises(event_file(tmp_path / "it", b"").parent)
    assert KIND.recognises(event_file(tmp_path / "it", b""))
    for name, content in {"empty": b"", "text": b"step,loss\n1,2\n" * 9, "zeros": bytes(100)}.items():
        (tmp_path / name).write_bytes(content)
        assert not KIND.recognises(tmp_path / name)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "events.out.tfevents.1.pipe")
    for path in (tmp_path / "folder" / "events.out.tfevents.1.pipe", tmp_path / "none"):
        assert not KIND.recognises(path)
    assert number(1, 1) == b"\x08\x01"
