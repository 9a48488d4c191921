"""How a watched command, or one of its trainings, ended: in the words of a record."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import NamedTuple

from tui_trainer.commands import Stop
from tui_trainer.events import EndStatus
from tui_trainer.text.captions import say
from tui_trainer.watching.host import out_of_sight

_TOLD_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_WHY: dict[int, str] = {
    signal.SIGKILL: "exit.out_of_memory",
    signal.SIGSEGV: "exit.native",
    signal.SIGBUS: "exit.native",
    signal.SIGABRT: "exit.native",
}
"""Why it may have been, by the signal: a caption."""


class Ending(NamedTuple):
    """As `RunEnded` has it."""

    status: EndStatus
    reason: str
    exit_code: int


class Raised(NamedTuple):
    """An error that nobody caught, and that so ended a process."""

    error: str
    """Its class."""
    rank: int | None = None
    """Which of several processes that train together; None of one that trains alone."""


def of_command(
    code: int | None, stop: Stop | None = None, *, raised: Raised | None = None, unseen: Sequence[str] = ()
) -> Ending:
    """How a command ended.

    Args:
        code: its exit code, less than 0 where a signal ended it; None where nobody knows.
        stop: who asked it to end, if anybody did.
        raised: what ended its training, as far as that is known.
        unseen: its words, where nothing that trains was seen of it.
    """
    status, reason, exit_code = _ended(code, stop, raised)
    if unseen:
        reason = "; ".join(filter(None, (reason, say("command.no_training"), out_of_sight.reason(unseen))))
    return Ending(status, reason, exit_code)


def _ended(code: int | None, stop: Stop | None, raised: Raised | None) -> Ending:
    if code is None:
        return Ending("crashed", say("command.ended_unseen"), 1)
    shown = code if code >= 0 else 128 - code
    if stop is not None:
        return Ending("stopped", stop.reason, shown)
    number = shown - 128
    if code < 0 or number in _TOLD_TO_END:
        status: EndStatus = "stopped" if number in _TOLD_TO_END else "crashed"
        why = say(_WHY[number]) if number in _WHY else ""
        return Ending(status, say("command.killed", signal=_name(number), why=why), shown)
    if code:
        return Ending("crashed", say("command.exit_code", code=code) + _by(raised), shown)
    return Ending("finished", say("command.ended"), 0)


def _by(raised: Raised | None) -> str:
    if raised is None:
        return ""
    if raised.rank is None:
        return say("command.raised", error=raised.error)
    return say("command.rank_raised", rank=raised.rank, error=raised.error)


def of_training(*, took_leave: bool, raised: str = "", stop: Stop | None = None) -> Ending:
    """How one of several trainings of a command ended, whose exit code others know.

    Args:
        took_leave: whether its processes said that they end.
        raised: the class of an error that ended one of them, as far as that is known.
        stop: who asked it to end, if anybody did.
    """
    if stop is not None:
        return Ending("stopped", stop.reason, stop.exit_code)
    if raised == KeyboardInterrupt.__name__:
        return Ending("stopped", say("command.process_interrupted"), 130)
    if raised:
        return Ending("crashed", say("command.process_raised", error=raised), 1)
    if took_leave:
        return Ending("finished", say("command.process_ended"), 0)
    return Ending("crashed", say("command.process_gone"), 1)


def of_own_code(said: str | None, stop: Stop | None = None, *, took_leave: bool) -> Ending:
    """How a training ended whose own code asked to be watched.

    Args:
        said: how, in its own words: empty where all went well, `stopped`, or `crashed` with the reason; None where its
            process is gone.
        stop: who asked it to end, if anybody did.
        took_leave: whether the process said that it ends.
    """
    word, _, why = (said or "").partition(" ")
    if stop is not None and (said is None or word == "stopped"):
        return Ending("stopped", stop.reason, stop.exit_code)
    if said is None:
        status: EndStatus = "finished" if took_leave else "crashed"
        return Ending(
            status, say("command.process_ended" if took_leave else "command.process_gone"), int(not took_leave)
        )
    if word == "stopped":
        return Ending("stopped", say("command.interrupted"), 130)
    return Ending("crashed", why, 1) if word == "crashed" else Ending("finished", say("command.finished"), 0)


def _name(number: int) -> str:
    """A signal's, as a person knows it: `SIGTERM`."""
    try:
        return signal.Signals(number).name
    except ValueError:  # one of those that have no names
        return f"signal {number}"
