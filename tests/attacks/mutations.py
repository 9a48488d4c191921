"""How records, checkpoints and folders are damaged: at random, and the same for the same seed."""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tui_trainer.records.lines import seal

NUMBERS = (0, -1, 1, 2, 98, 10**6, 2**31, 2**53, 2**63, 10**30, 0.5, -0.5, 1e-300, 1e308)
VALUES = (None, True, "", "x", "\x1b]52;c;eA==\x07\u202e", [], {}, [1], {"a": 1}, -1, 1e308, "9" * 5000)
GARBAGE = (b"", b"garbage", b"{}", b"[]", b"\0" * 3000, b"\xff\xfe", b'{"type":"Later","at":1}', b"[" * 50_000)


def flip_bits(chance: random.Random, content: bytes) -> bytes:
    """Some bits, anywhere."""
    flipped = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def shuffle_lines(chance: random.Random, content: bytes) -> bytes:
    """A line that is lost, stands twice or elsewhere, or is none."""
    lines = content.splitlines(keepends=True)
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            del lines[at : at + chance.choice((1, 1, 2, 20))]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines.insert(at, chance.choice(GARBAGE) + b"\n")
        case _:
            lines[at] = lines[at][: chance.randrange(len(lines[at]))] + b"\n"
    return b"".join(lines)


def change_numbers(chance: random.Random, content: bytes) -> bytes:
    """A number of a line is another one."""
    return _change(chance, content, lambda value: isinstance(value, int | float), lambda _: chance.choice(NUMBERS))


def change_types(chance: random.Random, content: bytes) -> bytes:
    """A value of a line is of another type, or not there."""
    return _change(chance, content, lambda _: True, lambda _: chance.choice(VALUES))


def change_sizes(chance: random.Random, content: bytes) -> bytes:
    """Far more than there should be of something, or less."""
    match chance.randrange(5):
        case 0:
            return _change(chance, content, lambda value: isinstance(value, str), lambda _: "x" * 2**20)
        case 1:
            many = chance.choice((100, 10_000, 200_000))
            return _change(chance, content, lambda value: isinstance(value, list), lambda value: value * many)
        case 2:
            return content[: chance.randrange(len(content))]
        case 3:
            return content + chance.choice((b"x", b"\0", b"[")) * chance.choice((100, 6 << 20))
        case _:
            at = chance.randrange(len(content))
            return content[:at] + b"\0" * chance.choice((10, 5000, 6 << 20)) + content[at:]


def damaged_json(chance: random.Random, content: bytes) -> bytes:
    """Some bits of a file with one JSON object, or one of its values, in its depths too."""
    make = chance.choice((flip_bits, change_numbers, change_types, _cut))
    return make(chance, json.dumps(json.loads(content)).encode())


def _cut(chance: random.Random, content: bytes) -> bytes:
    return content[: chance.randrange(len(content))]


RECORD: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "bits": flip_bits,
    "lines": shuffle_lines,
    "numbers": change_numbers,
    "types": change_types,
    "sizes": change_sizes,
}


def _change(chance: random.Random, content: bytes, wanted: Callable[[Any], bool], make: Callable[[Any], Any]) -> bytes:
    """One value of a line, sealed again if the line was."""
    lines = content.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    fields = json.loads(lines[at])
    number = fields.pop("line", None)
    fields.pop("crc32", None)
    places = [place for place in _places(fields) if wanted(place[0][place[1]])]
    if not places:
        return flip_bits(chance, content)
    holder, key = chance.choice(places)
    holder[key] = make(holder[key])
    line = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
    lines[at] = line if number is None else seal(line, number)
    return b"".join(lines)


def _places(fields: Any) -> list[tuple[Any, Any]]:
    keys = fields.keys() if isinstance(fields, dict) else range(len(fields))
    found = [(fields, key) for key in keys]
    return found + [place for key in keys if isinstance(fields[key], dict | list) for place in _places(fields[key])]


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _in_a_circle(path: Path) -> None:
    path.symlink_to(path.name)


def _nowhere(path: Path) -> None:
    path.symlink_to("nothing")


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _long_hole(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 35)


def _socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _noise(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(100_000))


HOSTILE = (_pipe, _endless, _in_a_circle, _nowhere, _sparse, _long_hole, _socket, Path.mkdir, _empty, _noise)
NAMES = (
    "run.json",
    "events.jsonl",
    "events.packed",
    "lock",
    "control.jsonl",
    "log.txt",
    "checkpoints/last.pt",
    "most_wrong.json",
)


def make_hostile(chance: random.Random, folder: Path) -> list[str]:
    """Have something else stand where some files of a run do; what, in words."""
    done = []
    for name in chance.sample(NAMES, chance.choice((1, 1, 2, 3, len(NAMES)))):
        make = chance.choice(HOSTILE)
        (folder / name).unlink(missing_ok=True)
        make(folder / name)
        done.append(f"{name}: {make.__name__}")
    return done
