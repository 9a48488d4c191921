"""Tables and JSON of any tool: sparse, live, rewritten, without a step, with what is no number."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.foreign_records.followed import Followed, Numbers, same
from tui_trainer.foreign_records import telling, trainer_state
from tui_trainer.foreign_records.csv_table import Csv
from tui_trainer.foreign_records.followed_file import Lines
from tui_trainer.foreign_records.json_lines import JsonLines
from tui_trainer.foreign_records.pieces import Kind
from tui_trainer.foreign_records.trainer_folder import Trainer

NAN = float("nan")

GO_ON = "steps begin anew in each epoch: here they go on from the last one that was written before"

# A text, what is read of it, and what is said of it.
TABLES: dict[str, tuple[str, dict[str, Numbers], list[str]]] = {
    "dense": ("step,loss,lr\n1,0.5,0.1\n2,0.25,0.1\n", {"loss": {1: 0.5, 2: 0.25}, "lr": {1: 0.1, 2: 0.1}}, []),
    "sparse, as Lightning has it": (
        "epoch,lr-SGD,step,train_loss,val_loss\n,0.1,0,,\n0,,4,0.5,\n0,,9,0.4,\n0,,9,,0.3\n",
        {"lr-SGD": {0: 0.1}, "train_loss": {4: 0.5, 9: 0.4}, "val_loss": {9: 0.3}},
        [],
    ),
    "padded, as Ultralytics has it": (
        "   epoch,  train/box_loss,   lr/pg0\n   1,   1.5,  0.01\n   2,   1.25,  0.02\n",
        {"train/box_loss": {1: 1.5, 2: 1.25}, "lr/pg0": {1: 0.01, 2: 0.02}},
        ["steps are taken from epoch"],
    ),
    "tabs": ("step\tloss\n1\t0.5\n", {"loss": {1: 0.5}}, []),
    "semicolons and a mark": ("\ufeffstep;loss\r\n1;0.5\r\n", {"loss": {1: 0.5}}, []),
    "not finite": ("step,a\n1,nan\n2,inf\n3,-Infinity\n4,1\n", {"a": {1: NAN, 2: inf, 3: -inf, 4: 1.0}}, []),
    "no step": (
        "loss,acc\n0.5,0.1\n0.4,0.2\n",
        {"loss": {0: 0.5, 1: 0.4}, "acc": {0: 0.1, 1: 0.2}},
        ["no column says the step: the rows are numbered"],
    ),
    "no step in a row": (
        "step,loss\n1,0.5\n,0.4\nx,0.3\n4,0.2\n",
        {"loss": {1: 0.5, 4: 0.2}},
        ["2 rows left out: what stands for their step is no number"],
    ),
    "validations of an epoch": (
        "epoch,step,loss,acc\n0,10,4,\n0,,,0.5\n1,20,3,\n1,,,0.75\n,,2,\n",
        {"loss": {10: 4.0, 20: 3.0}, "acc": {10: 0.5, 20: 0.75}},
        [
            "rows that say no step stand at that of the row before",
            "1 row left out: what stands for their step is no number",
        ],
    ),
    "batches of each epoch": (
        "epoch,batch,loss\n0,9,4\n0,19,3\n1,9,2\n1,19,1\n3,9,0.5\n",
        {"loss": {9: 4.0, 19: 3.0, 28: 2.0, 38: 1.0, 47: 0.5}},
        ["steps are taken from batch", GO_ON],
    ),
    "batches of each epoch, and the second one trained again": (
        "epoch,batch,loss\n" + "".join(f"{e},{b},{e}{b}\n" for e in (1, 2, 3, 2, 3) for b in (10, 20)),
        {"loss": {10: 110.0, 20: 120.0, 30: 210.0, 40: 220.0, 50: 310.0, 60: 320.0}},
        ["steps are taken from batch", GO_ON],
    ),
    "steps through all epochs, tested at the last": (
        "epoch,step,loss,test_loss\n0,10,4,\n1,20,3,\n0,10,2,\n1,20,1,\n2,20,,0.5\n",
        {"loss": {10: 2.0, 20: 1.0}, "test_loss": {20: 0.5}},
        [],
    ),
    "begun again": (
        "step,loss\n" + "".join(f"{step},1\n" for step in [*range(1, 20), *range(5, 15)]),
        {"loss": dict.fromkeys(range(1, 15), 1.0)},
        [],
    ),
    "words": ("step,loss,note\n1,0.5,good\n2,0.4,\n", {"loss": {1: 0.5, 2: 0.4}}, ["left out: note"]),
    "rows of another width": (
        "step,loss,acc\n1,0.5\n2,0.4,1,7\n3,0.3,1\n",
        {"loss": {1: 0.5, 3: 0.3}, "acc": {3: 1.0}},
        ["1 row could not be read; left out"],
    ),
    "a torn last row": ("step,loss\n1,0.5\n2,0.", {"loss": {1: 0.5}}, []),
    "whole numbers behind a point": ("step,loss\n1.0,5\n2.0,4\n", {"loss": {1: 5.0, 2: 4.0}}, []),
}

OBJECTS: dict[str, tuple[str, dict[str, Numbers], list[str]]] = {
    "plain": ('{"step":1,"loss":0.5}\n{"step":2,"loss":0.4}\n', {"loss": {1: 0.5, 2: 0.4}}, []),
    "detectron2": (
        '{"iteration": 19, "total_loss": 2.5, "time": 0.1}\n{"iteration": 39, "total_loss": 2.0, "time": 0.2}\n',
        {"total_loss": {19: 2.5, 39: 2.0}, "time": {19: 0.1, 39: 0.2}},
        ["steps are taken from iteration"],
    ),
    "mmengine": (
        "".join(
            f'{{"loss": {loss}, "epoch": {epoch}, "iter": {50 * epoch}, "step": {50 * epoch}}}\n'
            f'{{"acc": {acc}, "step": {epoch}}}\n'
            for epoch, loss, acc in [(1, 2.0, 0.5), (2, 1.5, 0.75)]
        ),
        {"loss": {50: 2.0, 100: 1.5}, "iter": {50: 50, 100: 100}, "acc": {50: 0.5, 100: 0.75}},
        ["validations are recorded by their epochs: they stand at the step that the training was at"],
    ),
    "mmengine, by iterations": (
        '{"loss": 2.0, "iter": 50, "step": 50}\n{"acc": 0.5, "step": 50}\n',
        {"loss": {50: 2.0}, "iter": {50: 50}, "acc": {50: 0.5}},
        [],
    ),
    "mmcv": (
        '{"env_info": "sys.platform: linux\\nPython: 3.8", "seed": 7, "exp_name": "rcnn.py"}\n'
        + "".join(
            f'{{"mode": "train", "epoch": {epoch}, "iter": {at}, "lr": 0.1, "loss": {epoch * at}}}\n'
            + (f'{{"mode": "val", "epoch": {epoch}, "iter": 9, "lr": 0.1, "mAP": {epoch}}}\n' if at == last else "")
            for epoch, last in ((1, 100), (2, 50), (3, 50))
            for at in range(50, last + 1, 50)
        ),
        {
            "lr": dict.fromkeys((50, 100, 150, 200), 0.1),
            "loss": {50: 50, 100: 100, 150: 100, 200: 150},
            "val/mAP": {100: 1, 150: 2, 200: 3},
        },
        ["steps are taken from iter", GO_ON],
    ),
    "mmcv, by iterations": (
        "".join(
            f'{{"mode": "train", "epoch": {at // 100}, "iter": {at}, "loss": {at}}}\n'
            f'{{"mode": "val", "epoch": {at // 100}, "iter": 9, "mIoU": 0.5}}\n'
            for at in (100, 200)
        ),
        {"loss": {100: 100, 200: 200}, "val/mIoU": {100: 0.5, 200: 0.5}},
        ["steps are taken from iter"],
    ),
    "validations that say their epoch alone": (
        '{"epoch":0,"acc":0.1}\n{"epoch":1,"step":100,"loss":2}\n{"epoch":1,"acc":0.5}\n{"test":7}\n',
        {"acc": {0: 0.1, 100: 0.5}, "loss": {100: 2}, "test": {100: 7}},
        ["steps are taken from epoch", "rows that say no step stand at that of the row before"],
    ),
    "nested": ('{"step":1,"val":{"acc":0.5}}\n', {"val/acc": {1: 0.5}}, []),
    "not finite": (
        '{"step":1,"a":NaN}\n{"step":2,"a":-Infinity}\n{"step":3,"a":"inf"}\n',
        {"a": {1: NAN, 2: -inf, 3: inf}},
        [],
    ),
    "no step": ('{"loss":1}\n{"loss":2}\n', {"loss": {0: 1, 1: 2}}, ["no column says the step: the rows are numbered"]),
    "other keys in other rows": (
        '{"step":1,"a":1}\n{"step":1,"b":5}\n{"step":2,"a":2,"b":6}\n{"step":3,"a":3}\n',
        {"a": {1: 1, 2: 2, 3: 3}, "b": {1: 5, 2: 6}},
        [],
    ),
    "what is no object": (
        '{"step":1,"a":1}\nhello\n[1]\n{"step":2,"a":2}\n',
        {"a": {1: 1, 2: 2}},
        ["2 rows could not be read; left out"],
    ),
    "what is no number": (
        '{"step":1,"a":1,"b":null,"c":[1],"d":true}\n',
        {"a": {1: 1}},
        ["left out: c, d"],
    ),
    "a torn last line": ('{"step":1,"a":1}\n{"step":2,', {"a": {1: 1}}, []),
}

CASES = [(Csv(), name, *case) for name, case in TABLES.items()] + [
    (JsonLines(), name, *case) for name, case in OBJECTS.items()
]


@pytest.mark.says("foreign.rows_numbered", "foreign.step_is", "foreign.bad_rows", "foreign.not_numbers")
@pytest.mark.says("foreign.epoch_as_step", "foreign.steps_go_on", "foreign.at_last_step", "foreign.no_step_in_row")
@pytest.mark.never_says("foreign.rows_numbered", "foreign.step_is", "foreign.bad_rows", "foreign.not_numbers")
@pytest.mark.never_says("foreign.epoch_as_step", "foreign.steps_go_on", "foreign.at_last_step")
@pytest.mark.never_says("foreign.no_step_in_row")
def test_rows_are_read_and_what_is_no_number_is_said(tmp_path: Path) -> None:
    for kind, name, text, numbers, flaws in CASES:
        (path := tmp_path / "record").write_text(text, newline="")
        followed = Followed(kind, path)
        assert same(followed.all_numbers, numbers), name
        assert followed.flaws == flaws, name


@pytest.mark.parametrize(("kind", "text"), [(Csv(), TABLES["dense"][0]), (JsonLines(), OBJECTS["plain"][0])])
def test_each_form_is_recognised_by_its_first_lines_and_nothing_else_is(kind: Kind, text: str, tmp_path: Path) -> None:
    (path := tmp_path / "any.name").write_text(text)
    assert kind.recognises(path)
    other = OBJECTS["plain"][0] if isinstance(kind, Csv) else TABLES["dense"][0]
    for wrong in (
        "",
        "hello\n",
        "hello, world\nhow, are you\n",
        "1,2\n3,4\n",
        "\0\0\n",
        '{"a": "b"}\n',
        "[1]\n",
        other,
    ):
        path.write_text(wrong)
        assert not kind.recognises(path), wrong
    assert not kind.recognises(tmp_path)
    assert not kind.recognises(tmp_path / "none")


@pytest.mark.parametrize(("kind", "text"), [(Csv(), TABLES["dense"][0]), (JsonLines(), OBJECTS["plain"][0])])
def test_a_file_that_grows_byte_by_byte_is_read_once(kind: Kind, text: str, tmp_path: Path) -> None:
    (path := tmp_path / "record").write_text("")
    followed = Followed(kind, path)
    for byte in text:
        with path.open("a") as file:
            file.write(byte)
        followed.look()
    assert followed.numbers("loss").keys() == {1, 2}
    assert not followed.history.series["loss"].attempts


def test_behind_a_line_without_an_end_the_rest_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lines, "LONGEST", 64 << 10)
    (path := tmp_path / "record").write_bytes(b'{"step":1,"loss":2}\n' + bytes(300 << 10) + b'\n{"step":2,"loss":1}\n')
    followed = Followed(JsonLines(), path)
    assert followed.numbers("loss") == {1: 2, 2: 1}
    assert followed.flaws == ["1 row could not be read; left out"]


@pytest.mark.parametrize("first", ['{"seed": null, "env_info": "a\\nb", "exp_name": "x.py"}', '{"note": "begun"}'])
def test_a_first_line_without_a_number_is_no_reason_to_refuse_a_file(first: str, tmp_path: Path) -> None:
    (path := tmp_path / "20220101_120000.log.json").write_text(f"{first}\n{OBJECTS['plain'][0]}")
    assert JsonLines().recognises(path)
    assert JsonLines().open(path).name == "20220101_120000"


def test_a_table_written_anew_with_a_column_more_tells_nothing_twice(tmp_path: Path) -> None:
    (path := tmp_path / "metrics.csv").write_text("step,loss\n1,0.5\n2,0.4\n")
    followed = Followed(Csv(), path)
    path.write_text("acc,step,loss\n,1,0.5\n,2,0.4\n0.9,2,\n,3,0.3\n")
    followed.look()
    assert followed.all_numbers == {"loss": {1: 0.5, 2: 0.4, 3: 0.3}, "acc": {2: 0.9}}
    assert not followed.history.series["loss"].attempts


def test_times_and_epochs_are_taken_for_what_they_are(tmp_path: Path) -> None:
    (path := tmp_path / "log.jsonl").write_text(
        '{"_timestamp":1700000000.5,"epoch":0,"step":1,"loss":1.0}\n{"_timestamp":1700000002.5,"epoch":1,"step":2,"loss":2.0}\n'
    )
    history = Followed(JsonLines(), path).history
    assert [*history.series] == ["loss"]
    assert [*history.logged_elapsed.values] == [0.0, 2.0]
    assert [history.epoch_at(step) for step in (1, 2)] == [0, 1]


# One document


def state(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"best_metric": None, "global_step": 3, "log_history": rows})


@pytest.mark.never_says("foreign.too_large", "foreign.no_document")
def test_a_document_that_is_written_anew_tells_what_is_new(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-2").mkdir()
    (tmp_path / "checkpoint-2" / "trainer_state.json").write_text(state([{"step": 1, "loss": NAN}]))
    assert Trainer().recognises(tmp_path)
    followed = Followed(Trainer(), tmp_path)
    rows = [{"step": 1, "loss": NAN}, {"step": 2, "loss": 0.5, "epoch": 0.7}, {"step": 2, "eval_loss": 0.4}]
    (tmp_path / "checkpoint-10").mkdir()
    (tmp_path / "checkpoint-10" / "trainer_state.json").write_text(state(rows))
    followed.look()
    assert same(followed.all_numbers, {"loss": {1: NAN, 2: 0.5}, "eval_loss": {2: 0.4}})
    assert not followed.history.series["loss"].attempts
    assert not followed.flaws


@pytest.mark.says("foreign.too_large", "foreign.no_document")
def test_one_that_is_too_large_or_no_document_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path := tmp_path / "trainer_state.json").write_text(state([])[:-1])
    assert Followed(Trainer(), path).flaws == ["trainer_state.json is no whole document"]
    monkeypatch.setattr(trainer_state, "LARGEST", 10)
    assert Followed(Trainer(), path).flaws == ["trainer_state.json is not read: it is one document of more than 500 MB"]
    path.write_text("[" * 100_000)
    assert not Trainer().recognises(path)


@settings(max_examples=40)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["step", "loss", "acc", "x"]), st.none() | st.floats() | st.integers() | st.text(max_size=3)
        )
    )
)
def test_any_objects_are_read_without_an_error(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    (path := tmp_path_factory.mktemp("any") / "record").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Followed(JsonLines(), path)


def test_a_table_that_another_takes_the_place_of_is_read_anew(tmp_path: Path) -> None:
    path, rows = tmp_path / "metrics.csv", [f"{step},{step / 2}\n" for step in range(40)]
    path.write_text("".join(["step,loss\n", *rows[:10]]))
    followed = Followed(Csv(), path)
    other = tmp_path / "other"
    other.write_text("".join(["step,loss\n", *rows[10:]]))  # longer, and with the same beginning
    other.replace(path)
    followed.look()
    assert followed.numbers("loss") == {step: step / 2 for step in range(40)}


@pytest.mark.says("foreign.thinned")
@pytest.mark.never_says("foreign.thinned")
def test_of_very_many_numbers_the_lowest_and_the_highest_of_stretches_are_kept_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    rows = [f"{step},{step % 100},{-step}" for step in range(60_000)]
    rows[41_234], rows[50_001] = "41234,1e6,nan", "50001,-1e6,7"  # spikes
    (path := tmp_path / "many.csv").write_text("\n".join(["step,loss,other", *rows, ""]))
    (growing := tmp_path / "growing.csv").write_text("step,loss,other\n")
    whole, thinned = Followed(Csv(), path), Followed(Csv(), growing)
    assert len(whole.numbers("loss")) == 60_000
    assert "foreign.thinned" not in captions_said
    monkeypatch.setattr(telling, "MOST_IN_FULL", 20_000)
    monkeypatch.setattr(telling, "THINNED_ANEW", 2_000)
    for begin in range(0, 60_000, 2_000):
        with growing.open("a") as file:
            file.write("\n".join([*rows[begin : begin + 2_000], ""]))
        thinned.look()
    kept, every = thinned.numbers("loss"), whole.numbers("loss")
    assert 10_000 < len(kept) < 30_000
    assert kept.items() <= every.items()
    assert [kept[step] for step in range(5_000)] == [every[step] for step in range(5_000)]
    assert (max(kept.values()), min(kept.values())) == (1e6, -1e6)
    assert not all(value == value for value in thinned.numbers("other").values())
    assert not thinned.history.series["loss"].attempts
    (said,) = [flaw for flaw in thinned.flaws if "stretch" in flaw]
    assert said.startswith("it holds more than 20,000 numbers: ")
