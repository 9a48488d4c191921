"""What an expression of the program is, as far as that is plain to see: nothing of the program is called for it."""

from __future__ import annotations

import sys

from ..call_sites import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_LARGEST = 1 << 31
_WRAPPERS = ("tqdm", "trange", "track", "progress_bar", "master_bar", "alive_it", "enumerate", "reversed")
"""What gives as many items as what it is given."""


def range_of(node: Any, frame: FrameType) -> tuple[range, bool] | None:
    """The `range` that an expression is, or that a bar of progress is drawn of, and whether its items come as they are,
    in its order; None where there is none, or it is empty."""
    ast: Any = sys.modules["ast"]
    if not isinstance(node, ast.Call):
        return None
    called = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
    if called in _WRAPPERS and called != "trange":
        found = range_of(node.args[0], frame) if node.args else None
        return (found[0], found[1] and called not in ("enumerate", "reversed")) if found is not None else None
    if called not in ("range", "trange") or (called == "range" and variable("range", frame) not in (None, range)):
        return None
    if any(keyword.arg in ("start", "stop", "step", None) for keyword in node.keywords):
        return None
    given = [whole_number(argument, frame) for argument in node.args]
    values = [value for value in given if value is not None]
    if not 1 <= len(values) <= 3 or len(values) < len(given):
        return None
    try:
        items = range(*values)
        return (items, True) if 0 < len(items) < _LARGEST else None
    except (ValueError, OverflowError):
        return None


def whole_number(node: Any, frame: FrameType) -> int | None:
    """The whole number that an expression is; None where that is not plain to see."""
    ast: Any = sys.modules["ast"]
    if isinstance(node, ast.BinOp):
        left, right = whole_number(node.left, frame), whole_number(node.right, frame)
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
        value = held(node.args[0], frame)
        if node.func.id == "int":
            return int(value) if type(value) in (int, float) and value == value and abs(value) < _LARGEST else None
        return len(value) if type(value) in (list, tuple, dict, str, range) else None
    value = held(node, frame)
    return value if type(value) is int else None


def held(node: Any, frame: FrameType) -> Any:
    """What a name, an attribute or an item holds, without a call of anybody's code; None where that cannot be had."""
    ast: Any = sys.modules["ast"]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return variable(node.id, frame)
    if isinstance(node, ast.Attribute):
        return attribute(held(node.value, frame), node.attr)
    if isinstance(node, ast.Subscript):
        value, key = held(node.value, frame), getattr(node.slice, "value", None)
        return value.get(key) if type(value) is dict and type(key) in (str, int) else None
    return None


def attribute(value: Any, name: str) -> Any:
    """What an object, a module or a class holds under this name; a property, and not what it gives."""
    if value is None:
        return None
    try:
        own = object.__getattribute__(value, "__dict__")
    except AttributeError:
        own = {}
    kinds = type.mro(value) if isinstance(value, type) else type(value).__mro__
    of_kind = next((vars(kind)[name] for kind in kinds if name in vars(kind)), None)
    if isinstance(value, type) or type(own) is not dict or name not in own or hasattr(type(of_kind), "__set__"):
        return of_kind
    return own[name]
