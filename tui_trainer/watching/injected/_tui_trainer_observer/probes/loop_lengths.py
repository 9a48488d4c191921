"""How many epochs, or steps, there will be: how often the loop goes round that a pass over a loader, or a step, stands
in, where its `range` says so.

`for epoch in range(args.epochs):` is read from the program's source, and its numbers from the variables that it names;
nothing of the program is run for it. What may end the loop before, or leave one of its rounds out, makes its length
unknown, as do loops around it, and a library that calls the program.
"""

from __future__ import annotations

import os
import sys
from time import time

from ..call_sites import variable
from ..listeners import NEVER
from ..python_internals import getframe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ..observer import Observer

_MOST_SOURCE = 300_000
"""Characters of a file that is read; a larger one was made by a machine."""
_BEGAN = time()
"""A file that was written since then is not what runs."""
_MOST_PLACES = 1000
_LARGEST = 1 << 31
_TRANSPARENT = (
    "torch",
    "tqdm",
    "rich",
    "fastprogress",
    "alive_progress",
    "accelerate",
    "timm",
    "click",
    "typer",
    "hydra",
    "fire",
    "absl",
    "tyro",
)
"""Libraries that call the program, or stand between it and torch, once for each call of theirs."""
_WRAPPERS = ("tqdm", "trange", "track", "progress_bar", "master_bar", "alive_it", "enumerate", "reversed")
"""What gives as many items as what it is given."""


class LoopLengths:
    """Looks as a pass begins at a place, or an optimizer makes its first step, and tells each place once."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._told: set[int] = set()
        self._known: dict[tuple[str, int], int | None] = {}
        """By files and lines; loaders may be made anew for each epoch."""
        observer.listeners.add("pass_began", self._pass_began)
        observer.listeners.add("after_step", self._stepped)

    def _pass_began(self, loader: Any, iterator: Any, site: int) -> None:
        if site not in self._told:
            self._tell(site, getframe(1), _batches(loader))

    def _stepped(self, optimizer: Any, record: Any, site: int) -> int:
        if site not in self._told:
            self._tell(site, getframe(1))
        return NEVER

    def _tell(self, site: int, frame: FrameType | None, batches: int | None = None) -> None:
        """Of a step, or of a pass of so many batches."""
        if len(self._told) >= _MOST_PLACES:
            return
        self._told.add(site)
        own = self._observer.sites.program_frame(frame)
        if own is None:
            return
        line = own.f_code.co_filename, own.f_lineno
        if line not in self._known:
            self._known[line] = self._rounds(frame, is_pass=batches is not None)
        rounds = self._known[line]
        if rounds is not None:
            steps = rounds if batches is None else rounds * batches
            self._observer.expected_steps = max(self._observer.expected_steps, steps)
            self._observer.writer.define("observed", fact="rounds", site=site, values={"rounds": rounds})

    def _rounds(self, frame: FrameType | None, is_pass: bool) -> int | None:
        sites, found, innermost = self._observer.sites, None, True
        sources: dict[str, Any] = {}
        while frame is not None:
            if sites.is_of_program(frame):
                around = _loops_around(frame, is_pass, innermost, sources)
                if around is None or (around and found is not None) or len(around) > 1:
                    return None
                if around:
                    found = around[0], frame
                innermost = False
            elif not (sites.is_standard(frame) or _top_level(frame) in _TRANSPARENT):
                return None
            frame = frame.f_back
        return _length(found[0].iter, found[1]) if found is not None else None


def _batches(loader: Any) -> int:
    """0 where that is not known."""
    try:
        return len(loader)
    except Exception:
        return 0


def _top_level(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _loops_around(frame: FrameType, is_pass: bool, innermost: bool, sources: dict[str, Any]) -> list[Any] | None:
    """The loops of this function that the line stands in which runs, outermost first; None where its source cannot be
    read, or it may come to that line more or less often than they go round."""
    ast: Any = sys.modules.get("ast")  # torch has it
    body = _body_of(frame, ast, sources) if ast is not None else None
    if body is None:
        return None
    around: list[Any] = []
    is_header = _descend(ast, body, frame.f_lineno, around, is_pass and innermost)
    loops = [node for node in around if isinstance(node, (ast.For, ast.AsyncFor, ast.While))]
    if not loops:
        return []
    within = around[around.index(loops[0]) + 1 :]
    if is_pass:  # `for phase in ("train", "val"):` is a part of an epoch
        loops = [loops[0], *(node for node in loops[1:] if not _names_phases(ast, node))]
        if innermost and not is_header and any(not isinstance(node, ast.With) for node in within):
            return None  # an iterator that is made anew when the one before is empty
    if len(loops) > 1:
        return loops
    loop = loops[0]
    if isinstance(loop, ast.While) or any(isinstance(node, ast.ExceptHandler) for node in within):
        return None
    targets = _names(ast, loop.target)
    for node in within:
        if isinstance(node, ast.If) and (not is_pass or targets & _names(ast, node.test)):
            return None
    if _may_leave(ast, loop.body) or _stored(ast, loop.body) & _names(ast, loop.iter):
        return None
    return loops


def _body_of(frame: FrameType, ast: Any, sources: dict[str, Any]) -> list[Any] | None:
    """The statements of the function that a frame runs, or of the module."""
    code = frame.f_code
    tree = _tree(frame, ast, sources)
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


def _tree(frame: FrameType, ast: Any, sources: dict[str, Any]) -> Any:
    """What a file's source says, read once; None where it cannot be."""
    file = frame.f_code.co_filename
    if file not in sources:
        linecache = sys.modules.get("linecache")
        sources[file] = None
        if linecache is None or (os.path.exists(file) and os.path.getmtime(file) > _BEGAN):
            return None
        source = "".join(linecache.getlines(file, frame.f_globals))
        if 0 < len(source) <= _MOST_SOURCE:
            try:
                sources[file] = ast.parse(source)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                pass
    return sources[file]


