"""How many epochs, or steps, there will be: how often the loop goes round that a pass over a loader, or a step, stands
in, where its `range` says so.

`for epoch in range(args.epochs):` is read from the program's source, and its numbers from the variables that it names;
nothing of the program is run for it. What may end the loop before, leave one of its rounds out or train once more, in
one of them or behind them all, makes its length unknown, as do loops around it, and a library that calls the program.
"""

from __future__ import annotations

from ..call_sites import variable
from ..data_passes import size_of
from ..listeners import NEVER
from ..python_internals import getframe
from .loop_source import (
    Place,
    Source,
    asks,
    called,
    calls_several_times,
    catches_an_end,
    may_end_all,
    may_leave,
    names,
    names_phases,
    returns_before,
    stored,
)
from .plain_values import held, range_of
from .training_calls import TrainingCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ..observer import Observer

_MOST_PLACES = 1000
_GENERATOR = 0x20 | 0x200  # flags of a function that yields
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
_CALL_OFTEN = ("concurrent.futures", "multiprocessing.pool", "timeit", "unittest", "doctest")
"""Modules of the standard library that may call the program more than once."""
_BEGINS_PROCESSES = ("multiprocessing.spawn", "multiprocessing.forkserver")
"""Modules that a process of `multiprocessing` is begun by, from a text that it is given."""
_SWEEPS = ("multirun", "sweep")
"""Functions of such libraries that do."""


