"""From a file to its tables: what a TOML text says, and where. No file makes a traceback."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from tui_trainer.files.regular import Irregular, open_regular
from tui_trainer.presets.problems import PresetError, Problem, key_name
from tui_trainer.presets.toml_lines import first_duplicate, longest_key
from tui_trainer.text.plain import plain

LARGEST_FILE = 64 * 1024
"""Bytes. A preset is a page of text; what is larger is another file."""

LONGEST_KEY = 100
"""Names in a dotted key: two would do, and thousands would keep `tomllib` busy for minutes."""


def read_text(path: Path) -> str:
    """The text of a preset's file.

    Raises:
        PresetError: there is none to read.
    """
    file = str(path)
    try:
        content = _read(path)
    except Irregular as error:
        raise _refusal(file, f"{error}; a preset is a TOML file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refusal(file, f"cannot be read: {reason}") from None
    if len(content) > LARGEST_FILE:
        raise _refusal(file, f"larger than {LARGEST_FILE // 1024} KiB; a preset is a page of TOML")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(file, "not UTF-8 text; a preset is a TOML file", line) from None


def _read(path: Path) -> bytes:
    """Of a file, enough to tell whether it is too large. One of the kernel's may have nothing yet: nobody waits for it.

    Raises:
        OSError: it cannot be read.
    """
    content = b""
    with os.fdopen(open_regular(path), "rb", buffering=0) as opened:
        while len(content) <= LARGEST_FILE and (piece := opened.read(LARGEST_FILE + 1 - len(content))) != b"":
            if piece is None:
                raise OSError("it has no end, as a file of the kernel's may have none")
            content += piece
    return content


def read_toml(text: str, file: str) -> dict[str, Any]:
    """What a TOML text says; `file` is what problems call it.

    Raises:
        PresetError: it is not valid TOML.
    """
    nested = "nested too deeply for a preset, which is tables of plain values"
    if longest_key(text) > LONGEST_KEY:
        raise _refusal(file, nested)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _refusal(file, nested) from None
    except (ValueError, OverflowError) as error:
        duplicate = first_duplicate(text)
        if duplicate and str(error).startswith("Cannot"):  # overwrite a value, or declare a table twice
            before, again = duplicate
            problem = Problem(
                file, again.line, key_name(again.path), f"given twice, first on line {before.line}; keep one"
            )
            raise PresetError([problem]) from None
        message, line = _place_of(str(error))
        raise _refusal(file, f"not valid TOML: {message}", line) from None


def _place_of(message: str) -> tuple[str, int | None]:
    """tomllib's message without its place, and the line of it."""
    match = re.search(r" \(at line (\d+), column \d+\)$", message)
    return (message[: match.start()], int(match[1])) if match else (message, None)


def _refusal(file: str, message: str, line: int | None = None) -> PresetError:
    return PresetError([Problem(file, line, "", plain(message))])
