"""`watch` without a screen: the command runs as if nobody watched, and its record is complete."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from tests.preloaded import Running, run
from tests.waiting import until
from tests.watch.watching import ACTING, ended, history, log_of, the_run, trains
from tui_trainer.records.run_index import summaries

Script = Callable[[str], list[str]]


def watch(*command: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    return run("watch", *options, "--", *command)


@pytest.mark.parametrize(
    ("end", "code", "status"),
    [
        ("0", 0, "finished"),
        ("5", 5, "crashed"),
        ("1", 1, "crashed"),
        ("3", 3, "crashed"),
        ("'a word'", 1, "crashed"),
        ("130", 130, "stopped"),
        ("143", 143, "stopped"),
    ],
)
def test_the_exit_code_is_the_commands(runs: Path, script: Script, end: str, code: int, status: str) -> None:
    done = watch(*script(f"import sys; sys.exit({end})"))
    assert done.returncode == code
    goodbye = ended(the_run(runs))
    assert (goodbye.status, goodbye.exit_code) == (status, code)


@pytest.mark.parametrize(
    ("number", "status", "why"),
    [
        (signal.SIGTERM, "stopped", ""),
        (signal.SIGINT, "stopped", ""),
        (signal.SIGKILL, "crashed", ", as the system does where memory runs out"),
        (signal.SIGSEGV, "crashed", ", an error in native code"),
    ],
)
def test_a_signal_that_ends_it_is_told_as_a_shell_does(
    runs: Path, script: Script, number: signal.Signals, status: str, why: str
) -> None:
    text = f"import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), {number})"
    done = watch(*script(text))
    goodbye = ended(the_run(runs))
    assert (done.returncode, goodbye.exit_code, goodbye.status) == (128 + number, 128 + number, status)
    assert goodbye.reason.startswith(f"the command was ended by {number.name}{why}")


def test_what_failed_and_trained_nothing_says_both(runs: Path) -> None:
    watch("sh", "-c", "exit 5")
    goodbye = ended(the_run(runs))
    assert goodbye.reason == (
        "the command ended with exit code 5; no training was seen: no optimizer of PyTorch took a step in a Python "
        "process that can be seen from here"
    )


def test_what_it_told_is_recorded_to_the_last_step(runs: Path) -> None:
    done = watch(*ACTING, "--steps", "500")
    told = history(the_run(runs))
    assert done.returncode == 0
    assert done.stdout == "done\n"
    assert told.last_step == 500
    assert told.ended is not None
    assert told.ended.reason == "the command ended"
    assert told.program is not None
    assert told.program.command == [*ACTING, "--steps", "500"]
    assert told.program.cwd == str(Path.cwd())
    assert not (the_run(runs) / "traces").exists()


def test_the_record_is_complete_as_the_command_returns(runs: Path) -> None:
    watch(*ACTING, "--steps", "50")
    (summary,) = summaries(runs)
    assert (summary.status, summary.steps_done, summary.preset) == ("finished", 50, None)
    assert "acting" in summary.id


BYTES = bytes(range(256)) * 41 + b"\xff\xfe\x00 no end of line"


def test_output_passes_byte_for_byte(runs: Path, script: Script, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(BYTES)
    text = f"""
