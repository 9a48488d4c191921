"""A folder of Hugging Face's trainer with checkpoints and TensorBoard's event files is one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.foreign_records.event_files import block, event, event_file, frame, scalar, tensor
from tests.foreign_records.followed import Followed
from tui_trainer.foreign_records import trainer_folder
from tui_trainer.foreign_records.forms import records_in
from tui_trainer.foreign_records.trainer_folder import Trainer
from tui_trainer.run_sources.run_list import summaries_at

TENTH = 0.10000000149011612
"""As single precision has it."""

ARGUMENTS = frame(event(0, tensor("args/text_summary", 7, block(8, '{"learning_rate": 5e-05}'), "text")))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked for at each look."""
    monkeypatch.setattr(trainer_folder, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("tui_trainer.foreign_records.tensorboard.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("tui_trainer.foreign_records.tensorboard.REST", 0.0)


def document(folder: Path, *losses: float, evaluated: float | None = None) -> None:
    """A checkpoint after as many steps, two an epoch."""
    rows = [{"epoch": step / 2, "loss": loss, "step": step} for step, loss in enumerate(losses, 1)]
    if evaluated is not None:
        rows.append({"epoch": len(losses) / 2, "eval_loss": evaluated, "step": len(losses)})
    checkpoint = folder / f"checkpoint-{len(losses)}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text(json.dumps({"log_history": rows}))


def told(*losses: float, first: int = 1) -> bytes:
    """What TensorBoard is told of so many steps."""
    return b"".join(
        frame(event(step, scalar("train/loss", loss), scalar("train/epoch", step / 2)))
        for step, loss in enumerate(losses, first)
    )


def written(folder: Path, name: str, content: bytes, arguments: bytes = ARGUMENTS) -> Path:
    return event_file(folder / "runs" / name, arguments + content)


@pytest.mark.says("foreign.same_run")
@pytest.mark.never_says("foreign.same_run")
def test_it_is_one_run_followed_between_checkpoints_and_nothing_is_doubled(
    tmp_path: Path, captions_said: set[str]
) -> None:
    folder = tmp_path / "outputs"
    document(folder, 0.4, 0.3)
    assert [record.path for record in records_in(tmp_path)] == [folder]
    assert Followed(Trainer(), folder).flaws == []
    assert "foreign.same_run" not in captions_said
    events = written(folder, "Nov28_10-00-00_box", told(0.4, 0.3, 0.2, 0.1))
    (listed,) = summaries_at([tmp_path])
    assert (listed.folder, listed.tool, listed.steps_done) == (str(folder), "Hugging Face", 4)
    assert listed.config == {"learning_rate": 5e-05}
    run = Followed(Trainer(), folder)
    assert run.flaws == [
        "runs/Nov28_10-00-00_box holds what the same run has told TensorBoard: it is followed there between checkpoints"
    ]
    assert run.numbers("loss") == {1: 0.4, 2: 0.3, 3: pytest.approx(0.2), 4: TENTH}
    assert [run.history.epoch_at(step) for step in (2, 3, 4)] == [1, 2, 2]
    events.write_bytes(events.read_bytes() + frame(event(4, scalar("eval/loss", 0.5))))
    document(folder, 0.4, 0.3, 0.2, 0.1, evaluated=0.5)
    run.look()
    assert run.numbers("eval_loss") == {4: 0.5}
    assert run.numbers("loss")[4] == TENTH  # as it was told first
    assert not any(series.attempts for series in run.history.series.values())
    assert Followed(Trainer(), folder).numbers("loss")[4] == 0.1
    assert set(run.history.series) == {"loss", "eval_loss"}


def test_a_training_that_went_on_from_a_checkpoint_takes_the_place_of_what_came_behind_it(tmp_path: Path) -> None:
    document(tmp_path, 0.4, 0.3)
    written(tmp_path, "Nov28_10-00-00_box", told(0.4, 0.3, 0.2, 0.1))
    run = Followed(Trainer(), tmp_path)
    written(tmp_path, "Nov28_11-00-00_box", told(0.25, first=3))
    run.look()
    assert run.numbers("loss") == {1: 0.4, 2: 0.3, 3: 0.25}
    (attempt,) = run.history.series["loss"].attempts
    assert list(attempt.steps) == [3, 4]


def test_events_of_other_programs_and_of_other_runs_below_are_records_of_their_own(tmp_path: Path) -> None:
    document(tmp_path, 0.4)
    document(tmp_path / "second", 0.4)
    others = written(tmp_path, "mine", told(1.0), arguments=b"").parent
    of_second = written(tmp_path / "second", "Nov28_10-00-00_box", told(0.4, 0.2))
    assert {record.path for record in records_in(tmp_path)} == {tmp_path, others, tmp_path / "second"}
    assert Followed(Trainer(), tmp_path).numbers("loss") == {1: 0.4}
    assert len(Followed(Trainer(), tmp_path / "second").numbers("loss")) == 2
    assert [record.kind.tool for record in records_in(of_second.parent)] == ["TensorBoard"]  # where it is named itself
