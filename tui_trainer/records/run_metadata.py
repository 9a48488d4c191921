"""What a run was asked to do, how it began and how it ended, without reading each of its steps.

From its `run.json`, from the first lines of its journal and from the last ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tui_trainer.events import SCHEMA, RunEnded, RunStarted
from tui_trainer.files.safe_open import open_regular, read_regular
from tui_trainer.records.errors import RunUnreadable, reason, unsaid
from tui_trainer.records.lines import unsealed
from tui_trainer.records.lock import words_in
from tui_trainer.text.captions import say
from tui_trainer.text.secret_hints import may_hold_secret

LARGEST = 4 << 20
"""Bytes; ours has a few thousand."""


def read_facts(folder: Path, warn: Callable[[str], None] = unsaid) -> dict[str, Any]:
    """What `run.json` holds; empty where it is missing or damaged. What is secret in its command is blanked, as records
    of before have it.

    `warn` is told, in words, where something stands there that cannot be read.
    """
    try:
        facts = msgspec.json.decode(read_regular(folder / "run.json", LARGEST))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as cause:
        warn(say("record.facts_unreadable", why=reason(cause)))
        return {}
    except (msgspec.MsgspecError, ValueError, RecursionError) as cause:
        warn(say("record.facts_damaged", why=cause))
        return {}
    if not isinstance(facts, dict):
        warn(say("record.facts_damaged", why=say("record.no_object")))
        return {}
    command = facts.get("command")
    if isinstance(command, list) and all(isinstance(word, str) for word in command) and may_hold_secret(command):
        from tui_trainer.text.secrets import blanked  # no first frame waits for it

        facts["command"] = blanked(command)
    return facts


def later_form(schema: object) -> str:
    """What is to be said of a record's form, as `schema` in `run.json` has it; empty of one that this version knows."""
    if isinstance(schema, int) and not isinstance(schema, bool) and 1 <= schema <= SCHEMA:
        return ""
    if isinstance(schema, int) and schema > SCHEMA:
        return say("record.later_form", form=schema, known=SCHEMA)
    return say("record.unknown_form", form=repr(str(schema)[:40]))


FIRST_BLOCK = 64 * 1024
"""Bytes that are looked through at most; the first line of ours has a few hundred."""


def beginning(folder: Path) -> RunStarted | None:
    """What the first process that wrote the record in `folder` said of it.

    None where nothing is known of it: there is no journal, or its first lines are damaged or cannot be read.
    """
    try:
        fd = open_regular(folder / "events.jsonl")
        try:
            *whole, _ = os.pread(fd, FIRST_BLOCK, 0).split(b"\n")
        finally:
            os.close(fd)
    except OSError:
        return None
    told = (opened.event for line in whole if (opened := unsealed(line)) is not None)
    return next((event for event in told if isinstance(event, RunStarted)), None)


LAST_BLOCK = 64 * 1024
"""Bytes that are read first; the goodbye is among the last few hundred."""

MOST = 16 << 20
"""Bytes that are looked through at most: behind a goodbye of ours comes a notice or two."""

_GOODBYE = b'{"type":"RunEnded"'
_GOES_ON = (b'{"type":"RunStarted"', b'{"type":"StepsTaken"', b'{"type":"EpochEnded"')
"""What a run that has ended does no more."""


def ending(folder: Path) -> RunEnded | None:
    """The goodbye of the run whose record lies in `folder`; None of one that goes on, or has said none.

    Raises:
        RunUnreadable: something stands there that cannot be read.
    """
    journal = folder / "events.jsonl"
    try:
        fd = open_regular(journal)
        try:
            return _last_word(fd, os.fstat(fd).st_size) or last_words(folder)
        finally:
            os.close(fd)
    except FileNotFoundError:
        return None
    except OSError as cause:
        raise RunUnreadable(journal, cause) from cause


def last_words(folder: Path) -> RunEnded | None:
    """The goodbye of a run whose journal had no room for it; None of one that goes on, or has said none there."""
    return _decoded(words_in(folder).strip())


def _last_word(fd: int, size: int) -> RunEnded | None:
    length = LAST_BLOCK
    while True:
        begin = max(0, size - length)
        lines = os.pread(fd, size - begin, begin).split(b"\n")
        whole = lines[0 if begin == 0 else 1 : -1]  # without the part of a line at either end
        for line in reversed(whole):
            if line.startswith(_GOES_ON):
                return None
            if line.startswith(_GOODBYE) and (goodbye := _decoded(line)) is not None:
                return goodbye
        if begin == 0 or length >= MOST:
            return None
        length *= 4


def _decoded(line: bytes) -> RunEnded | None:
    opened = unsealed(line)  # what is damaged the history of the run passes over too
    return opened.event if opened is not None and isinstance(opened.event, RunEnded) else None


class Program(NamedTuple):
    """A command that was watched."""

    command: list[str]
    """What is secret in it is blanked."""
    cwd: str
    options: dict[str, Any]
    """How it was watched: those of `WatchRequest`, as `tui-trainer watch` takes them."""


def program_of(folder: Path) -> Program | None:
    """The command of a watched run, as its `run.json` has it; None of a run of our own, or where it does not say."""
    asked = read_facts(folder).get("asked")
    program = asked.get("program") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or not isinstance(program, dict):
        return None
    command, cwd = program.get("command"), program.get("cwd")
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        return None
    if not isinstance(cwd, str) or not all(_is_argument(word) for word in (*command, cwd)):
        return None
    calls = asked.get("calls")
    lengths = {name: asked.get(name) for name in ("epochs", "steps")}
    return Program(
        command,
        cwd,
        {
            "no_control": asked.get("control") is False,
            "calls": calls if calls in ("off", "light", "full") else "light",
            "rehearse": asked.get("rehearse") is True,
            "alerts": _rules(asked.get("alerts")),
            **{name: value if type(value) is int and value > 0 else None for name, value in lengths.items()},
        },
    )


def _rules(given: object) -> tuple[str, ...]:
    """Rules for alerts of a record; none where they are not ones."""
    if not isinstance(given, list) or not all(isinstance(rule, str) for rule in given):
        return ()
    from tui_trainer.text.alert_rule import BadRule, check_rules

    try:
        return check_rules(tuple(given))
    except BadRule:
        return ()


def _is_argument(word: str) -> bool:
    """Whether a process can be given it."""
    try:
        return "\0" not in word and bool(word.encode() or True)
    except UnicodeEncodeError:
        return False
