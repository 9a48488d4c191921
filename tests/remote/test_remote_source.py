"""Which run an address means, what may be asked of it, and what is said of the line to it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.foreign_records.event_files import event_file, scalars
from tests.remote.far_side import fake_ssh
from tests.scripted import scripted_run
from tests.scripted_record import over
from tests.waiting import until
from tui_trainer.cli.remote import far_runs, say_farewell
from tui_trainer.commands import OneBatch, Pause, SetEpochs, SetLR, SetPace, SwitchPreset, decode
from tui_trainer.errors import UserError
from tui_trainer.records.record import Record
from tui_trainer.remote import copies, following
from tui_trainer.remote.address import Address
from tui_trainer.run_sources.remote_record import IsRangeTest
from tui_trainer.run_sources.remote_source import RemoteSource

Attach = Callable[..., RemoteSource]


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of another machine."""
    home = tmp_path / "far"
    home.mkdir()
    fake_ssh(home, monkeypatch, first=f"echo $$ >'{home}/pid'")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr(following, "AGAIN_S", (0.05,))
    return home


@pytest.fixture
def runs(far: Path) -> Path:
    """The folder of runs there."""
    return far / ".local" / "share" / "tui-trainer" / "runs"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def attach(far: Path, said: list[str], tmp_path: Path) -> Iterator[Attach]:
    sources: list[RemoteSource] = []

    def attach(address: str, *, readonly: bool = False) -> RemoteSource:
        sources.append(RemoteSource(Address.of(address), readonly=readonly, asks=print, warn=said.append))
        return sources[-1]

    yield attach
    for source in sources:
        source.close()
    assert not list((tmp_path / "temporary").iterdir())


def polled(source: RemoteSource, condition: Callable[[], bool]) -> None:
    def looks() -> bool:
        source.poll()
        return condition()

    until(looks)


def numbers(source: RemoteSource) -> int:
    """How many were read, of all series."""
    return sum(len(series.values) for series in source.history.series.values())


def program(far: Path, says: str = "") -> Path:
    """A tui-trainer there, which notes what it is given; the file of that."""
    bin = far / ".local" / "bin"
    bin.mkdir(parents=True)
    (bin / "tui-trainer").write_text(f'#!/bin/sh\necho "$@" >>{far}/asked\n{says}\n')
    (bin / "tui-trainer").chmod(0o700)
    return far / "asked"


def test_an_address_means_a_path_a_run_by_its_name_or_the_newest_run(
    attach: Attach, far: Path, runs: Path, said: list[str]
) -> None:
    runs.mkdir(parents=True)
    older, newer = over(runs, name="night"), over(runs)
    os.utime(runs / older / "events.jsonl", (1e9, 1e9))
    for address, run in (
        ("ssh://box", newer),
        (f"ssh://box{runs}", newer),
        (f"ssh://box{runs}/{older}", older),
        ("ssh://box/~/.local/share/tui-trainer/runs", newer),
        ("ssh://box/night", older),
        (f"ssh://box/{older}", older),
        (f"ssh://box/{older[:-1]}", older),
    ):
        source = attach(address)
        assert source.address == Address("box", path=f"{runs}/{run}")
        polled(source, lambda source=source: source.history.ended is not None)  # type: ignore[misc]
        assert source.history.steps == scripted_steps()
    assert len(said) == 3
    assert said[0] == f"2 records in ssh://box: {newer} was written last; others: {older}"


def scripted_steps() -> int:
    return max(getattr(event, "step", 0) for event in scripted_run())