import os
data = open({str(tmp_path / "bytes")!r}, "rb").read()
os.write(1, data); os.write(2, data[::-1])
"""
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        assert run("watch", "--", *script(text), stdout=out, stderr=err).returncode == 0
    assert (tmp_path / "out").read_bytes() == BYTES
    assert (tmp_path / "err").read_bytes() == BYTES[::-1]
    kept = log_of(the_run(runs))
    assert not [character for character in kept if character < " " and character not in "\r\n\t"]


def test_what_goes_to_one_place_keeps_its_order(runs: Path, script: Script, tmp_path: Path) -> None:
    text = "import os\nfor i in range(300): os.write(1 + i % 2, b'%d\\n' % i)"
    with (tmp_path / "both").open("wb") as both:
        run("watch", "--", *script(text), stdout=both, stderr=both)
    assert (tmp_path / "both").read_text() == "".join(f"{i}\n" for i in range(300))


def test_a_reader_that_leaves_ends_it_as_it_would(runs: Path, script: Script) -> None:
    text = "import signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\nwhile True: print('x' * 1000)"
    reads, writes = os.pipe()
    with Running("watch", "--", *script(text), stdout=writes) as running:
        os.close(writes)
        assert os.read(reads, 10) == b"x" * 10
        os.close(reads)
        assert running.wait() == 128 + signal.SIGPIPE


def test_its_input_is_the_one_that_was_given(runs: Path, script: Script) -> None:
    text = "import sys; print(sys.stdin.isatty(), sys.stdin.read().upper())"
    with Running("watch", "--", *script(text), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(b"typed and never kept")
        running.stdin.close()
        assert running.stdout.read() == b"False TYPED AND NEVER KEPT\n"
        assert running.wait() == 0
    folder = the_run(runs)
    kept = [path.name for path in folder.rglob("*") if path.is_file() and b"typed and never kept" in path.read_bytes()]
    assert kept == []


def test_descriptors_that_a_shell_opened_reach_it(runs: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m tui_trainer watch -- sh -c 'echo through >&7' 7>{tmp_path / 'seven'}"
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 0
    assert (tmp_path / "seven").read_text() == "through\n"


def test_its_environment_is_as_it_was_but_for_what_watches(runs: Path, script: Script, tmp_path: Path) -> None:
    text = f"import json, os; json.dump(dict(os.environ), open({str(tmp_path / 'env')!r}, 'w'))"
    command = script(text)
    done = [sys.executable, "-m", "tui_trainer", "watch", "--", *command]
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{tmp_path}"}
    environment.pop("PYDANTIC_DISABLE_PLUGINS", None)
    subprocess.run(done, env=environment, check=True)
    import json

    its = json.loads((tmp_path / "env").read_text())
    ours, _, theirs = its.pop("PYTHONPATH").partition(os.pathsep)
    assert theirs == environment.pop("PYTHONPATH")
    assert Path(ours).name == "injected"
    assert Path(its.pop("TUI_TRAINER_WATCH")).parent.parent == runs
    its.pop("LC_CTYPE", None)  # python's own coercion
    assert its == environment


@pytest.mark.parametrize("how", ["nowhere", "./nowhere"])
def test_what_is_not_there_is_said_and_leaves_no_record(runs: Path, how: str) -> None:
    done = watch(how)
    assert done.returncode == 127
    assert done.stderr == f"watch: {how}: command not found\n"
    assert not runs.exists() or not list(runs.iterdir())


def test_what_cannot_be_run_is_said_and_leaves_no_record(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text("#!/no/such/interpreter\n")
    assert watch(str(file)).returncode == 126
    file.chmod(0o755)
    done = watch(str(file))
    assert done.returncode == 126
    assert done.stderr == f"watch: {file}: the program that its first line names is not there\n"
    assert watch(str(tmp_path)).returncode == 126
    assert not runs.exists() or not list(runs.iterdir())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="programs are of another form there")
def test_a_program_whose_loader_is_not_there_is_not_said_to_have_a_first_line(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "program"
    program = Path("/bin/true").read_bytes()
    asked_for = re.search(rb"/lib[^\x00]*/ld-[^\x00]*\x00", program)
    assert asked_for is not None
    file.write_bytes(program.replace(asked_for[0], asked_for[0].replace(b"ld-", b"no-")))
    file.chmod(0o755)
    done = watch(str(file))
    assert (done.returncode, done.stderr) == (126, f"watch: {file}: the loader that it asks for is not there\n")


def test_a_script_that_does_not_say_what_runs_it_is_run_by_sh(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text("echo by sh\nexit 4\n")
    file.chmod(0o755)
    done = watch(str(file))
    assert (done.stdout, done.returncode) == ("by sh\n", 4)


def test_without_a_command_it_says_what_to_type(runs: Path) -> None:
    done = run("watch")
    assert (done.returncode, done.stderr) == (
        2,
        "there is no command to watch: tui-trainer watch -- python train.py\n",
    )


def test_the_commands_own_options_are_its_own(runs: Path) -> None:
    done = run("watch", "--name", "mine", "sh", "-c", 'echo "$0" "$@"', "--name", "its")
    assert done.stdout == "--name its\n"
    (summary,) = summaries(runs)
    assert summary.name == "mine"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT])
def test_signals_reach_it_once(runs: Path, script: Script, number: signal.Signals, tmp_path: Path) -> None:
    text = f"""
