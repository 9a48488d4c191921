"""What the screen says of a run that ended before its time, and the way on that it names."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.app import App

from tests.scripted import START, scripted_run
from tests.scripted_watched import mnist_like
from tests.ui.conftest import Show
from tests.ui.scripted_source import ScriptedHost, ScriptedLauncher
from tui_trainer.errors import UserError
from tui_trainer.events import CheckpointSaved, EndStatus, RunConfigured, RunEnded, RunStarted
from tui_trainer.records.history import History
from tui_trainer.records.record import Record
from tui_trainer.remote.address import Address
from tui_trainer.run_sources import kernel_log
from tui_trainer.run_sources.crash_report import CrashReport, crash_report
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.kernel_log import Message
from tui_trainer.run_sources.run_source import READONLY, Capabilities
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.ui.background_tasks import BackgroundTasks
from tui_trainer.ui.live.aftermath import Aftermath, Ways, way_on
from tui_trainer.ui.live.status_lines import ending
from tui_trainer.ui.presets.editor import EditorScreen
from tui_trainer.ui.trainer_screen import KeyLine

PID = 4711
WHOLE = [event for event in scripted_run(epochs=2, batches=10) if not isinstance(event, CheckpointSaved)]
HALF = WHOLE[: len(WHOLE) // 2]
SAVED = CheckpointSaved(at=START + 1, step=10, epoch=1, file="checkpoints/last.pt")

LOG = """epoch 1  train_loss 0.5
Traceback (most recent call last):
  File "train.py", line 7, in <module>
    loss.backward()
{error}
crashed: {error}; lowest val_loss 0.4
"""

HERE, NOWHERE = Ways(resume=True, pick=True), Ways()
FAR = Address("box", "me", path="/srv/all runs/night")
OVER_SSH = Ways(address=FAR)
RESUMES = "R resumes it from its checkpoint, after step 10, in a process of its own"


def said(at: float, text: str) -> Message:
    return Message(START + at, text)


@dataclass
class Case:
    """An end, what there is beside it, and what is said."""

    reason: str
    way: str
    status: str = "crashed"
    causes: tuple[str, ...] = ()
    printed: str = ""
    """The last line that is shown of the log."""
    kernel: tuple[Message, ...] = ()
    group: int = 0
    saved: bool = True
    """Whether it has a checkpoint."""
    tells_of_it: bool = True
    """Whether its record tells of that."""
    device: str = "cpu"
    host: str = ""
    ways: Ways = HERE
    by_default: bool = False
    """Whether its folder is that of all runs."""
    ids: frozenset[str] = frozenset({"crash.resumes"})


OOM = "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
KILLED = said(5, f"Out of memory: Killed process {PID} (python) total-vm:1kB, anon-rss:1kB")
XID = "NVRM: Xid (PCI:0000:65:00): 79, pid={pid}, name=python, GPU has fallen off the bus."
NEEDS = "had no memory left: resumed, it needs as much again; a smaller --batch-size, or another --model, less"
BY_KERNEL = (f"the kernel ended it because memory ran out: its log says so of process {PID}",)
BY_GROUP = ("since it began the kernel has ended 1 in its control group for want of memory: maybe this one",)
RUNS_OUT, GROUP, ON_GPU, ON_CPU = "crash.out_of_memory", "crash.group_out_of_memory", "crash.of_gpu", "crash.of_cpu"

CASES = {
    "kill -9": Case(CAPTIONS["end.gone"].words, RESUMES),
    "kill -9, no checkpoint": Case(
        CAPTIONS["end.gone"].words,
        "R trains it again from the first step: there is no checkpoint",
        saved=False,
        ids=frozenset({"crash.begins_again"}),
    ),
    "kill -9 before the record told of its checkpoint": Case(
        CAPTIONS["end.gone"].words,
        "R resumes it from its checkpoint, in a process of its own",
        tells_of_it=False,
        ids=frozenset({"crash.resumes_untold"}),
    ),
    "kill -9, seen read-only": Case(
        CAPTIONS["end.gone"].words,
        "tui-trainer resume RUN --runs-dir RUNS goes on with it",
        ways=NOWHERE,
        ids=frozenset({"crash.command_resumes"}),
    ),
    "kill -9, seen read-only where runs lie by themselves": Case(
        CAPTIONS["end.gone"].words,
        "tui-trainer resume RUN goes on with it",
        ways=NOWHERE,
        by_default=True,
        ids=frozenset({"crash.command_resumes"}),
    ),
    "kill -9, seen over ssh": Case(
        CAPTIONS["end.gone"].words,
        "on me@box, tui-trainer resume night --runs-dir '/srv/all runs' goes on with it",
        ways=OVER_SSH,
        by_default=True,
        ids=frozenset({"crash.command_resumes"}),
    ),
    "the kernel, for memory": Case(
        CAPTIONS["end.gone"].words,
        RESUMES,
        causes=BY_KERNEL,
        kernel=(KILLED,),
        ids=frozenset({"crash.resumes", "crash.killed_for_memory"}),
    ),
    "the kernel, another process": Case(
        CAPTIONS["end.gone"].words,
        RESUMES,
        kernel=(said(5, "Out of memory: Killed process 47110 (python)"), said(-900, KILLED.text)),
    ),
    "the kernel, another machine": Case(
        CAPTIONS["end.gone"].words, RESUMES, kernel=(KILLED,), group=1, host="elsewhere"
    ),
    "the control group, for memory": Case(
        CAPTIONS["end.gone"].words, RESUMES, causes=BY_GROUP, group=1, ids=frozenset({"crash.resumes", GROUP})
    ),
    "out of memory on CUDA": Case(
        OOM,
        RESUMES,
        causes=(f"the GPU {NEEDS}",),
        printed=OOM,
        device="cuda:0",
        kernel=(KILLED,),
        group=1,
        ids=frozenset({"crash.resumes", RUNS_OUT, ON_GPU}),
    ),
    "out of memory on the CPU": Case(
        "RuntimeError: DefaultCPUAllocator: can't allocate memory",
        RESUMES,
        causes=(f"the machine {NEEDS}",),
        printed="RuntimeError: DefaultCPUAllocator: can't allocate memory",
        ids=frozenset({"crash.resumes", RUNS_OUT, ON_CPU}),
    ),
    "an exception": Case("ValueError: shapes differ", RESUMES, printed="ValueError: shapes differ"),
    "a GPU that is gone": Case(
        "RuntimeError: CUDA error: unspecified launch failure",
        RESUMES,
        printed="RuntimeError: CUDA error: unspecified launch failure",
        causes=("the NVIDIA driver told of Xid 79 at ",),
        kernel=(said(5, XID.format(pid=PID)), said(-600, XID.format(pid=PID)), said(6, XID.format(pid=99))),
        device="cuda:0",
        ids=frozenset({"crash.resumes", "crash.xid"}),
    ),
    "an Xid is nothing to the CPU": Case(
        "ValueError: x", RESUMES, printed="ValueError: x", kernel=(said(5, XID.format(pid=PID)),)
    ),
    "a full disk": Case(
        "10 epochs; nothing was recorded after step 10: no space is left on the device",
        "its record is cut off: make room on the disk of FOLDER",
        status="finished",
        ids=frozenset({"crash.make_room"}),
    ),
    "a full disk, over ssh": Case(
        "10 epochs; nothing was recorded after step 10: no space is left on the device",
        "its record is cut off: make room on the disk of ssh://me@box/srv/all%20runs/night",
        status="finished",
        ways=OVER_SSH,
        ids=frozenset({"crash.make_room"}),
    ),
    "data that is gone": Case(
        "mnist: nothing at /data/mnist; --data-dir names another folder",
        RESUMES,
        printed="mnist: nothing at /data/mnist; --data-dir names another folder",
    ),
    "NaN": Case(
        "loss is nan",
        "resumed, it would diverge again: a lower LR or a warmup may do; p picks a preset, e edits a copy of it",
        status="diverged",
        ids=frozenset({"crash.diverged", "crash.pick"}),
    ),
    "NaN, in a view": Case(
        "loss is nan",
        "resumed, it would diverge again: a lower LR or a warmup may do",
        status="diverged",
        ways=NOWHERE,
        ids=frozenset({"crash.diverged"}),
    ),
    "stopped": Case("stopped from the shell", RESUMES, status="stopped"),
}


@pytest.mark.says("crash.*")
@pytest.mark.never_says("crash.*")
@pytest.mark.parametrize("name", CASES)
def test_each_end_has_its_words_and_its_way_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    case = CASES[name]
    monkeypatch.setattr(kernel_log, "messages", lambda: list(case.kernel))
    monkeypatch.setattr(kernel_log, "knows_pids", lambda: True)
    if case.by_default:
        monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path))
    monkeypatch.setattr(kernel_log, "memory_kills_since", lambda then: case.group)
    record = Record.create(tmp_path, {"preset_name": "none"})
    record.describe({"memory_kills": {"count": 0}})
    if case.saved:
        (record.checkpoints / "last.pt").write_bytes(b"")
    if case.printed:
        (record.folder / "log.txt").write_text(LOG.format(error=case.reason))
    record.close()
    history = History()
    ended = RunEnded(at=START + 10, status=case.status, reason=case.reason, step=10, epoch=1, exit_code=1)  # type: ignore[arg-type]
    for event in [*HALF, SAVED, ended] if case.saved and case.tells_of_it else [*HALF, ended]:
        if isinstance(event, RunStarted):
            event = replace(event, pid=PID, host=case.host or socket.gethostname(), at=START)
        if isinstance(event, RunConfigured):
            event = replace(event, device=case.device)
        history.apply(event)
    report = crash_report(record.folder, ended, history.started, case.device)
    assert len(report.causes) == len(case.causes)
    assert all(told.startswith(words) for told, words in zip(report.causes, case.causes, strict=True))
    assert (report.printed[-1] if report.printed else "") == case.printed
    way = case.way.replace("RUNS", str(tmp_path)).replace("RUN", record.id).replace("FOLDER", str(record.folder))
    assert way_on(history, record.folder, report, case.ways) == way
    assert case.reason in ending(history) or case.status == "finished"
    assert {id for id in captions_said if id.startswith("crash.")} == case.ids


@pytest.mark.never_says("end.gone")
@pytest.mark.never_says("crash.resumes", "crash.make_room")
def test_nothing_is_said_of_one_that_has_finished(tmp_path: Path, captions_said: set[str]) -> None:
    history = History()
    for event in WHOLE:
        history.apply(event)
    assert history.ended is not None
    report = crash_report(tmp_path, history.ended, history.started)
    assert way_on(history, tmp_path, report, HERE) == ""
    assert not {id for id in captions_said if id.startswith("crash.")}


@pytest.mark.parametrize(
    ("status", "options"),
    [("crashed", "--allow-code"), ("stopped", "--allow-code"), ("finished", "--epochs EPOCHS --allow-code")],
)
@pytest.mark.says("question.resumes_none")
@pytest.mark.never_says("crash.resumes")
async def test_no_key_goes_on_with_a_run_of_a_persons_own_code(
    show: Show, tmp_path: Path, status: EndStatus, options: str, captions_said: set[str]
) -> None:
    """It was named, and then refused it."""
    end = RunEnded(at=START + 10, status=status, reason="x", step=10, epoch=1, exit_code=1)
    coded = [
        replace(event, code={"loss": "mine:focal"}) if isinstance(event, RunConfigured) else event for event in HALF
    ]
    host = ScriptedHost([*coded, SAVED, end])
    host.folder = tmp_path
    resumed: list[Path] = []
    async with show(host, size=(140, 40), on_resume=resumed.append) as shown:
        await shown.frame()
        assert "R resume" not in shown.text()
        command = f"tui-trainer resume {tmp_path.name} --runs-dir {tmp_path.parent} {options}"
        if status != "finished":
            assert f"{command} goes on with it" in " ".join(shown.text().split())
        await shown.press("R")
        assert "continues it; not from here" in " ".join(shown.text().split())
        assert options in shown.text()
    assert resumed == []
    assert "crash.resumes" not in captions_said


@pytest.mark.says("crash.command_reruns")
@pytest.mark.parametrize(
    ("by_default", "ways", "command"),
    [
        (True, HERE, "tui-trainer rerun RUN"),
        (False, HERE, "tui-trainer rerun RUN --runs-dir RUNS"),
        (True, OVER_SSH, "on me@box, tui-trainer rerun night --runs-dir '/srv/all runs'"),
    ],
)
def test_a_watched_command_is_run_once_more(
    by_default: bool, ways: Ways, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by_default:
        monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path))
    history = History()
    for event in mnist_like()[:30]:
        history.apply(event)
    ended = RunEnded(at=START + 10, status="crashed", reason="exit code 1", step=10, epoch=1, exit_code=1)
    history.apply(ended)
    report = crash_report(tmp_path, ended, history.started)
    words = f"{command.replace('RUNS', str(tmp_path))} begins its command anew"
    assert way_on(history, tmp_path / "RUN", report, ways) == words


@pytest.mark.never_says("crash.command_resumes", "crash.command_reruns")
def test_nothing_is_named_for_a_run_of_another_tool(tmp_path: Path, captions_said: set[str]) -> None:
    host = ScriptedHost(
        [*HALF, RunEnded(at=START, status="crashed", reason="lost", step=10, epoch=1, exit_code=1)], readonly=True
    )
    host.folder, host.capabilities = tmp_path, replace_fields(READONLY, checkpoints=False)
    host.poll()
    aftermath = Aftermath()
    aftermath.show(host, HERE, 80, 6, BackgroundTasks(App()))
    assert aftermath.height == 0
    assert not {id for id in captions_said if id.startswith("crash.")}


@pytest.mark.says("crash.resuming", "crash.resumed")
@pytest.mark.never_says("crash.not_begun")
async def test_R_goes_on_where_the_run_was_shown_and_the_screen_follows(
    show: Show, tmp_path: Path, captions_said: set[str]
) -> None:
    record = Record.create(tmp_path, {"preset_name": "none"})
    for event in [*HALF, SAVED]:
        record.emit(event)
    record.close()
    (record.checkpoints / "last.pt").write_bytes(b"")
    (record.folder / "log.txt").write_text(LOG.format(error="ValueError: shapes differ"))
    opened: list[Record] = []

    def resume(folder: Path) -> None:
        opened.append(again := Record.reopen(folder))
        again.emit(RunStarted(at=START + 20, run=again.id, schema=1, pid=1, host="box", resumed_from_step=10))

    crash = RunEnded(at=START + 10, status="crashed", reason="ValueError: shapes differ", step=10, epoch=1, exit_code=1)
    host = ScriptedHost([*HALF, SAVED])
    host.folder = record.folder
    async with show(host, size=(80, 24), on_resume=resume) as shown:
        assert shown.the(Aftermath).height == 0
        await shown.press("R")
        assert "it goes on: only a run that ended early can be resumed" in shown.text()
        await shown.frame(crash)
        await shown.frame()
        text = shown.text()
        assert "│     loss.backward()" in text
        assert "│ ValueError: shapes differ" in text
        assert RESUMES in text
        assert "R resume" in text
        assert captions_said >= {"crash.resumes"}
        await shown.press("R")
        source = shown.app.context.source
        assert isinstance(source, JournalSource)
        assert source.folder == record.folder
        assert host.closed
        shown.app.context.follow(source)
        assert source.history.ended is None
        assert f"{record.id} trains on, in a process of its own" in shown.text()
        assert shown.the(Aftermath).height == 0
    opened[0].close()


LONG_REASON = (
    "mnist is not in /data (MNIST/raw/train-images-idx3-ubyte is missing): --download fetches it, and --data-dir names "
    "another folder"
)


@pytest.mark.parametrize(("reason", "is_whole"), [(LONG_REASON, True), ("no data", False)])
async def test_why_a_run_crashed_is_said_whole_where_its_line_has_no_room_for_that(
    show: Show, tmp_path: Path, reason: str, is_whole: bool
) -> None:
    crash = RunEnded(at=START + 10, status="crashed", reason=reason, step=10, epoch=1, exit_code=2)
    host = ScriptedHost([*HALF, SAVED, crash])
    host.folder = tmp_path
    async with show(host, size=(80, 24)) as shown:
        await shown.frame()
        panel = shown.the(Aftermath)
        assert (reason in " ".join(" ".join(panel.plain()).split())) == is_whole
        where = "crashed after step 10"
        assert shown.line(where).strip() == (where if is_whole else f"{where}: {reason}")
        assert panel.height == len(panel.plain())


LONG_ERROR = (
    "FileNotFoundError: [Errno 2] No such file or directory: '/data/coco/train/annotations/a/long/way/down.json'"
)


@pytest.mark.parametrize("began", [True, False])
async def test_the_error_that_ended_it_is_said_whole_and_more_of_its_way_where_the_charts_are_empty(
    show: Show, tmp_path: Path, began: bool
) -> None:
    calls = "".join(f'  File "train.py", line {line}, in call_{line}\n    call()\n    ^^^^^^\n' for line in range(9))
    (tmp_path / "log.txt").write_text(f"Traceback (most recent call last):\n{calls}{LONG_ERROR}\n")
    end = RunEnded(at=START + 10, status="crashed", reason="x", step=10 if began else 0, epoch=1, exit_code=1)
    host = ScriptedHost([*(HALF if began else HALF[:1]), end])
    host.folder = tmp_path
    async with show(host, size=(80, 24)) as shown:
        await shown.frame()
        await shown.frame()
        lines = [line.strip(" │") for line in shown.the(Aftermath).plain()]
        assert LONG_ERROR in " ".join(lines)
        assert not any(line and not line.strip("^") for line in lines)
        assert ("in call_7" in " ".join(lines)) == (not began)


def test_an_error_of_many_words_leaves_room_for_the_way_on(tmp_path: Path) -> None:
    panel = Aftermath()
    panel._report = CrashReport(printed=("ValueError: " + "word " * 200,))
    _, lines = panel._printed(80)
    assert len(lines) == 3
    assert lines[0].startswith("ValueError: word")
    assert lines[-1].endswith("…")


GONE = "mnist: nothing at /data/mnist; --data-dir names another folder"

TRIED = {
    "kill -9": (CASES["kill -9"], "", "RUN trains on, in a process of its own"),
    "out of memory": (CASES["out of memory on the CPU"], "", "RUN trains on, in a process of its own"),
    "an exception": (CASES["an exception"], "", "RUN trains on, in a process of its own"),
    "a full disk": (CASES["a full disk"], "", "it has finished: only a run that ended early can be resumed"),
    "data that is gone": (CASES["data that is gone"], GONE, GONE),
    "NaN": (CASES["NaN"], "", "it has diverged: only a run that ended early can be resumed"),
}
"""How a run ends, what refuses to go on with it, and what is said once R is pressed."""


@pytest.mark.parametrize("name", TRIED)
async def test_the_keys_that_the_way_on_names_begin_what_it_says(name: str, show: Show, tmp_path: Path) -> None:
    case, refuses, said = TRIED[name]
    record = Record.create(tmp_path, {"preset_name": "none"})
    end = RunEnded(at=START + 10, status=case.status, reason=case.reason, step=10, epoch=1, exit_code=1)  # type: ignore[arg-type]
    for event in [*HALF, SAVED] if case.saved else HALF:
        record.emit(event)
    record.close()
    if case.saved:
        (record.checkpoints / "last.pt").write_bytes(b"")
    begun: list[tuple[Path, Record]] = []

    def resume(folder: Path) -> None:
        if refuses:
            raise UserError(refuses)
        begun.append((folder, Record.reopen(folder)))

    host = ScriptedHost([*HALF, SAVED, end] if case.saved else [*HALF, end])
    host.folder = record.folder
    launcher = ScriptedLauncher()
    async with show(host, size=(116, 24), launcher=launcher, on_resume=resume) as shown:
        await shown.frame()
        text = shown.text()
        way = case.way.replace("FOLDER", str(record.folder))
        assert way in " ".join(text.split())
        goes_on = way.startswith("R ")
        assert goes_on == ("R resume" in text)
        await shown.press("R")
        assert said.replace("RUN", record.id) in shown.text()
        assert "Error: " not in shown.text().splitlines()[-1]  # it is told as what it is, no fault of ours
        assert [folder for folder, _ in begun] == ([record.folder] if goes_on and not refuses else [])
        if "p picks a preset, e edits" in way:
            await shown.press("p", "e")
            assert isinstance(shown.app.screen, EditorScreen)
            await shown.press("escape", "enter")
            assert len(launcher.started) == 1
            assert shown.app.context.source is launcher.hosts[0]
    for _, opened in begun:
        opened.close()


@pytest.mark.says("remote.typed_there", "question.resumes_none")
@pytest.mark.never_says("crash.resumes", "crash.begins_again")
async def test_over_ssh_the_whole_command_is_shown_with_the_machine_to_type_it_on(
    show: Show, tmp_path: Path, captions_said: set[str]
) -> None:
    record = Record.create(tmp_path / "copies", {"preset_name": "none"})
    for event in [*HALF, SAVED]:
        record.emit(event)
    record.close()
    folder = "/srv/experiments of the whole group/of this year/runs"
    ended = RunEnded(at=START + 10, status="crashed", reason="ValueError: x", step=10, epoch=1, exit_code=1)
    host = ScriptedHost([*HALF, SAVED, ended])
    host.folder = record.folder
    host.capabilities = Capabilities(checkpoints=False, address=Address("box", path=f"{folder}/{record.id}"))
    command = f"on box, tui-trainer resume {record.id} --runs-dir '{folder}'"
    async with show(host, size=(80, 24)) as shown:  # nothing resumes, as `attach` has it
        lines = "\n".join(line.strip() for line in shown.text().splitlines())
        assert f"{command} goes on with it" in " ".join(lines.split())
        assert "R resume" not in lines
        await shown.press("R")
        assert f"{command} continues it; not from here" in " ".join(shown.text().split())
        shown.the(KeyLine).quiet()
        await shown.frame()
        # and the charts have their room again
        assert [line.strip() for line in shown.text().splitlines()] == lines.splitlines()
    assert captions_said >= {"remote.typed_there", "question.resumes_none"}
    assert not captions_said & {"crash.resumes", "crash.begins_again"}


@pytest.mark.never_says("remote.typed_there")
@pytest.mark.says("crash.not_begun")
@pytest.mark.never_says("crash.resuming", "crash.resumed", "crash.command_reruns")
async def test_a_run_that_never_began_has_nothing_to_go_on_with(show: Show, captions_said: set[str]) -> None:
    ended = RunEnded(at=START, status="crashed", reason="no such data", step=0, epoch=0, exit_code=2)
    async with show([ended], on_resume=lambda folder: None) as shown:
        await shown.press("R")
        assert "nothing to go on with: the run ended before it had a record" in shown.text()
    assert not {id for id in captions_said if id.startswith("crash.")} - {"crash.not_begun"}
    assert "remote.typed_there" not in captions_said


def test_each_is_said_in_a_case() -> None:
    others = {"crash.command_reruns", "crash.resuming", "crash.resumed", "crash.not_begun"}
    assert set().union(*(case.ids for case in CASES.values())) | others == {
        id for id in CAPTIONS if id.startswith("crash.")
    }
