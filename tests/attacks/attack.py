"""Throws damaged records, checkpoints and folders at every command: `python -m tests.attacks`.

Each command is run in this process. It fails where one ends in an error that nobody foresaw, takes more than two
seconds of CPU or 300 MB beyond what the same takes on a sound record, waits for anything, or loses something of a
record without a word. Lines of an older record have no numbers: that a whole one is gone shows there only where other
lines tell of what it told, as they do of steps and of epochs, and not of a change of the LR or of an order of calls.
"""

from __future__ import annotations

import csv
import random
import resource
import shutil
import signal
import time
import traceback
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from click.testing import CliRunner

from tests.attacks.mutations import RECORD, damaged_json, make_hostile
from tests.scripted import scripted_run
from tui_trainer.cli import completion, main
from tui_trainer.events import (
    AnyEvent,
    ConfusionCounted,
    EpochEnded,
    MetricColumns,
    MetricDeclared,
    MetricsLogged,
    RunConfigured,
    StepsTaken,
    encode,
)
from tui_trainer.files import most_wrong
from tui_trainer.files.most_wrong import MostWrong, WrongImage
from tui_trainer.records.errors import RunsError
from tui_trainer.records.lines import seal
from tui_trainer.records.lock import is_live
from tui_trainer.records.record import Record
from tui_trainer.records.summary import images_per_second, seconds_left, summarize
from tui_trainer.run_sources.journal_source import JournalSource

SECONDS = 2.0
MEMORY = 300 << 20
HANGS_S = 120