import signal, sys, time
came = []
signal.signal({int(number)}, lambda number, _: came.append(number))
print("ready", flush=True)
while not came: time.sleep(0.01)
time.sleep(0.3)
print(len(came), flush=True)
sys.exit(7)
"""
    with Running("watch", "--", *script(text), stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(number)
        assert running.stdout.read() == b"1\n"
        assert running.wait() == 7


def test_a_command_that_ignores_a_signal_goes_on(runs: Path, endless: list[str]) -> None:
    with Running("watch", "--", *endless, "--ignore", str(int(signal.SIGTERM))) as running:
        folder = the_run(runs)
        step = trains(folder)
        running.terminate()
        trains(folder, step + 30)
        running.send_signal(signal.SIGINT)
        assert running.wait() == 130
    assert ended(folder).status == "stopped"


def test_a_daemon_that_it_leaves_behind_holds_nobody_up(runs: Path, script: Script, tmp_path: Path) -> None:
    """It goes on, and what it prints goes where it was to go."""
    text = f"""
import os, time
print("begun", flush=True)
if os.fork() == 0:
    os.setsid()
    while not os.path.exists({str(tmp_path / "end")!r}): time.sleep(0.01)
    print("late", flush=True)
"""
    with (tmp_path / "out").open("w") as out:
        running = Running("watch", "--", *script(text), stdout=out)
    assert running.wait() == 0
    assert (tmp_path / "out").read_text() == "begun\n"
    (tmp_path / "end").touch()
    assert ended(the_run(runs)).status == "finished"
    until(lambda: (tmp_path / "out").read_text() == "begun\nlate\n")
    until(lambda: "late" in log_of(the_run(runs)))


def test_a_training_that_outlives_the_command_is_recorded_to_its_end(runs: Path) -> None:
    with Running("watch", "--", "sh", "-c", " ".join([*ACTING, "--steps", "60", "--seconds", "0.02", "&"])) as running:
        assert running.wait() == 0
    folder = the_run(runs)
    assert ended(folder).exit_code == 0
    assert history(folder).last_step == 60


def test_a_hundred_megabytes_cost_little_and_all_of_them_pass(runs: Path, script: Script, tmp_path: Path) -> None:
    text = """
import os
line = b"a line of output, as long as many are: loss 0.1234, accuracy 0.5678\\n" * 1000
for _ in range(100 * 2**20 // len(line) + 1): os.write(1, line)
"""
    with (tmp_path / "out").open("wb") as out:
        before = os.times()
        subprocess.run([sys.executable, "-m", "tui_trainer", "watch", "--", *script(text)], stdout=out, check=True)
        after = os.times()
    assert (tmp_path / "out").stat().st_size >= 100 * 2**20
    folder = the_run(runs)
    assert (folder / "log.txt").stat().st_size <= 5 * 2**20
    assert "came too fast to be kept" in log_of(folder) or "are left out here" in log_of(folder)
    spent = sum(after[2:4]) - sum(before[2:4])
    assert spent < 15.0, "of processor time, of all of it together"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk")
def test_a_full_disk_ends_no_training(runs: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run("watch", "--", *ACTING, "--steps", "20", stdout=full)
    assert done.returncode == 0
    assert history(the_run(runs)).last_step == 20


def test_no_room_for_the_record_ends_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can make a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False)
    if made.returncode:
        pytest.skip("no small disk can be made here")
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(disk / "runs"))
    try:
        with Running("watch", "--", *ACTING, "--steps", "200", "--seconds", "0.01", stdout=subprocess.PIPE) as running:
            folder = the_run(disk / "runs")
            trains(folder)
            with contextlib.suppress(OSError), (disk / "filler").open("wb") as filler:
                while True:
                    filler.write(b"x" * 4096)
                    filler.flush()
            assert running.stdout is not None
            assert running.stdout.read() == b"done\n"
            assert running.wait() == 0
        assert not [p for p in psutil.process_iter() if _is_in(p, disk)]
    finally:
        until(lambda: subprocess.run(["umount", str(disk)], check=False, capture_output=True).returncode == 0)


def _is_in(process: psutil.Process, folder: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.cwd().startswith(str(folder))
    return False


def test_who_watches_loads_neither_torch_nor_a_screen(runs: Path) -> None:
    """Nor does who keeps the record, which prints into the log."""
    command = [sys.executable, "-X", "importtime", "-m", "tui_trainer", "watch", "--", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first = _loaded(done.stderr)
    assert {"msgspec", "tui_trainer"} <= first
    assert not first & {"torch", "torchvision", "textual", "rich", "plotext", "pydantic", "numpy"}
    until(lambda: "numpy" in _loaded(log_of(the_run(runs))))
    assert not _loaded(log_of(the_run(runs))) & {"torch", "torchvision", "textual", "rich", "plotext"}


def _loaded(printed: str) -> set[str]:
    return {line.rpartition("|")[2].strip().split(".")[0] for line in printed.splitlines() if "|" in line}