def _descend(ast: Any, body: list[Any], line: int, around: list[Any], is_pass: bool) -> bool:
    """Gather what a line stands in, outermost first; whether it is the head of a `for` over a loader."""
    for node in body:
        if not node.lineno <= line <= node.end_lineno:
            continue
        is_for = isinstance(node, (ast.For, ast.AsyncFor))
        if is_for and line <= node.iter.end_lineno and (is_pass or line < node.body[0].lineno):
            return True
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While, ast.If)):
            inner = next((part for part in (node.body, node.orelse) if _spans(part, line)), None)
            if inner is not None:
                if not isinstance(node, ast.If) and inner is node.orelse:
                    return _descend(ast, inner, line, around, is_pass)
                around.append(node)
                return _descend(ast, inner, line, around, is_pass)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            return _descend(ast, node.body, line, around, is_pass)
        elif hasattr(node, "handlers"):
            for part in (node.body, node.orelse, node.finalbody):
                if _spans(part, line):
                    return _descend(ast, part, line, around, is_pass)
            for handler in node.handlers:
                if _spans(handler.body, line):
                    around.append(handler)
                    return _descend(ast, handler.body, line, around, is_pass)
        elif hasattr(node, "cases"):
            for case in node.cases:
                if _spans(case.body, line):
                    around.append(node)
                    return _descend(ast, case.body, line, around, is_pass)
        return False
    return False


def _spans(body: list[Any], line: int) -> bool:
    return bool(body) and body[0].lineno <= line <= body[-1].end_lineno


def _names(ast: Any, node: Any) -> set[str]:
    """Variables and attributes that are named there."""
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return found | {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def _stored(ast: Any, body: list[Any]) -> set[str]:
    """Variables and attributes that are set there."""
    found: set[str] = set()
    for node in [each for statement in body for each in ast.walk(statement)]:
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            found.add(getattr(node, "id", "") or getattr(node, "attr", ""))
    return found


def _may_leave(ast: Any, body: list[Any], within: bool = False) -> bool:
    """Whether a loop of this body can end, or go on to its next round, before the body is done."""
    for node in body:
        if isinstance(node, ast.Return) or (isinstance(node, (ast.Break, ast.Continue)) and not within):
            return True
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        is_loop = isinstance(node, (ast.For, ast.AsyncFor, ast.While))
        parts = [getattr(node, part, []) for part in ("orelse", "finalbody", "handlers", "cases")]
        if _may_leave(ast, getattr(node, "body", []), within or is_loop):
            return True
        if any(_may_leave(ast, part, within) for part in parts):
            return True
    return False


def _names_phases(ast: Any, node: Any) -> bool:
    """Whether a loop is one over words that are written out, of which one means training."""
    if not isinstance(node, ast.For) or not isinstance(node.iter, (ast.List, ast.Tuple)):
        return False
    words = [getattr(item, "value", None) for item in node.iter.elts]
    return all(type(word) is str for word in words) and any("train" in str(word).lower() for word in words)


def _length(node: Any, frame: FrameType) -> int | None:
    """How many items an expression gives, where it is a `range`, or one that a bar of progress is drawn of."""
    ast = sys.modules["ast"]
    if not isinstance(node, ast.Call):
        return None
    called = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
    if called in _WRAPPERS and called != "trange":
        return _length(node.args[0], frame) if node.args else None
    if called not in ("range", "trange") or (called == "range" and variable("range", frame) not in (None, range)):
        return None
    if any(keyword.arg in ("start", "stop", "step", None) for keyword in node.keywords):
        return None
    given = [_value(ast, argument, frame) for argument in node.args]
    values = [value for value in given if value is not None]
    if not 1 <= len(values) <= 3 or len(values) < len(given):
        return None
    try:
        length = len(range(*values))
    except (ValueError, OverflowError):
        return None
    return length if 0 < length < _LARGEST else None


def _value(ast: Any, node: Any, frame: FrameType) -> int | None:
    """The whole number that an expression is; None where that is not plain to see."""
    if isinstance(node, ast.BinOp):
        left, right = _value(ast, node.left, frame), _value(ast, node.right, frame)
        if left is None or right is None or max(abs(left), abs(right)) >= _LARGEST:
            return None
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        return left // right if isinstance(node.op, ast.FloorDiv) and right else None
    if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ("int", "len") and len(node.args) == 1:
        held = _held(ast, node.args[0], frame)
        if node.func.id == "int":
            return int(held) if type(held) in (int, float) and held == held and abs(held) < _LARGEST else None
        return len(held) if type(held) in (list, tuple, dict, str, range) else None
    held = _held(ast, node, frame)
    return held if type(held) is int else None


def _held(ast: Any, node: Any, frame: FrameType) -> Any:
    """What a name, an attribute or an item holds, without a call of anybody's code; None where that cannot be had."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return variable(node.id, frame)
    if isinstance(node, ast.Attribute):
        return _attribute(_held(ast, node.value, frame), node.attr)
    if isinstance(node, ast.Subscript):
        held, key = _held(ast, node.value, frame), getattr(node.slice, "value", None)
        return held.get(key) if type(held) is dict and type(key) in (str, int) else None
    return None


def _attribute(held: Any, name: str) -> Any:
    if held is None:
        return None
    try:
        own = object.__getattribute__(held, "__dict__")
    except AttributeError:
        own = {}
    if not isinstance(held, type) and type(own) is dict and name in own:
        return own[name]
    kinds = type.mro(held) if isinstance(held, type) else type(held).__mro__
    for kind in kinds:
        if name in vars(kind):
            return vars(kind)[name]
    return None