class LoopLengths:
    """Looks as a pass begins at a place, or an optimizer makes its first step, and tells each place once."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._told: set[int] = set()
        self._known: dict[tuple[str, int, bool], int | None] = {}
        """By files and lines, and whether it is a pass; loaders may be made anew for each epoch."""
        observer.listeners.add("pass_began", self._pass_began)
        observer.listeners.add("after_step", self._stepped)

    def _pass_began(self, loader: Any, iterator: Any, site: int) -> None:
        if site not in self._told:
            self._tell(site, getframe(1), size_of(loader) or 0)

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
        is_pass = batches is not None
        line = own.f_code.co_filename, own.f_lineno, is_pass
        if line not in self._known:
            self._known[line] = _Rounds(self._observer.sites, is_pass).of(frame)
        rounds = self._known[line]
        if rounds is not None:
            steps = rounds if batches is None else rounds * batches
            self._observer.expected_steps = max(self._observer.expected_steps, steps)
            self._observer.writer.define("observed", fact="rounds", site=site, values={"rounds": rounds})


class _Rounds:
    """Goes from a call outwards, through the functions that called each other, to the loop that it stands in."""

    def __init__(self, sites: Any, is_pass: bool) -> None:
        self._sites = sites
        self._is_pass = is_pass
        self._source = Source()
        self._training = TrainingCalls(self._source.ast, lambda file: not sites.is_library(file))
        self._inner: FrameType | None = None
        """The program's function that is called from the one that is looked at."""
        self._module = ""
        """That of the function last looked at which is none of the program's."""
        self._is_head = False
        """Whether a pass begins in the head of a loop, so that no statements beside it train with its batches."""
        self._sets: set[str] = set()
        """Attributes that the functions set which are called in the loop."""
        self._rounds: int | None = None

    def of(self, frame: FrameType | None) -> int | None:
        """How often the loop goes round; None where that is not sure."""
        while frame is not None:
            if self._sites.is_of_program(frame):
                if frame.f_back is None and self._module in _BEGINS_PROCESSES:
                    break
                if not self._follow(frame):
                    return None
                self._inner, self._module = frame, ""
            elif not self._is_through(frame):
                return None
            frame = frame.f_back
        return self._rounds

    def _is_through(self, frame: FrameType) -> bool:
        """Whether what is no function of the program's calls it once."""
        module = self._module = str(frame.f_globals.get("__name__", ""))
        if self._sites.is_standard(frame):
            return not module.startswith(_CALL_OFTEN)
        return module.partition(".")[0] in _TRANSPARENT and frame.f_code.co_name not in _SWEEPS

    def _follow(self, frame: FrameType) -> bool:
        """Go on to a function of the program's; whether the length may be known yet."""
        ast = self._source.ast
        body = self._source.body_of(frame.f_code, frame.f_globals) if ast is not None else None
        if body is None:
            return False
        innermost = self._inner is None
        place = Place(self._source, frame, body, self._is_pass and innermost)
        if innermost:
            self._is_head = place.is_head
        if not self._is_called_once(place):
            return False
        loops = place.loops
        if self._is_pass and loops:  # `for phase in ("train", "val"):` is a part of an epoch
            loops = [loops[0], *(node for node in loops[1:] if not names_phases(ast, node))]
        if len(loops) > 1 or (loops and self._rounds is not None):
            return False
        if loops:
            return self._is_of_each_round(place, loops[0])
        if self._rounds is None:
            return self._is_in_each_call(place)
        return not self._goes_on_behind(place, place.path)

    def _is_called_once(self, place: Place) -> bool:
        """Whether the statement calls the function once that was looked at before."""
        ast, inner = self._source.ast, self._inner
        if inner is None:
            node = place.path[-1].node if self._is_pass and place.is_head else None
            return node is None or not any(called(ast, each) == "chain" for each in ast.walk(node.iter))
        if calls_several_times(ast, place, inner.f_code.co_name):
            return False
        if not inner.f_code.co_flags & _GENERATOR:
            return True
        if not place.path:
            return False
        last = place.path[-1].node
        if not place.is_head:  # `next(batches)` goes on with it
            return any(isinstance(each, ast.YieldFrom) for each in ast.walk(last))
        values = [variable(each.id, place.frame) for each in ast.walk(last.iter) if isinstance(each, ast.Name)]
        return not any(type(value).__name__ in ("generator", "async_generator") for value in values)

    def _is_by_hand(self, place: Place) -> bool:
        """Whether it makes an iterator, which may be done when the one before is empty."""
        return self._inner is None and not place.is_head

    def _is_in_each_call(self, place: Place) -> bool:
        """Whether a function that no loop stands in comes to its line each time that it is called."""
        ast = self._source.ast
        conditions = place.conditions(place.path)
        if not self._is_pass or self._is_by_hand(place):
            if conditions:
                return False
        elif not all(isinstance(node, ast.If) and not self._may_differ(node.test, place) for node in conditions):
            return False
        if returns_before(ast, place) or may_end_all(ast, place.body, gives_items=True):
            return False
        self._sets |= stored(ast, place.body, attributes_alone=True)
        return not self._goes_on_within(place, place.path)

    def _is_of_each_round(self, place: Place, loop: Any) -> bool:
        """Whether a loop over a `range` comes to the line in each of its rounds, once, and is not left."""
        ast, frame = self._source.ast, place.frame
        if isinstance(loop, ast.While) or frame.f_code.co_flags & _GENERATOR:
            return False
        at = next(number for number, each in enumerate(place.path) if each.node is loop)
        within, sets = place.path[at + 1 :], stored(ast, loop.body)
        targets = names(ast, loop.target)
        for node in place.conditions(within):
            if not isinstance(node, ast.If) or not self._is_pass or self._is_by_hand(place):
                return False
            if asks(ast, node.test) or (targets | sets) & names(ast, node.test):
                return False
        if may_leave(ast, loop.body, place.line) or may_end_all(ast, loop.body):
            return False
        if (sets | self._sets) & names(ast, loop.iter):
            return False
        if self._goes_on_within(place, within) or self._goes_on_behind(place, place.path[: at + 1]):
            return False
        return self._found(loop, frame, sets)

    def _found(self, loop: Any, frame: FrameType, sets: set[str]) -> bool:
        found = range_of(loop.iter, frame)
        if found is None:
            return False
        items, are_items = found
        name = getattr(loop.target, "id", None)
        now = variable(name, frame) if are_items and name is not None and name not in sets else None
        if type(now) is int and (now != items[0] if self._is_pass else now not in items):
            return False  # its ends are others by now, or some of its rounds have none
        self._rounds = len(items)
        return True

    def _may_differ(self, test: Any, place: Place) -> bool:
        """Whether a condition asks for a number, as that of the epoch, or calls something."""
        ast = self._source.ast
        if asks(ast, test):
            return True
        values = (held(node, place.frame) for node in ast.walk(test) if isinstance(node, (ast.Name, ast.Attribute)))
        return any(type(value) in (int, float) for value in values)

    def _goes_on_within(self, place: Place, path: list[Any]) -> bool:
        """Whether a round trains elsewhere, too."""
        beside = place.beside(path, after=False)
        if not self._is_pass:
            ast, inner = self._source.ast, self._inner.f_code.co_name if self._inner is not None else None
            return any(called(ast, node) == inner for statement in beside for node in ast.walk(statement) if inner)
        return self._is_head and self._training.any_of(beside, place.frame)

    def _goes_on_behind(self, place: Place, path: list[Any]) -> bool:
        """Whether the program trains on behind it, or what is raised to end it is caught."""
        return catches_an_end(self._source.ast, path) or self._training.any_of(
            place.beside(path, after=True), place.frame
        )