def _with_metrics(events: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
    """With series of each form, and with what is taken for what."""
    for event in events:
        if isinstance(event, StepsTaken):
            norms: list[float | None] = [1.0 / (event.step + i) for i in range(len(event.losses))]
            yield msgspec.structs.replace(event, metrics={"grad_norm": norms})
            continue
        yield event
        if isinstance(event, RunConfigured):
            yield MetricDeclared(at=event.at, name="grad_norm", group="network")
            yield MetricDeclared(at=event.at, name="val_accuracy/cat", goal="max", kind="val", objective=True)
        elif isinstance(event, EpochEnded):
            at, step, epoch = event.at, event.step, event.epoch
            values = {"val_accuracy/cat": event.val_accuracy, "memory": float("inf"), "tokens": 2**60 + step}
            yield MetricsLogged(at=at, step=step, epoch=epoch, elapsed=event.elapsed, values=values)
            lrs = {"lr-SGD/pg0": [0.1, 0.05]}
            yield MetricColumns(at=at, steps=[step - 1, step], epochs=[epoch, epoch], values=lrs)
            yield ConfusionCounted(at=at, epoch=epoch, step=step, classes=["cat", "dog"], counts=[[40, 10], [5, 45]])


EVENTS = [*_with_metrics(scripted_run(epochs=4, batches=20, steps_a_line=4, slow_batch=3, pause_after=30, switch_at=3))]
MOST_WRONG = MostWrong(
    epoch=4,
    shape=(1, 8, 8),
    images=[
        WrongImage(index=i, label=0, taken_for=1, loss=4.0 - i, pixels=b64encode(bytes(64)).decode()) for i in (0, 1)
    ],
)
COMMANDS = (
    "runs",
    "runs --json",
    "export",
    "export --format jsonl",
    "stream",
    "stream --json",
    "stop",
    "compare --list",
    "complete",
    "attach",
    "resume",
)


class Attack:
    """One folder of runs with one run in it, that is damaged in ever other ways."""

    def __init__(self, folder: Path) -> None:
        self.findings: list[str] = []
        self.slowest: Counter[str] = Counter()
        """Milliseconds of CPU beyond the same on a sound record."""
        self._folder = folder
        self._runs = folder / "runs"
        record = Record.create(self._runs, {"preset_name": "steplr", "name": "mine"})
        for event in EVENTS:
            record.emit(event)
        record.close()
        most_wrong.write(record.folder, MOST_WRONG)
        self._record = record.folder
        self._sound = folder / "sound"
        shutil.copytree(self._record, self._sound)
        self._usual: Counter[str] = Counter()
        for _ in range(2):  # the first time, all is imported
            for command in COMMANDS:
                began = time.process_time()
                self._command(command)
                self._usual[command] = int((time.process_time() - began) * 1000)
        self._put()
        self._command("export")
        self._truth = _rows(self._folder / "out")

    def records(self, count: int, seed: int) -> None:
        """So many damaged records."""
        for number in range(count):
            self.record(number, seed)

    def record(self, number: int, seed: int) -> dict[str, str]:
        """One of them; what each command says of it."""
        chance = random.Random(f"{seed} record {number}")
        kind = [*RECORD][number % len(RECORD)]
        sealed = chance.random() < 0.7
        self._put()
        journal = self._record / "events.jsonl"
        lines = [seal(encode(event), at) if sealed else encode(event) for at, event in enumerate(EVENTS, 1)]
        content = b"".join(lines)
        what = f"record {number}: {kind}, {'sealed' if sealed else 'as it was before seals'}"
        for name in ("run.json", most_wrong.FILE):
            if chance.random() < 0.1:
                file = self._record / name
                file.write_bytes(damaged_json(chance, file.read_bytes()))
                what += f", {name} too"
        journal.write_bytes(RECORD[kind](chance, content))
        said = self._all(what)
        tables = ("steps.csv", "epochs.csv") if kind == "lines" and not sealed else tuple(self._truth)
        self._compare(what, said, tables, values=sealed and kind in ("bits", "lines"))
        return said

    def folders(self, count: int, seed: int) -> None:
        """So many folders in which something else stands where files should."""
        for number in range(count):
            chance = random.Random(f"{seed} folder {number}")
            self._put()
            done = make_hostile(chance, self._record)
            what = f"folder {number}: {', '.join(done)}"
            said = self._all(what)
            unreadable = [each for each in done if each.startswith("events.jsonl") and "_nowhere" not in each]
            if unreadable and "warning" not in said.get("runs", "") and "_empty" not in unreadable[0]:
                self.findings.append(f"{what}: runs says nothing of it")

    def checkpoints(self, count: int, seed: int) -> None:
        """So many damaged checkpoints."""
        if not count:
            return
        from tests.attacks import damaged_checkpoints  # torch's own memory is no attack's

        damaged_checkpoints.state_of(0)  # what torch loads for its first step is no attack's work either
        folder = self._folder / "checkpoints"
        folder.mkdir()
        for number in range(count):
            chance = random.Random(f"{seed} checkpoint {number}")
            what = f"checkpoint {number}"
            with self._watched(what, "resume"):
                self.findings += [f"{what}: {found}" for found in damaged_checkpoints.attack(chance, folder)]

    def _put(self) -> None:
        shutil.rmtree(self._runs)
        for out in ("out", "lines"):
            shutil.rmtree(self._folder / out, ignore_errors=True)
        shutil.copytree(self._sound, self._record)

    def _all(self, what: str) -> dict[str, str]:
        """What each command says."""
        said: dict[str, str] = {}
        for command in COMMANDS:
            with self._watched(what, command):
                said[command] = self._command(command)
        return said

    @contextmanager
    def _watched(self, what: str, command: str) -> Iterator[None]:
        began = time.process_time()
        try:
            with bounded():
                yield
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            where = " < ".join(f"{f.name}:{f.lineno}" for f in reversed(traceback.extract_tb(error.__traceback__)[-4:]))
            self.findings.append(f"{what}: {command}: {type(error).__name__}: {error} ({where})")
        beyond = int((time.process_time() - began) * 1000) - self._usual[command]
        self.slowest[command] = max(self.slowest[command], beyond)
        if beyond > SECONDS * 1000:
            self.findings.append(f"{what}: {command} took {beyond / 1000:.1f} s more than on a sound record")

    def _command(self, command: str) -> str:
        if command == "attach":
            return self._attach()
        if command == "complete":
            context = click.Context(main, info_name="x")
            context.params["runs_dir"] = self._runs
            return " ".join(item.value for item in completion.runs(context, None, ""))  # type: ignore[arg-type]
        if command == "resume":
            return self._resume()
        arguments = command.split()
        if arguments[0] in ("export", "stream", "stop"):
            arguments += [self._record.name]
        if arguments[0] == "export":
            arguments += ["--out", str(self._folder / ("lines" if "jsonl" in arguments else "out"))]
        result = CliRunner().invoke(main, [*arguments, "--runs-dir", str(self._runs)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if "\x1b" in result.output or "\u202e" in result.output:
            self.findings.append(f"{command}: a control of a record reached the terminal")
        return result.output

    def _attach(self) -> str:
        from tui_trainer.ui.confusion.images import Image, drawn
        from tui_trainer.ui.live.status_lines import ending

        host = JournalSource(self._record)
        for _ in range(1000):
            if not host.poll():
                break
        host.close()
        history = host.history
        said = [notice.text for notice in history.notices if notice.kind == "recording"]
        if (wrong := most_wrong.read(self._record)) is not None:
            images = [Image(*wrong.shape, wrong.pixels(place)) for place in range(len(wrong.images))]
            _ = [drawn(image.shrunk(by), plain=False) for image in images for by in (1, 3)]
        _ = (images_per_second(history), seconds_left(history), history.elapsed_at(time.time()), history.batch)
        return " ".join([*said, ending(history) if history.ended is not None else ""])

    def _resume(self) -> str:
        try:
            record = Record.reopen(self._record)
        except RunsError as refused:
            return str(refused)
        said = list(record.flaws)
        for event in EVENTS:
            record.emit(event)
        record.close()
        assert not is_live(self._record)
        summarize(self._record)
        return " ".join(said)

    def _compare(self, what: str, said: dict[str, str], tables: Iterable[str], *, values: bool) -> None:
        """Whether something is lost of which nobody says a word."""
        if not said.get("export"):
            return
        found = _rows(self._folder / "out")
        for table in tables:
            rows = self._truth[table]
            lost = rows - found.get(table, Counter())
            if not values:
                keys = {row[0] for row in found.get(table, Counter())}
                lost = Counter({row: 1 for row in lost if row[0] not in keys})
            if lost and "warning" not in said.get("export", "") and "crashed" not in said.get("runs", ""):
                self.findings.append(f"{what}: {sum(lost.values())} rows of {table} are lost in silence")
                return
            if lost and not said.get("attach", "").strip():
                self.findings.append(f"{what}: the screen says nothing of rows of {table} that are lost")
                return


def _rows(out: Path) -> dict[str, Counter[tuple[str, ...]]]:
    tables: dict[str, Counter[tuple[str, ...]]] = {}
    for file in sorted(out.glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as opened:
            tables[file.name] = Counter(tuple(row) for row in csv.reader(opened))
    return tables


@contextmanager
def bounded() -> Iterator[None]:
    """Within it there is so much memory more than there was, and what hangs is ended."""

    def hangs(*_: object) -> None:
        raise TimeoutError(f"it has taken {HANGS_S} s")

    before = signal.signal(signal.SIGALRM, hangs)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, limits[1]))
    signal.alarm(HANGS_S)
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGALRM, before)
