"""Under the charts of a run that ended before its time: what is known of why, the last lines of its log, and how one
goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from tui_trainer.run_sources.crash_report import CrashReport, crash_report
from tui_trainer.run_sources.run_source import command_of
from tui_trainer.text.captions import CAPTIONS, say
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import cut, wrap
from tui_trainer.ui.live.status_lines import ending
from tui_trainer.ui.panel import Line, Panel, Span

if TYPE_CHECKING:
    from pathlib import Path

    from tui_trainer.events import RunEnded
    from tui_trainer.records.history import History
    from tui_trainer.remote.address import Address
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.ui.background_tasks import BackgroundTasks

_ERROR_LINES = 3

_MARKS = "^~ "
"""What Python draws below a line of a traceback."""

ENDED_EARLY = ("stopped", "crashed")


class Ways(NamedTuple):
    """How one can go on from this screen."""

    resume: bool = False
    """Whether a run can be resumed."""
    pick: bool = False
    """Whether a new one can be started."""
    address: Address | None = None
    """Of the record, if it is on another machine."""


def runs_code(history: History) -> bool:
    """Whether a person's own code is a part of it: that runs where somebody types that it may, and not by a key."""
    return history.resolved is not None and bool(history.resolved.code)


def can_be_resumed(source: RunSource) -> bool:
    """Whether this run ended early, and could be gone on with by who may, with a key."""
    history = source.history
    early = history.ended is not None and history.ended.status in ENDED_EARLY and not runs_code(history)
    return early and history.program is None and source.folder is not None and source.capabilities.checkpoints


def can_be_extended(source: RunSource) -> bool:
    """Whether this run is finished, and could train more epochs by who may."""
    history, folder = source.history, source.folder
    finished = history.ended is not None and history.ended.status == "finished" and not runs_code(history)
    return finished and history.program is None and folder is not None and source.capabilities.checkpoints


class Aftermath(Panel):
    """Nothing, until the run on show has ended before its time."""

    def __init__(self) -> None:
        super().__init__()
        self.height = 0
        """Lines that it takes; the screen gives them."""
        self._most = 0
        self._of: RunEnded | None = None
        """The end that the report is of."""
        self._report = CrashReport()
        self._way = ""
        self._reason = ""
        """Why it crashed, where the line that says so has no room for all of it."""

    @property
    def says_why(self) -> bool:
        """Whether it stands here why the run crashed."""
        return self.display and bool(self._reason)

    def show(self, source: RunSource, ways: Ways, width: int, most: int, tasks: BackgroundTasks) -> None:
        """Draw what is new, in so many lines of so many cells at most, and a reason that stands nowhere else."""
        history, folder = source.history, source.folder
        ended = history.ended
        has = source.capabilities  # with a record of another tool, that alone goes on
        is_anothers = history.program is None and not has.checkpoints and has.address is None
        if ended is None or folder is None or is_anothers:
            self._of, self.height, self._reason = None, 0, ""
            return
        if ended is not self._of:
            self._of, self._report = ended, CrashReport()
            self._look(folder, ended, history, tasks)
        way = way_on(history, folder, self._report, ways)
        is_cut = ended.status == "crashed" and history.last_step and cell_len(ending(history)) > width - 2
        reason = plain(ended.reason) if is_cut else ""
        if (way, reason, most) != (self._way, self._reason, self._most):
            self._way, self._reason, self._most = way, reason, most
            self.redraw()
        before, error = self._printed(width)
        least = len(error) + len(_whole(way, width))
        self.height = len(_whole(reason, width)) + max(least, min(most, len(self._report.causes) + len(before) + least))

    def _look(self, folder: Path, ended: RunEnded, history: History, tasks: BackgroundTasks) -> None:
        started = history.started
        device = history.resolved.device if history.resolved is not None else ""

        def found(report: CrashReport) -> None:
            if self._of is ended:
                self._report = report
                self.redraw()

        # What cannot be read is not told: how it ended stands there anyway.
        tasks.run(lambda: crash_report(folder, ended, started, device or ""), found, lambda _: None)

    def lines(self) -> Sequence[Line]:
        width, height = self.size
        report = self._report
        last = [(Span(" "), Span(line, "strong")) for line in _whole(self._way, width)]
        why = [*_whole(self._reason, width), *(cut(cause, width - 2) for cause in report.causes)]
        causes = [(Span(" "), Span(line, "warning")) for line in why]
        causes = causes[: max(0, height - len(last))]
        room = max(0, height - len(last) - len(causes))
        before, error = self._printed(width)
        printed = [*before, *error][-room:] if room else []
        return [*((Span(" │ ", "warning"), Span(line)) for line in printed), *causes, *last]

    def _printed(self, width: int) -> tuple[list[str], list[str]]:
        """What it printed last: lines, cut to the width, and the last one, which names the error, in up to three."""
        *before, last = [line for line in self._report.printed if line.strip(_MARKS)] or [""]
        error = wrap(last, width - 4)
        rest = [cut(" ".join(error[_ERROR_LINES - 1 :]), width - 4)] if len(error) >= _ERROR_LINES else []
        return [cut(line, width - 4) for line in before], [*error[: _ERROR_LINES - 1], *rest]


def _whole(text: str, width: int) -> list[str]:
    """All of it as lines of the screen: half of a command, or of a reason, is of no use."""
    return wrap(text, width - 2) if text else []


def way_on(history: History, folder: Path, report: CrashReport, ways: Ways) -> str:
    """How one goes on with a run that ended, in a sentence; empty where nothing is left to do."""
    ended = history.ended
    assert ended is not None
    if history.program is not None:
        return (
            ""
            if ended.status == "finished"
            else say("crash.command_reruns", command=command_of("rerun", folder, ways.address))
        )
    if ended.status == "diverged":
        return say("crash.diverged", key=say("crash.pick") if ways.pick else "")
    if ended.status == "finished":
        return say("crash.make_room", folder=plain(str(ways.address or folder))) if CUT_OFF in ended.reason else ""
    if not ways.resume or runs_code(history):
        options = ["--allow-code"] if runs_code(history) else []
        return say("crash.command_resumes", command=command_of("resume", folder, ways.address, *options))
    if not report.has_checkpoint:
        return say("crash.begins_again")
    saved = history.latest_checkpoint
    return say("crash.resumes", step=f"{saved.step:,}") if saved is not None else say("crash.resumes_untold")


CUT_OFF = CAPTIONS["record.not_recorded"].words.partition("{")[0]
"""What a record says of its own end that could not be written."""
