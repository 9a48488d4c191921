"""What the source of a running function says of the line that runs: the statements that it stands in, and what may keep
a loop from going round as often as its `range` says."""

from __future__ import annotations

import os
import sys
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType
    from typing import Any

_MOST_SOURCE = 300_000
"""Characters of a file that is read; a larger one was made by a machine."""
_BEGAN = time()
"""A file that was written since then is not what runs."""
_NO_FAULTS = ("Error", "Exception", "Failure", "Warning")
"""How names of errors end; what is raised else is to leave a loop."""
_CAUGHT_ANYWAY = ("KeyboardInterrupt", "SystemExit")
_EXITS = ("exit", "quit", "_exit", "abort")
_APPLY = ("map", "starmap", "imap", "imap_unordered", "map_async", "submit", "filter", "reduce")
"""What calls a function several times that it is given."""
_ASKS_NOTHING = ("isinstance", "len", "hasattr")
"""Functions in conditions that give the same each time."""


class Stands:
    """A statement that a line stands in: the statements that it is one of, and in which part of it the line is."""

    __slots__ = ("block", "node", "part")

    def __init__(self, node: Any, block: list[Any], part: str) -> None:
        self.node = node
        self.block = block
        self.part = part
        """`head` of what it is itself, or that of a loop; else `body`, `orelse`, `finalbody`, `handler` or `case`."""


class Source:
    """Files of the program, each read once."""

    def __init__(self) -> None:
        self.ast: Any = sys.modules.get("ast")  # torch has it
        self._trees: dict[str, Any] = {}

    def body_of(self, code: CodeType, names: dict[str, Any]) -> list[Any] | None:
        """The statements of a function, or of a module; None where they cannot be read.

        Args:
            code: the function's.
            names: its globals.
        """
        ast, tree = self.ast, self._tree(code.co_filename, names) if self.ast is not None else None
        if tree is None:
            return None
        if code.co_name == "<module>":
            return list(tree.body)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if first == code.co_firstlineno or node.lineno == code.co_firstlineno:
                    return list(node.body)
        return None

    def _tree(self, file: str, names: dict[str, Any]) -> Any:
        if file not in self._trees:
            linecache = sys.modules.get("linecache")
            self._trees[file] = None
            if linecache is None or (os.path.exists(file) and os.path.getmtime(file) > _BEGAN):
                return None
            source = "".join(linecache.getlines(file, names))
            if 0 < len(source) <= _MOST_SOURCE:
                try:
                    self._trees[file] = self.ast.parse(source)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    pass
        return self._trees[file]


class Place:
    """The line of a function that runs.

    Args:
        source: the files.
        frame: the function as it runs.
        gives_batches: whether what runs there is the beginning of a pass, and no call of the program's.
    """

    def __init__(self, source: Source, frame: FrameType, body: list[Any], gives_batches: bool) -> None:
        self.ast = source.ast
        self.frame = frame
        self.body = body
        self.line = frame.f_lineno
        self.path = self._path(body, gives_batches)
        """What it stands in, outermost first."""

    @property
    def is_head(self) -> bool:
        """Whether it is the head of a `for`."""
        return bool(self.path) and self.path[-1].part == "head" and self._is_for(self.path[-1].node)

    @property
    def loops(self) -> list[Any]:
        """The loops that it stands in, outermost first; the condition of a `while` stands in it."""
        return [each.node for each in self.path if self.is_in_loop(each)]

    def is_in_loop(self, each: Stands) -> bool:
        """Whether a statement is a loop, and the line is of each of its rounds."""
        if isinstance(each.node, self.ast.While):
            return each.part != "orelse"
        return self._is_for(each.node) and each.part == "body"

    def conditions(self, path: list[Stands]) -> list[Any]:
        """Statements of a path that decide whether it goes on to the line: `if`, `case` and `except`."""
        return [
            each.node
            for each in path
            if (isinstance(each.node, self.ast.If) and each.part in ("body", "orelse"))
            or each.part in ("handler", "case")
        ]

    def beside(self, path: list[Stands], *, after: bool) -> Iterator[Any]:
        """Statements that are carried out with those of a path: behind them alone, or before them, too."""
        for each in path:
            at = each.block.index(each.node)
            yield from each.block[at + 1 :]
            if not after:
                yield from each.block[:at]

    def before(self, path: list[Stands]) -> list[Any]:
        """Statements that are carried out before those of a path."""
        return [node for each in path for node in each.block[: each.block.index(each.node)]]

    def _is_for(self, node: Any) -> bool:
        return isinstance(node, (self.ast.For, self.ast.AsyncFor))

    def _path(self, body: list[Any], gives_batches: bool) -> list[Stands]:
        path: list[Stands] = []
        block: list[Any] | None = body
        while block is not None:
            node = next((node for node in block if node.lineno <= self.line <= node.end_lineno), None)
            if node is None:
                break
            part, inner = self._part(node, gives_batches)
            path.append(Stands(node, block, part))
            block = inner
        return path

    def _part(self, node: Any, gives_batches: bool) -> tuple[str, list[Any] | None]:
        """In which part of a statement the line is, and the statements there."""
        if isinstance(node, (self.ast.FunctionDef, self.ast.AsyncFunctionDef, self.ast.ClassDef)):
            return "head", None
        line = self.line
        if self._is_for(node) and line <= node.iter.end_lineno and (gives_batches or line < node.body[0].lineno):
            return "head", None
        for part in ("body", "orelse", "finalbody"):
            inner = getattr(node, part, None)
            if type(inner) is list and _spans(inner, line):
                return part, inner
        for part, name in (("handlers", "handler"), ("cases", "case")):
            for inner in getattr(node, part, []):
                if _spans(inner.body, line):
                    return name, inner.body
        return "head", None


