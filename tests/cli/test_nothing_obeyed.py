"""Text of others is printed by no command in a form that a terminal obeys: by all that there are, on both ways out."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.cli.conftest import SMALL, with_broken_torch
from tests.compare.made import session_of
from tests.tainted import SHOWN, TAINT, obeyed, tainted_presets, tainted_record, tainted_session
from tests.terminal import Terminal
from tui_trainer.cli import main
from tui_trainer.events import CommandAnswered
from tui_trainer.records.record import Record
from tui_trainer.text.plain import plain

pytestmark = pytest.mark.slow

REPOSITORY = str(Path(__file__).parents[2])

QUICK = ["--model", "mlp", "--limit-train", "200", "--threads", "1", "--device", "cpu"]
"""What a test of LRs is made on."""

SCREENS = {"launch", "attach", "serve"}
"""What draws a screen, which `tests/ui/test_text_is_text.py` looks at; here, what they say before."""

COMMANDS: dict[str, list[list[str]]] = {
    "launch": [["--preset", "ac"], ["--preset", f"no{TAINT}"], [TAINT]],
    "run": [["--preset", "aa", *SMALL, "--name", TAINT], ["--preset", "ac"], ["--preset", f"./{TAINT}.toml"]],
    "watch": [["--", f"no{TAINT}"], ["--name", TAINT], ["--plain", "--", f"./{TAINT}"]],
    "attach": [[f"no{TAINT}"]],
    "compare": [
        ["RUN", "OTHER"],
        ["aa", "RUN", *SMALL, "--epochs", "1"],
        ["--list"],
        ["--list", "--json"],
        [f"no{TAINT}", "aa"],
        ["RUN", "OTHER", "--report", f"/dev/null/{TAINT}.md"],
        ["aa", "--grid", f"optimizer.lr={TAINT}"],
        ["aa", "--random", "2", "--space", f"optimizer.lr=log:{TAINT}"],
        ["aa", "--grid", f"optimizer.name={TAINT.replace(',', '')!r}"],
    ],
    "runs": [
        [],
        ["--json"],
        ["--runs-dir", f"/dev/null/{TAINT}"],
        ["--filter", f"{TAINT}>"],
        ["--filter", f"{TAINT}<1"],
    ],
    "stream": [["RUN"], ["RUN", "--json"], [f"no{TAINT}"]],
    "export": [["RUN", "--out", f"out {TAINT}"], [f"no{TAINT}", "--out", "out"]],
    "stop": [["RUN"], ["LIVE"], [f"no{TAINT}"]],
    "pause": [["RUN"], ["LIVE"]],
    "resume": [["RUN"], ["LIVE"], [f"no{TAINT}"]],
    "checkpoint": [["RUN"], ["LIVE"]],
    "switch": [["RUN", "ac"], ["LIVE", "aa"], ["RUN", f"no{TAINT}"]],
    "ask": [["RUN", TAINT], [f"no{TAINT}", "{}"], ["LIVE", '{"type": "OneBatch", "by": "\\u001b[31m"}']],
    "epochs": [["RUN", "3"], ["LIVE", "3"], ["RUN", f"3{TAINT}"], [f"no{TAINT}", "3"]],
    "lr": [["RUN", "0.1"], ["LIVE", "x0.5"], ["RUN", f"x{TAINT}"], [f"no{TAINT}", "0.1"]],
    "rerun": [["RUN"], [f"no{TAINT}"]],
    "rename": [["RUN", TAINT], [f"no{TAINT}", "x"]],
    "delete": [["RUN", "--yes"], [f"no{TAINT}", "--yes"]],
    "prune": [
        ["--status", "finished", "--yes"],
        ["--filter", f"{TAINT}>"],
        ["--older-than", TAINT],
        ["--larger-than", TAINT],
    ],
    "find-lr": [
        ["ac"],
        [f"no{TAINT}"],
        ["aa", *QUICK, "--write", f"./{TAINT}.toml", "--yes"],
        ["aa", "--write", TAINT.replace("/", "")],
    ],
    "presets list": [[], ["--json"]],
    "presets show": [["aa"], ["ac"], ["ad"], [f"no{TAINT}"]],
    "presets check": [["aa", "ac", "ad", f"no{TAINT}"], [f"ab {TAINT}".replace("/", "_")]],
    "presets plan": [["aa"], ["ac"]],
    "serve": [["--", TAINT], ["--host", TAINT]],
    "completion": [["bash"], [TAINT]],
    "doctor": [[], [TAINT]],
}


def all_commands(group: click.Group, above: str = "") -> Iterator[str]:
    """As the command line's own table has them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield from all_commands(command, f"{name} ") if isinstance(command, click.Group) else [above + name]


def test_every_command_is_looked_at_here() -> None:
    assert set(COMMANDS) == set(all_commands(main))


CASES = [(command, *arguments) for command, every in COMMANDS.items() for arguments in every]


