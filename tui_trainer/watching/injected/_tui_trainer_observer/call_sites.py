"""Places in the program: which of its lines made a call, and what it calls the object there."""

from __future__ import annotations

import os
import sys

from .plain import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any, TypeVar

    from .trace_writer import TraceWriter

    T = TypeVar("T")

_MOST_PLACES = 5000
_OPTIMIZED = 0x1  # a function whose locals are no dict
_OWN_FOLDER = os.path.dirname(__file__)
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep


class CallSites:
    """Gives each place a number, and defines it in the trace as it is first come by."""

    def __init__(self, writer: TraceWriter) -> None:
        self._writer = writer
        self._libraries = [_OWN_FOLDER, _STANDARD_LIBRARY]
        self.clear()

    def clear(self) -> None:
        """Define all anew."""
        self._codes: dict[int, tuple[CodeType, bool]] = {}
        self._places: dict[tuple[str, int, int, int], int] = {}
        self._defined: dict[tuple[str, int, str, int, int], int] = {}
        self._count = 0

    def library(self, file: str) -> None:
        """What lies beside this file is no code of the program's: torch built from its source, say."""
        self._libraries.append(os.path.dirname(file) + os.sep)

    def of_call(self, call: str, frame: FrameType | None, target: int = 0, held: Any = None) -> int:
        """The number of the place that a call is made from.

        Args:
            call: its name in `trace.CALLS`.
            frame: the caller; where that is a library's, the program's next one outwards counts.
            target: the number of what it is of.
            held: what the place is to be named after: the loss, the optimizer.
        """
        codes = self._codes
        while frame is not None:
            code = frame.f_code
            known = codes.get(id(code))
            if known is None:
                known = codes[id(code)] = (code, self.is_library(code.co_filename))
            if not known[1]:
                key = (call, id(code), frame.f_lasti, target)
                number = self._places.get(key)
                return self._found(key, frame, held) if number is None else number
            frame = frame.f_back
        key = (call, 0, 0, target)
        number = self._places.get(key)
        return self._found(key, None, held) if number is None else number

    def of_part(self, call: str, target: int, part: int) -> int:
        """The number of something that is told of a group of an optimizer, from no place."""
        return self._define((call, target, "", 0, part), {"call": call, "target": target, "part": part})

    def is_of_program(self, frame: FrameType) -> bool:
        """Whether a frame is the program's own, and no library's."""
        code = frame.f_code
        known = self._codes.get(id(code))
        if known is None:
            known = self._codes[id(code)] = (code, self.is_library(code.co_filename))
        return not known[1]

    def is_standard(self, frame: FrameType) -> bool:
        """Whether a frame is one of the standard library's, or of the observer's own."""
        file = frame.f_code.co_filename
        return file.startswith(("<frozen", _OWN_FOLDER)) or (
            file.startswith(_STANDARD_LIBRARY) and "site-packages" not in file and "dist-packages" not in file
        )

    def program_frame(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame from there on that is the program's own."""
        while frame is not None and self.is_library(frame.f_code.co_filename):
            frame = frame.f_back
        return frame

    def is_library(self, file: str) -> bool:
        """Whether a file is one of a library's, and none of the program's."""
        if file.startswith(("<frozen", "<attrs", "<__array", "<eval_with_key", "<torch", "<template")):
            return True
        if "site-packages" in file or "dist-packages" in file:
            return True
        return file.startswith(tuple(self._libraries))

    def _found(self, key: tuple[str, int, int, int], frame: FrameType | None, held: Any) -> int:
        """Define a place that was not come by before, or whose code was compiled anew."""
        if len(self._places) >= _MOST_PLACES:
            self._places.clear()
            self._codes.clear()
        call, _, _, target = key
        values: dict[str, object] = {"call": call, "target": target}
        if frame is not None:
            code = frame.f_code
            self._codes.setdefault(id(code), (code, False))
            values.update(file=text(os.path.abspath(code.co_filename)), lineno=frame.f_lineno, text=line_of(frame))
            if code.co_filename.startswith("<"):
                values["file"] = text(code.co_filename)
            values["function"] = text(getattr(code, "co_qualname", code.co_name), 200)
            values["name"] = name_of(held, frame)
        line, part = (frame.f_lineno, frame.f_lasti) if frame is not None else (0, 0)  # two calls may share a line
        place = (call, target, str(values.get("file", "")), line, part)
        number = self._places[key] = self._define(place, values)
        return number

    def _define(self, place: tuple[str, int, str, int, int], values: dict[str, object]) -> int:
        number = self._defined.get(place)
        if number is None:
            self._count += 1
            number = self._defined[place] = self._count
            self._writer.define("site", id=number, **values)
        return number


class LastSite:
    """The place that a call was made from last. A hook that is called at each step compares it with the frame that lies
    `depth` frames out from its own, and asks for the place only where `code` and `instruction` are others."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Places are given new numbers."""
        self.depth = 1
        self.code: Any = None
        self.instruction = -1
        self.number = 0

    def find(self, sites: CallSites, call: str, frame: FrameType, target: int = 0, held: Any = None) -> int:
        """What `CallSites.of_call` gives, remembered. `frame` is that of the caller of the hook."""
        self.number = sites.of_call(call, frame, target, held)
        depth = 1
        outer: FrameType | None = frame
        while outer is not None and not sites.is_of_program(outer):
            depth, outer = depth + 1, outer.f_back
        if outer is None:
            self.code, self.instruction = None, -1
        else:
            self.depth, self.code, self.instruction = depth, outer.f_code, outer.f_lasti
        return self.number


def line_of(frame: FrameType) -> str:
    """The line that runs, without its indent; empty where its source cannot be had."""
    linecache = sys.modules.get("linecache")  # the program has it, as torch does
    getline = getattr(linecache, "getline", None)
    if getline is None:
        return ""
    try:
        return text(getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).strip(), 300)
    except Exception:
        return ""