def _spans(body: list[Any], line: int) -> bool:
    return bool(body) and body[0].lineno <= line <= body[-1].end_lineno


def names(ast: Any, node: Any) -> set[str]:
    """Variables and attributes that are named there."""
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return found | {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def stored(ast: Any, body: list[Any], attributes_alone: bool = False) -> set[str]:
    """Variables and attributes that are set there."""
    found: set[str] = set()
    for node in [each for statement in body for each in ast.walk(statement)]:
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            found.add((getattr(node, "id", "") if not attributes_alone else "") or getattr(node, "attr", ""))
    return found - {""}


def run_there(ast: Any, body: list[Any]) -> Iterator[Any]:
    """All that is carried out with these statements, and no function that is but defined there."""
    left = list(body)
    while left:
        node = left.pop()
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield node
            left.extend(ast.iter_child_nodes(node))


def called(ast: Any, node: Any) -> str:
    """The last word of what a call calls."""
    return str(getattr(node.func, "id", "") or getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""


def may_leave(ast: Any, body: list[Any], line: int, within: bool = False) -> bool:
    """Whether a loop of this body can end before the body is done, or go on to its next round before a line."""
    for node in body:
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break) and not within):
            return True
        if isinstance(node, ast.Continue) and not within and node.lineno < line:
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        is_loop = isinstance(node, (ast.For, ast.AsyncFor, ast.While))
        parts = [getattr(node, part, []) for part in ("orelse", "finalbody", "handlers", "cases")]
        if may_leave(ast, getattr(node, "body", []), line, within or is_loop):
            return True
        if any(may_leave(ast, part, line, within) for part in parts):
            return True
    return False


def may_end_all(ast: Any, body: list[Any], *, gives_items: bool = False) -> bool:
    """Whether something there raises what is no error, as `EarlyStop`, or ends the program as one that is done. Where
    items are given one by one, `StopIteration` only says that there are no more."""
    for node in run_there(ast, body):
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = called(ast, node.exc) or str(getattr(node.exc, "id", "") or getattr(node.exc, "attr", ""))
            if _is_to_leave(name) and not (gives_items and name in ("StopIteration", "StopAsyncIteration")):
                return True
        if called(ast, node) in _EXITS:
            code = node.args[0] if node.args else None
            if not isinstance(code, ast.Constant) or code.value in (0, None):
                return True
    return False


def catches_an_end(ast: Any, path: list[Stands]) -> bool:
    """Whether what is raised to leave a loop is caught around it."""
    for each in path:
        if each.part != "body":
            continue
        if any(called(ast, item.context_expr) == "suppress" for item in getattr(each.node, "items", [])):
            return True
        for handler in getattr(each.node, "handlers", []):
            if handler.type is not None:
                kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                words = [str(getattr(kind, "id", "") or getattr(kind, "attr", "")) for kind in kinds]
                if any(_is_to_leave(word) and word not in _CAUGHT_ANYWAY for word in words):
                    return True
    return False


def _is_to_leave(name: str) -> bool:
    return name[:1].isupper() and not name.endswith(_NO_FAULTS)


def returns_before(ast: Any, place: Place) -> bool:
    """Whether a function may be done before it comes to the line."""
    return any(isinstance(node, ast.Return) for node in run_there(ast, place.before(place.path)))


def calls_several_times(ast: Any, place: Place, function: str) -> bool:
    """Whether the statement calls this function once for each of some items: in a comprehension, or by `map`."""
    last = place.path[-1].node if place.path and place.path[-1].part == "head" else None
    if last is None:
        return False
    top = [last.iter] if hasattr(last, "iter") else [last]
    for node in run_there(ast, top):
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            firsts = {id(each) for each in ast.walk(node.generators[0].iter)}
            if any(called(ast, each) == function and id(each) not in firsts for each in ast.walk(node)):
                return True
        if called(ast, node) in _APPLY:
            given = {getattr(each, "id", "") or getattr(each, "attr", "") for each in node.args}
            if function in given or function == "<lambda>":
                return True
    return False


def asks(ast: Any, test: Any) -> bool:
    """Whether a condition calls something that may answer differently each time."""
    return any(isinstance(node, ast.Call) and called(ast, node) not in _ASKS_NOTHING for node in ast.walk(test))


def names_phases(ast: Any, node: Any) -> bool:
    """Whether a loop is one over words that are written out, of which one, and no other, means training."""
    if not isinstance(node, ast.For) or not isinstance(node.iter, (ast.List, ast.Tuple)):
        return False
    words = [getattr(item, "value", None) for item in node.iter.elts]
    return all(type(word) is str for word in words) and sum("train" in str(word).lower() for word in words) == 1
