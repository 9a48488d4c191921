"""`tui_trainer.watch()`, called by programs of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import preloaded
from tests.waiting import until
from tui_trainer.commands import Stop
from tui_trainer.events import RunEnded
from tui_trainer.records.history import History
from tui_trainer.records.tail import Tail
from tui_trainer.watching.host import endings

pytestmark = pytest.mark.slow

LOOP = """
import sys
import torch, tui_trainer
runs = sys.argv[1]
torch.manual_seed(0)
net = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
losses = []
def train(steps=10, run=None):
    for step in range(1, steps + 1):
        x = torch.randn(8, 4)
        loss = ((net(x) - x.sum(1, keepdim=True)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if run is not None:
            run.log({"val/loss": 2 * loss.item(), "word": "left out", "tensor": torch.tensor(float(step))}, step=step)
"""


def run(tmp_path: Path, code: str, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program that has `LOOP` and this code; `flags` are Python's."""
    script = tmp_path / "train.py"
    script.write_text(LOOP + code)
    (tmp_path / "runs").mkdir(exist_ok=True)
    given = {name: value for name, value in os.environ.items() if name not in ("RANK", "TUI_TRAINER_WATCH")}
    if not flags and preloaded.AVAILABLE:
        arguments = ("", str(script), str(tmp_path / "runs"))
        return preloaded.run(*arguments, module="tests.watch.in_a_fork", env={**given, **environment})
    return subprocess.run(
        [sys.executable, *flags, str(script), str(tmp_path / "runs")],
        env={**given, "OMP_NUM_THREADS": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def histories(tmp_path: Path) -> list[History]:
    """Those of all its runs, once each has ended; oldest first: the names of two of one second do not tell."""

    def read() -> list[History]:
        found = []
        for folder in (tmp_path / "runs").glob("2*"):
            history = History()
            with Tail(folder / "events.jsonl") as tail:
                for event in tail:
                    history.apply(event)
            found.append(history)
        return sorted(found, key=lambda history: history.started.at if history.started is not None else 0.0)

    until(lambda: all(history.ended is not None for history in read()))
    return read()


def ended(tmp_path: Path) -> RunEnded:
    """How its only run ended."""
    (history,) = histories(tmp_path)
    assert history.ended is not None
    return history.ended


def test_a_loop_between_watch_and_finish_is_recorded_to_the_bit(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
train(3)
run = tui_trainer.watch(name="mine", runs=runs, alerts=["tensor >= 3"])
train(10, run)
run.finish()
train(2)
print(losses[3:-2])
""",
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    (history,) = histories(tmp_path)
    assert [float(loss) for loss in history.losses] == eval(done.stdout)
    assert list(history.lrs) == [0.1] * 10
    assert list(history.series["tensor"].values) == list(range(1, 11))
    assert list(history.series["val/loss"].values) == [2 * loss for loss in eval(done.stdout)]
    assert "word" not in history.series
    assert [alert.rule for alert in history.notices] == ["tensor >= 3"]
    assert history.ended is not None
    assert (history.ended.status, history.ended.reason) == ("finished", "the program says that it is done")


def test_a_program_that_trains_twice_has_two_runs(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
for count in (4, 6):
    with tui_trainer.watch(runs=runs):
        train(count)
""",
    )
    assert done.returncode == 0, done.stderr
    assert [history.steps for history in histories(tmp_path)] == [4, 6]


def test_an_error_that_ends_it_is_told_and_goes_through(tmp_path: Path) -> None:
    done = run(tmp_path, 'with tui_trainer.watch(runs=runs):\n    train()\n    raise ValueError("out of\\nideas")\n')
    assert done.returncode == 1
    assert "ValueError: out of" in done.stderr
    assert (ended(tmp_path).status, ended(tmp_path).reason) == ("crashed", "ValueError: out of ideas")


def test_ctrl_c_in_it_is_told(tmp_path: Path) -> None:
    run(tmp_path, "with tui_trainer.watch(runs=runs):\n    train()\n    raise KeyboardInterrupt\n")
    assert (ended(tmp_path).status, ended(tmp_path).reason) == ("stopped", "stopped by ctrl+c")
    assert ended(tmp_path).exit_code == 130


def test_a_program_that_ends_without_a_word_has_finished_as_far_as_one_knows(tmp_path: Path) -> None:
    assert run(tmp_path, "tui_trainer.watch(runs=runs)\ntrain()\n").returncode == 0
    assert ended(tmp_path).status == "finished"
    assert "exit code is not known" in ended(tmp_path).reason


def test_a_loss_of_ones_own_as_the_documentation_has_it_logs_a_number_of_every_step(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "watch.md").read_text()
    loss = next(
        text for text in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if "FocalLoss" in text
    )
    (tmp_path / "focal.py").write_text(loss)
    done = run(
        tmp_path,
        """
from focal import FocalLoss, run
focal = FocalLoss(gamma=2.0)
net = torch.nn.Linear(4, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
data = torch.utils.data.TensorDataset(torch.randn(12, 4), torch.arange(12) % 3)
for epoch in range(2):
    for images, labels in torch.utils.data.DataLoader(data, batch_size=4):
        optimizer.zero_grad()
        loss = focal(net(images), labels)
        loss.backward()
        optimizer.step()
run.finish()
""",
        TUI_TRAINER_RUNS=str(tmp_path / "runs"),
    )
    assert done.returncode == 0, done.stderr
    (history,) = histories(tmp_path)
    assert list(history.series["focal/hard"].steps) == [1, 2, 3, 4, 5, 6]
    assert history.series.objective != "focal/hard"


def test_one_that_is_killed_has_crashed(tmp_path: Path) -> None:
    code = "import os, signal\ntui_trainer.watch(runs=runs)\ntrain()\nos.kill(os.getpid(), signal.SIGKILL)\n"
    assert run(tmp_path, code).returncode == -9
    assert ended(tmp_path).status == "crashed"


def test_where_no_record_can_be_made_the_program_is_warned_and_trains(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(
        tmp_path,
        f"""
with tui_trainer.watch(runs={str(tmp_path / "file")!r}) as run:
    train(5, run)
with tui_trainer.watch(runs=runs, alerts="val_loss higher than 2"):
    train(5)
print(len(losses), repr(run.run))
""",
    )
    assert done.stdout == "10 ''\n"
    assert "`val_loss > 2 for 3 epochs`" in done.stderr
    assert "tui-trainer cannot watch this training" in done.stderr
    assert "Traceback" not in done.stderr


def test_of_ranks_the_first_is_watched(tmp_path: Path) -> None:
    code = "with tui_trainer.watch(runs=runs) as run:\n    train(5, run)\n"
    assert run(tmp_path, code, RANK="1", WORLD_SIZE="2").returncode == 0
    assert not histories(tmp_path)
    assert run(tmp_path, code, RANK="0", WORLD_SIZE="2").returncode == 0
    assert len(histories(tmp_path)) == 1


def test_under_the_command_watch_it_adds_to_that_run(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(LOOP + "with tui_trainer.watch(runs=runs) as run:\n    train(5, run)\n")
    (tmp_path / "runs").mkdir()
    command = ("watch", "--plain", "--runs-dir", str(tmp_path / "runs"), "--")
    done = preloaded.run(*command, sys.executable, str(script), str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    (history,) = histories(tmp_path)
    assert (history.steps, len(history.series["tensor"].steps)) == (5, 5)


def test_random_numbers_and_weights_are_those_of_a_program_that_is_not_watched(tmp_path: Path) -> None:
    tell = "print(losses, torch.rand(2), [p.tolist() for p in net.parameters()])\n"
    watched = run(tmp_path, "with tui_trainer.watch(runs=runs) as run:\n    train(20, run)\n" + tell)
    alone = run(tmp_path, "train(20)\n" + tell)
    assert watched.stdout == alone.stdout


def test_of_a_program_that_is_watched_from_within_it_is_not_said_that_it_cannot_be_seen(tmp_path: Path) -> None:
    done = run(tmp_path, "with tui_trainer.watch(runs=runs):\n    train()\n", "-I")
    assert done.returncode == 0, done.stderr
    (history,) = histories(tmp_path)
    assert history.steps == 10
    assert not history.notices


@pytest.mark.says("command.finished", "command.interrupted")
def test_how_it_ended_is_said_in_its_own_words() -> None:
    assert endings.of_own_code("", took_leave=True) == ("finished", "the program says that it is done", 0)
    assert endings.of_own_code("stopped", took_leave=True) == ("stopped", "stopped by ctrl+c", 130)


@pytest.mark.never_says("command.finished", "command.interrupted")
def test_of_another_end_it_is_not() -> None:
    stop = Stop(by="attach", reason="stopped from attach", exit_code=0)
    assert endings.of_own_code("crashed ValueError: x", took_leave=True) == ("crashed", "ValueError: x", 1)
    assert endings.of_own_code("stopped", stop, took_leave=True).reason == "stopped from attach"
    assert endings.of_own_code(None, took_leave=True).status == "finished"
    assert endings.of_own_code(None, took_leave=False) == endings.of_training(took_leave=False)


def test_it_is_light_to_import() -> None:
    heavy = ("torch", "textual", "pydantic", "numpy")
    code = f"import sys; from tui_trainer import watch; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