@pytest.fixture
def there(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Two runs, a comparison of them and presets, all tainted; and a live run that answers in tainted words."""
    monkeypatch.chdir(tmp_path)
    tainted_presets(tmp_path / "config" / "tui-trainer" / "presets")
    folders = [tainted_record(runs, epochs=2, batches=5, seed=seed) for seed in range(2)]
    session = session_of(runs, folders)
    tainted_session(session.folder)
    live = Record.create(runs, {"preset_name": TAINT, "name": TAINT})
    with _answering(live):
        yield {"RUN": folders[0].name, "OTHER": folders[1].name, "LIVE": live.id}
    live.close()


@contextlib.contextmanager
def _answering(live: Record) -> Iterator[None]:
    over = threading.Event()

    def answer() -> None:
        while not over.wait(0.02):
            for command in live.inbox.poll():
                words = {"command": TAINT, "by": TAINT, "answer": f"{TAINT}done"}
                live.emit(CommandAnswered(at=1.0, id=command.id, accepted=True, **words))

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def words(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """A command; what `doctor` is told by torch is tainted too."""
    if request.param[0] == "doctor":
        monkeypatch.setenv("PYTHONPATH", with_broken_torch(tmp_path / "broken", TAINT))
    given: tuple[str, ...] = request.param
    return given


@pytest.mark.parametrize("words", CASES, ids=lambda words: plain(" ".join(words))[:60], indirect=True)
def test_a_pipe_gets_none_of_it(there: dict[str, str], words: tuple[str, ...]) -> None:
    command, *arguments = words
    result = CliRunner().invoke(main, [*command.split(), *(there.get(each, each) for each in arguments)])
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    said = result.stdout + result.stderr
    assert said
    assert not [c for c in said if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"], ascii(said)
    assert not obeyed(said.encode()), ascii(said)
    if "--json" in arguments:
        documents = result.stdout.splitlines() if command == "stream" else [result.stdout]
        assert _holds([json.loads(document) for document in documents], TAINT.partition(SHOWN)[0])


def _holds(value: object, text: str) -> bool:
    """Whether JSON still means the very text."""
    if isinstance(value, dict):
        return any(_holds(each, text) for each in value.values())
    if isinstance(value, list):
        return any(_holds(each, text) for each in value)
    return isinstance(value, str) and text in value


@pytest.mark.parametrize(
    "words",
    [case for case in CASES if case[0] not in (*SCREENS, "presets check", "presets plan")],  # those load torch for it
    ids=lambda words: plain(" ".join(words))[:60],
    indirect=True,
)
def test_a_terminal_gets_none_of_it(there: dict[str, str], words: tuple[str, ...]) -> None:
    command, *arguments = words
    given = [there.get(each, each) for each in arguments]
    more = ["--exit-when-done"] if command == "compare" and "--list" not in words else []
    with Terminal(*command.split(), *given, *more) as terminal:
        terminal.wait()
    assert terminal.text
    assert not obeyed(terminal.text), ascii(terminal.text)


def test_what_is_shown_of_a_preset_means_what_its_file_means(there: dict[str, str], tmp_path: Path) -> None:
    import tomllib

    file = tmp_path / "config" / "tui-trainer" / "presets" / "aa.toml"
    shown = CliRunner().invoke(main, ["presets", "show", "aa"])
    assert tomllib.loads(shown.stdout) == tomllib.loads(file.read_text())
    assert "\\u202e" in shown.stdout
    for name in ("steplr", "onecycle"):
        shipped = Path(REPOSITORY) / "presets" / f"{name}.toml"
        assert CliRunner().invoke(main, ["presets", "show", name]).stdout == shipped.read_text()


def test_what_a_library_or_a_traceback_prints_passes_the_same_door() -> None:
    script = (
        "import sys, warnings; from tui_trainer.text.output import guard; guard()\n"
        f"text = {TAINT!r}\n"
        "print(text); print(text, file=sys.stderr); warnings.warn(text); sys.stdout.buffer.write(text.encode())\n"
        "raise ValueError(text)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=REPOSITORY)
    assert done.stdout.count(SHOWN.encode()) == 2
    assert done.stderr.count(b"\\u202e" + b"\\u2067") >= 3
    assert not obeyed(done.stdout + done.stderr)
    assert b"\x1b" not in done.stdout + done.stderr


def test_a_bar_shows_what_is_printed_beside_it_as_text(tmp_path: Path) -> None:
    script = tmp_path / "beside.py"
    script.write_text(
        "import sys; from tui_trainer.text.output import guard; guard()\n"
        "from tui_trainer.cli.console import Bar\n"
        f"text = {TAINT!r}\n"
        "bar = Bar(sys.stdout); bar._progress.update(bar._task, description=text)\n"
        "print(text); print(text, file=sys.stderr); bar.close()\n"
    )
    with Terminal(module="beside", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}) as terminal:
        terminal.wait()
    assert terminal.text.count(SHOWN.encode()) == 2  # what was printed
    assert b"\\u001b]52" in terminal.text  # the bar's own words
    assert b"\x1b[" in terminal.text
    assert not obeyed(terminal.text)


def test_what_native_code_prints_beneath_a_screen_is_shown_as_text_after_it(tmp_path: Path) -> None:
    (tmp_path / "beneath.py").write_text(
        "import os\n"
        "from tui_trainer.ui.terminal.terminal import Terminal\n"
        f"with Terminal(): os.write(1, {TAINT!r}.encode())\n"
    )
    with Terminal(module="beneath", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}) as terminal:
        assert terminal.wait() == 0
    assert SHOWN.encode() in terminal.text
    assert not obeyed(terminal.text)
