"""How a watched command ended, and what of it cannot be seen: in words that are true."""

from __future__ import annotations

import shlex
import signal

import pytest

from tui_trainer.commands import Stop
from tui_trainer.watching.host import endings, out_of_sight
from tui_trainer.watching.host.endings import Raised

NOTHING_SEEN = (
    "no training was seen: no optimizer of PyTorch took a step in a Python process that can be seen from here"
)
STOP = Stop(by="shell", reason="stopped from the shell")


@pytest.mark.says("command.ended")
@pytest.mark.never_says("command.exit_code", "command.killed", "command.no_training", "command.ended_unseen")
def test_one_that_ended_well() -> None:
    assert endings.of_command(0) == ("finished", "the command ended", 0)


@pytest.mark.says("command.exit_code")
@pytest.mark.never_says("command.ended", "command.killed")
@pytest.mark.parametrize("code", [1, 2, 5, 126, 128, 137, 255])
def test_one_with_another_exit_code(code: int) -> None:
    """137 may be the program's own: a signal that kills gives it no time to say so."""
    assert endings.of_command(code) == ("crashed", f"the command ended with exit code {code}", code)


@pytest.mark.says("command.raised", "command.rank_raised")
def test_one_whose_training_an_error_ended() -> None:
    told = endings.of_command(1, raised=Raised("ValueError"))
    assert told.reason == "the command ended with exit code 1; its training ended with ValueError, which nobody caught"
    told = endings.of_command(1, raised=Raised("ValueError", rank=3))
    assert told.reason == "the command ended with exit code 1; rank 3 ended with ValueError, which nobody caught"


@pytest.mark.never_says("command.raised", "command.rank_raised")
@pytest.mark.parametrize("code", [0, 130, -signal.SIGTERM, None])
def test_one_that_ended_otherwise_is_not_said_to_have_failed_of_an_error(code: int | None) -> None:
    raised = Raised("ValueError", rank=3)
    assert endings.of_command(code, raised=raised) == endings.of_command(code)
    assert endings.of_command(1, STOP, raised=raised).reason == STOP.reason


@pytest.mark.says("command.killed")
@pytest.mark.parametrize(
    ("code", "told"),
    [
        (-signal.SIGTERM, ("stopped", "the command was ended by SIGTERM", 143)),
        (-signal.SIGINT, ("stopped", "the command was ended by SIGINT", 130)),
        (130, ("stopped", "the command was ended by SIGINT", 130)),
        (143, ("stopped", "the command was ended by SIGTERM", 143)),
        (
            -signal.SIGKILL,
            ("crashed", "the command was ended by SIGKILL, as the system does where memory runs out", 137),
        ),
        (-signal.SIGSEGV, ("crashed", "the command was ended by SIGSEGV, an error in native code", 139)),
        (-45, ("crashed", "the command was ended by signal 45", 173)),
    ],
)
def test_one_that_a_signal_ended(code: int, told: tuple[str, str, int]) -> None:
    assert endings.of_command(code) == told


def test_one_that_was_asked_to_end_was_stopped_with_its_own_exit_code() -> None:
    assert endings.of_command(130, STOP) == ("stopped", "stopped from the shell", 130)
    assert endings.of_command(0, STOP) == ("stopped", "stopped from the shell", 0)


@pytest.mark.says("command.ended_unseen")
def test_one_whose_waiter_was_killed() -> None:
    status, reason, _ = endings.of_command(None)
    assert status == "crashed"
    assert reason == (
        "the command is gone; with what exit code is not known, as the process that waited for it was killed"
    )


@pytest.mark.says("command.no_training")
def test_one_of_which_nothing_was_seen() -> None:
    assert endings.of_command(0, unseen=["make"]).reason == f"the command ended; {NOTHING_SEEN}"
    *_, why = endings.of_command(0, unseen=["docker", "run", "x"]).reason.split("; ")
    assert why.startswith("what trains in a container of docker is not seen from here")


@pytest.mark.says("command.process_ended")
@pytest.mark.never_says("command.process_gone")
def test_a_training_that_took_leave() -> None:
    told = endings.of_training(took_leave=True)
    assert told == (
        "finished",
        "its process ended; with what exit code is not known: another process has started it",
        0,
    )


@pytest.mark.says("command.process_raised", "command.process_interrupted")
@pytest.mark.never_says("command.process_ended", "command.process_gone")
def test_a_training_that_an_error_ended() -> None:
    told = endings.of_training(took_leave=True, raised="ValueError")
    assert told == ("crashed", "its process ended with ValueError, which nobody caught", 1)
    told = endings.of_training(took_leave=True, raised="KeyboardInterrupt")
    assert told == ("stopped", "its process was interrupted, as by ctrl+c", 130)


@pytest.mark.never_says("command.process_raised", "command.process_interrupted")
def test_a_training_that_was_asked_to_stop_is_not_said_to_have_failed() -> None:
    told = endings.of_training(took_leave=True, raised="StopRequested", stop=STOP)
    assert told == ("stopped", "stopped from the shell", 0)
    assert endings.of_training(took_leave=True).status == "finished"


@pytest.mark.says("command.process_gone")
@pytest.mark.never_says("command.process_ended")
def test_a_training_that_was_killed() -> None:
    assert endings.of_training(took_leave=False) == ("crashed", "its process is gone without a word: it was killed", 1)
    assert endings.of_training(took_leave=False, stop=STOP).status == "stopped"


@pytest.mark.says("command.in_container", "command.elsewhere", "command.environment_emptied", "command.python_isolated")
def test_commands_out_of_sight_are_named_with_the_way_that_works() -> None:
    for command, words in {
        "docker run --gpus all image python train.py": "begin `tui-trainer watch` inside it",
        "/usr/bin/podman exec c python t.py": "a container of podman",
        "ssh host python train.py": "`ssh … tui-trainer watch -- COMMAND`",
        "nohup srun -N 2 python train.py": "`srun … tui-trainer watch -- COMMAND`",
        "sudo python train.py": "sudo empties the environment",
        "env -i python train.py": "env empties the environment",
        "python -I train.py": "python -I does not load what watches",
        "python3.11 -uE train.py": "python -E does not load what watches",
        "env A=1 /opt/bin/python -S -m x": "python -S does not load what watches",
        "python -W ignore -I train.py": "python -I does not load",
        "uv run python -I train.py": "python -I does not load",
    }.items():
        assert words in out_of_sight.reason(shlex.split(command)), command


@pytest.mark.never_says(
    "command.in_container", "command.elsewhere", "command.environment_emptied", "command.python_isolated"
)
def test_commands_in_sight_are_not() -> None:
    for command in (
        "python train.py",
        "python train.py -I",
        "python train.py -E docker",
        "python -m pkg.Image -I",
        "python -mImage",
        "python -c I",
        "python -X importtime -u train.py",
        "python -W Ignore train.py",
        "python -WI train.py",
        "env A=1 python train.py",
        "torchrun --nproc-per-node 2 train.py",
        "uv run train.py --ssh ssh",
        "sh -c 'docker build'",
        "./docker.sh",
        "accelerate launch train.py -I",
        "nohup python train.py sudo",
    ):
        assert out_of_sight.reason(shlex.split(command)) == "", command