def test_records_of_other_tools_are_told_by_what_is_in_them(attach: Attach, far: Path, tmp_path: Path) -> None:
    event_file(far / "tb" / "one" / "train", scalars("loss", range(30)))
    event_file(far / "tb" / "one" / "validation", scalars("loss", range(20)))
    (far / "table").write_text("step,loss\n0,1.0\n1,0.5\n")
    (far / "hf" / "checkpoint-2").mkdir(parents=True)
    (far / "hf" / "checkpoint-2" / "trainer_state.json").write_text(
        '{"log_history":[{"step":1,"loss":1},{"step":2,"loss":0.5}]}'
    )
    (far / "hf" / "checkpoint-2" / "model.safetensors").write_bytes(b"x" * 1000)
    event_file(far / "d2", scalars("total_loss", range(30)))
    rows = (f'{{"iteration": {step}, "total_loss": {step / 2}}}\n' for step in range(30))
    (far / "d2" / "metrics.json").write_text("".join(rows))
    for path, count in (("tb", 50), ("tb/one", 50), ("table", 2), ("hf", 2), ("d2", 30)):
        source = attach(f"ssh://box/~/{path}")
        polled(source, lambda source=source, count=count: numbers(source) == count)  # type: ignore[misc]
        assert source.folder is None
        assert not source.capabilities.commands
        assert "another program trains it" in source.capabilities.refusal(Pause)
        assert source.capabilities.address is None  # nothing of ours goes on with it
    assert not list((tmp_path / "temporary").rglob("model.safetensors"))
    assert list((tmp_path / "temporary").rglob("trainer_state.json"))


