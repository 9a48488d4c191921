"""Records, presets and comparisons of somebody who means ill: every text in them holds what a terminal obeys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.compare.made import record
from tui_trainer.events import AnyEvent, encode

SHOWN = "[b]N[/b]"
"""The part of it that is to be seen as it is."""

TAINT = f"\x1b]52;c;RVZJTA==\x07\x1b[5;8;9m\x9b5;8;9m\u202e\u2067\r{SHOWN}[@click=app.bell]n[/]"
"""What the clipboard is to hold; text that blinks, unseen, twice; turned directions; markup; the begin of a line."""

NEVER = (b"\x1b]52;c;RVZJTA", b"\x1b[5;8;9m", b"\xc2\x9b", b"\x9b5;8", b"\xe2\x80\xae", b"\xe2\x81\xa7")
"""Bytes of it that nothing may print."""

PRESET = """
[training]
epochs = 2
batch_size = 64
[optimizer]
name = "SGD"
lr = 0.1
[scheduler]
name = "none"
"""


def obeyed(printed: bytes) -> list[bytes]:
    """What of it was printed raw."""
    return [sequence for sequence in NEVER if sequence in printed]


def tainted_record(runs: Path, **script: Any) -> Path:
    """A run's record; its `log.txt`, what was asked, and each text of each event that may be any text."""
    folder = record(runs, name="run", **script)
    facts = msgspec.json.decode((folder / "run.json").read_bytes())
    (folder / "run.json").write_bytes(msgspec.json.encode(_tainted(facts, spare=("dataset", "optimizer", "scheduler"))))
    events = [tainted(event) for event in _events(folder)]
    (folder / "events.jsonl").write_bytes(b"".join(encode(event) + b"\n" for event in events))
    (folder / "events.packed").unlink(missing_ok=True)
    (folder / "log.txt").write_text(f"{TAINT}logged\n" * 5, newline="")
    return folder


def tainted(event: AnyEvent) -> AnyEvent:
    """The same with every text of it tainted that any reader still takes for such an event."""
    plain = msgspec.to_builtins(event)
    for path in list(_texts(plain)):
        inmost = plain
        for key in path[:-1]:
            inmost = inmost[key]
        before = inmost[path[-1]]
        inmost[path[-1]] = TAINT + before
        try:
            msgspec.convert(plain, AnyEvent)
        except msgspec.ValidationError:
            inmost[path[-1]] = before
    return msgspec.convert(plain, AnyEvent)


def _texts(value: Any) -> Iterator[tuple[Any, ...]]:
    """Where the texts in it stand."""
    match value:
        case str():
            yield ()
        case list():
            yield from ((at, *path) for at, each in enumerate(value) for path in _texts(each))
        case dict():
            yield from ((key, *path) for key, each in value.items() for path in _texts(each))


def tainted_session(session: Path) -> None:
    """Taint the file of a comparison, but what says which records are its own."""
    file = session / "session.json"
    plan = msgspec.json.decode(file.read_bytes())
    file.write_bytes(msgspec.json.encode(_tainted(plan, spare=("run", "id", "asked"))))


def tainted_presets(folder: Path) -> None:
    """A sound preset, and one that is not; their names too."""
    folder.mkdir(parents=True)
    in_toml = TAINT.replace("\x1b", "\\u001b").replace("\x07", "\\u0007").replace("\r", "\\r")
    in_comment = "\x9b5;8;9m\u202e\u2067"  # the others may stand in no TOML
    words = f'title = "{in_toml}"\ndescription = "{in_toml}"\n'
    (folder / "aa.toml").write_text(f"# {in_comment}\n{words}{PRESET}")
    (folder / f"ab {TAINT.replace('/', '_')}.toml").write_text(words + PRESET)
    wrong = PRESET.replace("SGD", in_toml).replace("none", in_toml).replace("batch_size", f'"{in_toml}"')
    (folder / "ac.toml").write_text(f'{words}"{in_toml}" = "{in_toml}"\n{wrong}')
    (folder / "ad.toml").write_bytes(f"{TAINT} = {TAINT}".encode())


def _events(folder: Path) -> list[AnyEvent]:
    from tui_trainer.records.tail import Tail

    with Tail(folder / "events.jsonl") as tail:
        return list(tail)


def _tainted(value: Any, spare: tuple[str, ...] = ()) -> Any:
    match value:
        case str():
            return f"{TAINT}{value}"
        case list():
            return [_tainted(each, spare) for each in value]
        case dict():
            return {key: each if key in spare else _tainted(each, spare) for key, each in value.items()}
        case _:
            return value
