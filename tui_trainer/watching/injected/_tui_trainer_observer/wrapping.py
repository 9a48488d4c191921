"""Puts functions of ours around the program's calls of torch, as little to be noticed as can be.

A wrapper keeps the name, the signature and the docstring of what it wraps, gives its result and its exception on, and
calls it alone while dynamo traces: no graph breaks by it.
"""

from __future__ import annotations

import sys
from time import perf_counter

from .python_internals import getframe
from .torch_internals import skip_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from .observer import Observer

    Note = Callable[[FrameType, float, float, Any, "tuple[Any, ...]", "dict[str, Any]"], None]
    """Takes the frame of the caller, when the call began and ended, what it returned, and its arguments."""


class Depth:
    """Whether a call of a kind is being made: those within it are its own affair."""

    def __init__(self) -> None:
        self.inside = False


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> bool:
    """Put `make(original)` in its place; False where there is none."""
    held = vars(owner).get(name)
    if not callable(held):
        return False
    setattr(owner, name, disguised(make(held), held))
    return True


def disguised(wrapper: Any, original: Any) -> Any:
    """Give a wrapper the looks of what it wraps.

    A warning that torch raises "at the line of the caller" must name the program's line as ever: where Python counts
    frames for it, it passes over those of its own import system, which it knows by the name of their file.
    """
    for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
        try:
            setattr(wrapper, name, getattr(original, name))
        except AttributeError:
            pass
    wrapper.__dict__.update(getattr(original, "__dict__", {}))
    wrapper.__wrapped__ = original
    code = wrapper.__code__
    wrapper.__code__ = code.replace(co_filename=code.co_filename + " (passed over like importlib._bootstrap)")
    _NotCompiled.add(wrapper.__code__, calls_theirs=True)
    return wrapper


class _NotCompiled:
    """Code of ours that dynamo is not to compile by itself."""

    skip: Callable[[CodeType, bool], None] | None = None
    wrappers: list[CodeType] = []  # noqa: RUF012

    @classmethod
    def add(cls, code: CodeType, calls_theirs: bool) -> None:
        """A code object, and those of the functions within it."""
        if cls.skip is None:
            cls.wrappers.append(code)
            return
        cls.skip(code, calls_theirs)
        for held in code.co_consts:
            if type(held) is type(code):
                cls.add(held, calls_theirs)


def compile_nothing_of_ours(torch: Any, package: str) -> None:
    """Have dynamo run all of a package's code as it is, and what wrappers wrap as without them."""
    _NotCompiled.skip = skip_code(torch)
    if _NotCompiled.skip is None:
        return
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == package:
            for held in list(vars(module).values()):
                for function in (held, *(vars(held).values() if isinstance(held, type) else ())):
                    code = getattr(getattr(function, "__func__", function), "__code__", None)
                    if code is not None:
                        _NotCompiled.add(code, calls_theirs=False)
    for code in _NotCompiled.wrappers:
        _NotCompiled.add(code, calls_theirs=True)
    del _NotCompiled.wrappers[:]


def noted(observer: Observer, where: str, note: Note) -> Callable[[Any], Any]:
    """Makes wrappers that note each call that did not raise."""
    compiling, guard = observer.compiling, observer.guard

    def make(original: Any) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if compiling() or not observer.on:
                return original(*args, **kwargs)
            begin = perf_counter()
            result = original(*args, **kwargs)
            try:
                note(getframe(1), begin, perf_counter(), result, args, kwargs)
            except Exception as error:
                guard.failed(where, error)
            return result

        return wrapper

    return make


def noted_outermost(observer: Observer, where: str, depth: Depth, note: Note) -> Callable[[Any], Any]:
    """The same of calls that are not within another one of this depth."""
    compiling, guard = observer.compiling, observer.guard

    def make(original: Any) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if compiling() or depth.inside or not observer.on:
                return original(*args, **kwargs)
            depth.inside = True
            begin = perf_counter()
            try:
                result = original(*args, **kwargs)
            finally:
                depth.inside = False
            try:
                note(getframe(1), begin, perf_counter(), result, args, kwargs)
            except Exception as error:
                guard.failed(where, error)
            return result

        return wrapper

    return make