def name_around(held: Any, frame: FrameType | None) -> str:
    """What the program calls an object in this frame, or in one of the next further out."""
    for _ in range(6):
        if frame is None:
            break
        name = name_of(held, frame)
        if name:
            return name
        frame = frame.f_back
    return ""


def name_of(held: Any, frame: FrameType) -> str:
    """What the program calls an object: the local or global of this frame that *is* it, or an attribute of its `self`.

    Empty where there is none.
    """
    if held is None:
        return ""
    names, myself = _local_names(held, frame)
    if not names:
        names = [name for name, value in list(frame.f_globals.items()) if value is held]
    if not names and myself is not None:
        names = [name for name, value in list(getattr(myself, "__dict__", {}).items()) if value is held]
    shown = [name for name in names if not name.startswith("_")] or [name.lstrip("_") for name in names]
    return text(shown[0], 100) if shown else ""


def variable(name: str, frame: FrameType) -> Any:
    """What a variable holds in this frame; None where there is none, or it cannot be told: see `_of_locals`."""
    code = frame.f_code
    if code.co_flags & _OPTIMIZED and name not in code.co_varnames + code.co_cellvars + code.co_freevars:
        return frame.f_globals.get(name)
    outside = None if code.co_flags & _OPTIMIZED else frame.f_globals.get(name)
    return _of_locals(frame, lambda values: values.get(name, outside), None)


def _local_names(held: Any, frame: FrameType) -> tuple[list[str], Any]:
    """The locals that are this object, and `self`."""

    def read(values: Any) -> tuple[list[str], Any]:
        return [name for name, value in list(values.items()) if value is held], values.get("self")

    nothing: tuple[list[str], Any] = ([], None)
    return _of_locals(frame, read, nothing)


def _of_locals(frame: FrameType, read: Callable[[Any], T], otherwise: T) -> T:
    """What is read of a frame's locals.

    Until Python 3.12 `f_locals` of a function is a dict that the frame keeps: it would hold the batch and the loss
    until the function ends, and is the very dict that `locals()` has given to the program. So a function that asks for
    its locals is not looked into, and the dict is emptied after.
    """
    code = frame.f_code
    if not code.co_flags & _OPTIMIZED or sys.version_info >= (3, 13):
        return read(frame.f_locals)
    if "locals" in code.co_names or "vars" in code.co_names:
        return otherwise
    values = frame.f_locals
    found = read(values)
    if sys.getrefcount(values) <= 3:  # the frame's, this function's, the question's own
        values.clear()
    return found
