"""Whether statements beside a loop train as well: by their words, and by those of the functions that they call."""

from __future__ import annotations

from .loop_source import called, names, run_there
from .plain_values import attribute, held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

_MOST_FUNCTIONS = 200
_DEPTH = 5
_WITHOUT_GRADIENTS = ("no_grad", "inference_mode")


class TrainingCalls:
    """Looks into the program's own functions, and calls none.

    Args:
        ast: the module.
        is_of_program: tells whether a file is the program's own.
    """

    def __init__(self, ast: Any, is_of_program: Callable[[str], bool]) -> None:
        self._ast = ast
        self._is_of_program = is_of_program

    def any_of(self, statements: Any, frame: FrameType) -> bool:
        """Whether one of these statements of a running function goes backward, be it in functions that it calls. What
        names a validation is none, be it by a function that trains, too."""
        ast = self._ast
        for statement in statements:
            for simple in self._simple(statement):
                if self._validates(simple):
                    continue
                for node in run_there(ast, [simple]):
                    if not isinstance(node, ast.Call):
                        continue
                    if called(ast, node) == "backward" or self._goes_backward(held(node.func, frame), node, frame):
                        return True
        return False

    def _simple(self, statement: Any) -> Any:
        """The statements within a statement that hold no others, and the heads of those that do."""
        ast = self._ast
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return
        if isinstance(statement, (ast.With, ast.AsyncWith)):
            words = [names(ast, item.context_expr) for item in statement.items]
            if any(not found.isdisjoint(_WITHOUT_GRADIENTS) for found in words):
                return
        parts = [getattr(statement, part, []) for part in ("body", "orelse", "finalbody", "handlers", "cases")]
        if not any(parts):
            yield statement
            return
        yield from (head for head in (getattr(statement, part, None) for part in ("iter", "test")) if head is not None)
        for part in parts:
            for inner in part:
                yield from self._simple(inner)

    def _validates(self, node: Any) -> bool:
        """Whether words of it mean a validation, or it says that it does not train: `run(loader, train=False)`."""
        ast = self._ast
        for each in ast.walk(node):
            if isinstance(each, ast.Call):
                given = [*each.args, *(keyword.value for keyword in each.keywords)]
                if any(
                    isinstance(value, ast.Constant) and (value.value is False or value.value is None) for value in given
                ):
                    return True
            if isinstance(each, ast.Constant) and type(each.value) is str and _means_validation(each.value):
                return True
        return any(_means_validation(word) for word in names(ast, node))

    def _goes_backward(self, function: Any, call: Any, frame: FrameType) -> bool:
        owner = held(call.func.value, frame) if isinstance(call.func, self._ast.Attribute) else None
        kind = owner if isinstance(owner, type) else type(owner)
        seen: set[int] = set()
        return self._is_in(getattr(function, "__func__", function), kind, seen, _DEPTH)

    def _is_in(self, function: Any, kind: type, seen: set[int], depth: int) -> bool:
        code = getattr(function, "__code__", None) if type(function).__name__ == "function" else None
        if code is None or id(code) in seen or not depth or len(seen) >= _MOST_FUNCTIONS:
            return False
        seen.add(id(code))
        if not self._is_of_program(code.co_filename):
            return False
        words = _words(code)
        if "backward" in words:
            return True
        for word in words:
            for other in (function.__globals__.get(word), attribute(kind, word)):
                if self._is_in(getattr(other, "__func__", other), kind, seen, depth - 1):
                    return True
        return False


def _words(code: CodeType) -> set[str]:
    """Names that a function asks for, and those that are defined in it."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if type(constant) is type(code):
            found |= _words(constant)
    return found


def _means_validation(text: str) -> bool:
    words = text.lower().replace("-", "_").split("_") if len(text) <= 100 else []
    return any(word in ("val", "dev") or word.startswith(("valid", "valload", "eval", "test")) for word in words)