@pytest.mark.parametrize("record", ["version_0/metrics.csv", "version_0", "outputs"])
def test_settings_and_checkpoints_beside_a_record_are_told_and_no_checkpoint_is_fetched(
    attach: Attach, far: Path, tmp_path: Path, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("foreign_records.settings", "foreign_records.checkpoints"):
        monkeypatch.setattr(f"tui_trainer.{module}.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("tui_trainer.remote.mirror.LIST_EVERY_S", 0.0)
    folder = far / record.partition("/")[0]
    (folder / "checkpoints").mkdir(parents=True)
    for number, name in enumerate(("first", "second")):
        (folder / "checkpoints" / f"{name}.ckpt").write_bytes(b"x" * 1000)
        os.utime(folder / "checkpoints" / f"{name}.ckpt", (1e9 + number, 1e9 + number))
    if record == "version_0":
        event_file(folder, scalars("loss", range(30)))
    elif record == "outputs":
        (folder / "trainer_state.json").write_text('{"log_history":[{"step":1,"loss":1}]}')
    else:
        (folder / "metrics.csv").write_text("step,loss\n0,1.0\n1,0.5\n")
    (folder / "config.py").write_text("lr = 1\n")
    (folder / "hparams.yaml").write_text("lr: 0.5\n")
    source = attach(f"ssh://box/~/{record}")
    polled(source, lambda: numbers(source) > 0 and bool(source.history.hyperparameters))
    assert source.history.hyperparameters == {"lr": 0.5}
    polled(source, lambda: any(notice.text.endswith("not run") for notice in source.history.notices))
    polled(
        source,
        lambda: any(notice.text.endswith("first: second.ckpt and first.ckpt") for notice in source.history.notices),
    )
    copied = [path for path in (tmp_path / "temporary").rglob("*") if path.suffix in (".ckpt", ".py")]
    assert len(copied) == 3
    assert not any(path.stat().st_size for path in copied)
    (folder / "checkpoints" / "first.ckpt").unlink()
    polled(source, lambda: any(notice.text.endswith("first: second.ckpt") for notice in source.history.notices))


@pytest.mark.says("remote.nothing", "remote.database", "remote.range_test", "foreign.none")
@pytest.mark.never_says("remote.nothing", "remote.database", "remote.range_test")
def test_where_no_run_is_it_is_said_what_there_is(
    attach: Attach, far: Path, runs: Path, tmp_path: Path, captions_said: set[str]
) -> None:
    (far / "words").mkdir()
    (far / "words" / "readme").write_text("# words\n")
    tested = runs / "range-tests" / "20261130-100000-onecycle-1a2b"
    tested.mkdir(parents=True)
    (tested / "range-test.json").write_text('{"losses": [2.3, 0.1]}\n')
    for path, caption, words in (
        (
            str(tested.parent.relative_to(far)),
            "remote.range_test",
            "range-tests/20261130-100000-onecycle-1a2b is an LR range test and no run; attach shows it",
        ),
        ("none", "remote.nothing", "nothing to read at ssh://box/~/none"),
        ("words", "foreign.none", "holds no run in a form that is known: tui-trainer, Hugging Face"),
    ):
        captions_said.clear()
        with pytest.raises(UserError, match=words):
            attach(f"ssh://box/~/{path}")
        assert captions_said == {caption}
    for name in (tested.name, "20261130-1000"):  # as a run, by its id, or the start of it
        with pytest.raises(IsRangeTest) as found:
            attach(f"ssh://box/{name}")
        assert found.value.content == (tested / "range-test.json").read_bytes()
        assert found.value.address == Address("box", path=str(tested))
    sqlite3.connect(far / "words" / "mlflow.db").execute("CREATE TABLE metrics (key)").connection.close()
    with pytest.raises(UserError, match=r"is a database, which is not read over ssh: ssh -t box tui-trainer attach"):
        attach("ssh://box/~/words")
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.says("remote.read_only", "remote.command_failed")
@pytest.mark.never_says("remote.read_only", "remote.command_failed", "remote.unanswered")
def test_a_run_is_controlled_by_this_program_on_the_far_side_where_it_is_there(
    attach: Attach, far: Path, runs: Path, captions_said: set[str]
) -> None:
    record = Record.create(runs, {"preset_name": "steplr"})
    for event in list(scripted_run())[:-1]:
        record.emit(event)
    without = attach("ssh://box")
    assert not without.capabilities.commands
    assert without.capabilities.address == Address("box", path=f"{runs}/{record.id}")
    assert "no tui-trainer was found on box" in without.capabilities.refusal(Pause)
    with pytest.raises(PermissionError, match="no tui-trainer was found"):
        without.send(Pause(by="attach"))
    asked = program(far)
    captions_said.clear()
    source = attach("ssh://box")
    assert source.capabilities.refusal(Pause) == ""
    source.send(Pause(by="attach"))
    source.send(SetLR(by="attach", factor=0.5))
    source.send(SetLR(by="attach", lr=0.01))
    until(lambda: asked.exists() and len(asked.read_text().splitlines()) == 3)
    assert asked.read_text() == (
        f"pause {record.id} --runs-dir {runs}\nlr {record.id} x0.5 --runs-dir {runs}\n"
        f"lr {record.id} 0.01 --runs-dir {runs}\n"
    )
    assert not captions_said & {"remote.command_failed", "remote.read_only"}
    asked.unlink()
    preset = {"title": "it's; touch harmed $(id)", "training": {"epochs": 3}}
    others = [
        OneBatch(by="attach"),
        SetPace(by="attach", seconds_a_call=0.5),
        SetEpochs(by="attach", epochs=12),
        SwitchPreset(by="attach", name="mine", preset=preset),
    ]
    for command in others:
        assert source.capabilities.refusal(type(command)) == ""
        source.send(command)
    until(lambda: asked.exists() and len(asked.read_text().splitlines()) == len(others))
    for line, command in zip(asked.read_text().splitlines(), others, strict=True):
        begin, end = f"ask {record.id} ", f" --runs-dir {runs}"
        assert line.startswith(begin)
        assert line.endswith(end)
        assert decode(line.removeprefix(begin).removesuffix(end).encode()) == command
    looked_at = attach("ssh://box", readonly=True)
    assert not looked_at.capabilities.commands
    assert source.capabilities.address == looked_at.capabilities.address == without.capabilities.address
    shutil.rmtree(far / ".local" / "bin")
    program(far, "printf 'it is \\033[1mbusy' >&2; exit 1")
    source.send(Pause(by="attach"))
    polled(source, lambda: [n.text for n in source.history.notices][-1:] == ["box: it is [1mbusy"])
    record.close()


@pytest.mark.never_says("remote.lost", in_all_cases=False)
@pytest.mark.says("remote.refused", "remote.not_connected", "remote.unanswered")
@pytest.mark.never_says("remote.refused", "remote.back", "remote.not_connected")
def test_a_line_that_only_a_person_could_open_is_not_tried_again(
    attach: Attach, far: Path, runs: Path, captions_said: set[str]
) -> None:
    record = Record.create(runs, {"preset_name": "steplr"})
    program(far, f"kill -9 $(cat {far}/pid)")
    source = attach("ssh://box")
    source.poll()
    assert not captions_said & {"remote.lost", "remote.back", "remote.refused", "remote.not_connected"}
    ssh = far / "bin" / "ssh"
    refusal = "me@box: Permission denied (publickey,password)."
    ssh.write_text(f'#!/bin/sh\necho >>{far}/tries\necho "{refusal}" >&2\nexit 255\n')
    source.send(Pause(by="attach"))  # it takes the line with it
    polled(source, lambda: any("comes back only with a person's answer" in n.text for n in source.history.notices))
    assert (far / "tries").read_text() == "\n"
    with pytest.raises(PermissionError, match="there is no connection to box at the moment"):
        source.send(Pause(by="attach"))
    assert source.history.ended is None  # what is not known is not said
    record.close()


@pytest.mark.says("remote.not_written")
@pytest.mark.never_says("remote.not_written")
def test_copies_that_cannot_be_written_are_told_and_tried_again(
    attach: Attach, far: Path, captions_said: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(following, "WRITE_AGAIN_S", 0.05)
    table = far / "table"
    table.write_text("step,loss\n0,1.0\n")
    source = attach("ssh://box/~/table")
    polled(source, lambda: numbers(source) == 1)
    assert "remote.not_written" not in captions_said
    (copy,) = (tmp_path / "temporary").glob("*/table/table")
    kept = copy.read_bytes()
    copy.unlink()
    copy.mkdir()
    with table.open("a") as end:
        end.write("1,0.5\n")
    polled(source, lambda: any("what comes over ssh cannot be kept here" in n.text for n in source.history.notices))
    copy.rmdir()
    copy.write_bytes(kept)
    polled(source, lambda: numbers(source) == 2)


def test_a_slow_line_is_packed(attach: Attach, far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{step},{step / 2}\n" for step in range(40_000))
    for slow, packed in ((1 << 60, True), (0, False)):
        (far / "given").unlink(missing_ok=True)
        monkeypatch.setattr(following, "SLOW", slow)
        monkeypatch.setattr(following, "MEASURED", 1)
        monkeypatch.setattr(following, "LONG", 1)
        (far / "table").write_text(f"step,loss\n{rows}")
        source = attach("ssh://box/~/table")
        polled(source, lambda source=source: numbers(source) == 40_000)  # type: ignore[misc]
        assert ("-C" in (far / "given").read_text().splitlines()) == packed


@pytest.mark.says("remote.journal_not_read")
@pytest.mark.never_says("remote.journal_not_read")
def test_runs_of_several_machines_are_listed_from_their_records_or_by_this_program_there(
    attach: Attach, far: Path, runs: Path, captions_said: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run, warned = over(runs, name="night"), list[str]()
    live = Record.create(runs, {"preset_name": "none"})
    for event in list(scripted_run())[:-1]:
        live.emit(event)
    found, reached = far_runs(["ssh://box", f"ssh://me@box{runs}"], warned.append)
    assert reached
    assert not warned
    assert "remote.journal_not_read" not in captions_said
    assert sorted((one.id, one.status, one.folder) for one in found) == sorted(
        (id, status, f"{place}{runs}/{id}")
        for place in ("ssh://box", "ssh://me@box")
        for id, status in ((run, "finished"), (live.id, "running"))
    )
    monkeypatch.setattr("tui_trainer.run_sources.far_runs.MOST_OF_A_JOURNAL", 10)
    cut, _ = far_runs(["ssh://box"], warned.append)
    assert all("which a list does not fetch over ssh: attach reads it" in one.flaws[-1] for one in cut)
    assert [one.name for one in cut if one.id == run] == ["night"]
    live.close()
    program(far, """echo '[{"id": "there", "metrics": {"loss": "nan"}, "more": 1}]'""")
    assert {one.id for one in far_runs(["ssh://box"], warned.append)[0]} == {run, live.id}  # another version's list
    ssh = far / "bin" / "ssh"
    ssh.write_text("#!/bin/sh\necho 'ssh: no route' >&2\nexit 255\n")
    assert far_runs(["ssh://box"], warned.append) == ([], False)
    assert warned == ["box: ssh: no route"]
    with pytest.raises(SystemExit):
        far_runs(["ssh://-box"], warned.append)
    assert not list((tmp_path / "temporary").iterdir())


def test_the_list_that_this_program_makes_there_is_taken(
    far: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from tui_trainer.cli.runs import runs as list_runs

    run = over(runs)
    listed = CliRunner().invoke(list_runs, ["--json", str(runs)]).output
    (far / "listed").write_text(listed.replace('"name": null', '"name": "told there"'))
    program(far, f"cat {far}/listed")
    for address, given in (("ssh://box", "runs --json"), (f"ssh://box{runs}", f"runs --json {runs}")):
        (far / "asked").unlink(missing_ok=True)
        found, _ = far_runs([address], print)
        assert (far / "asked").read_text() == f"{given}\n"
    assert [(one.id, one.name, one.folder) for one in found] == [(run, "told there", f"ssh://box{runs}/{run}")]


def test_runs_of_this_machine_and_of_another_stand_in_one_list(
    far: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from tui_trainer.cli.runs import runs as list_runs

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    there, here = over(runs), over(tmp_path / "here")
    told = CliRunner().invoke(list_runs, [str(tmp_path / "here"), "ssh://box"])
    assert told.exit_code == 0
    (line_there,) = [line for line in told.output.splitlines() if there in line]
    (line_here,) = [line for line in told.output.splitlines() if here in line]
    assert " box " in line_there
    assert " box " not in line_here
    (far / "bin" / "ssh").write_text("#!/bin/sh\nexit 255\n")
    told = CliRunner().invoke(list_runs, [str(tmp_path / "here"), "ssh://box"])
    assert told.exit_code == 1
    assert here in told.output


def test_what_is_left_of_a_run_on_the_screen_is_its_end_and_its_address(
    attach: Attach, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = over(runs)
    source = attach("ssh://box")
    polled(source, lambda: source.history.ended is not None)
    say_farewell(source.address, source.history)
    assert f"tui-trainer attach ssh://box{runs}/{run}\n" in capsys.readouterr().out


def test_copies_are_held_by_who_looks_and_removed_for_who_was_killed(far: Path, tmp_path: Path) -> None:
    held = copies.Copies()
    forsaken = tmp_path / "temporary" / f"{copies.PREFIX}forsaken"
    forsaken.mkdir()
    (forsaken / ".held").touch()
    (forsaken / "copy").touch()
    other = copies.Copies()
    assert held.folder.exists()
    assert not forsaken.exists()
    held.remove()
    other.remove()


def test_a_run_is_not_taken_to_be_silent_for_want_of_a_line_and_leaving_waits_for_none(
    attach: Attach, far: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record.create(runs, {"preset_name": "steplr"})
    for event in list(scripted_run())[:-1]:
        record.emit(event)
    source = attach("ssh://box")
    polled(source, lambda: source.history.steps > 0)
    assert source._following is not None
    clock = source._following.clock
    began = clock()
    until(lambda: clock() > began)
    (far / "bin" / "ssh").write_text(f"#!/bin/sh\necho >>{far}/tries\nexec sleep 600\n")
    os.kill(int((far / "pid").read_text()), signal.SIGKILL)
    polled(source, lambda: any(notice.kind == "connection" for notice in source.history.notices))
    until((far / "tries").exists)
    stands, now = clock(), time.monotonic()
    until(lambda: time.monotonic() > now + 0.05)
    assert clock() == stands
    left_at = time.monotonic()
    source.close()
    assert time.monotonic() - left_at < 15
    record.close()
