"""The loop of a watched program as a listing: its calls as they were made, in their order, each within its pass."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import PurePath

from tui_trainer.events import CallFollowed, CallSite, LoopFound
from tui_trainer.records.columns import CallTally
from tui_trainer.records.history import History
from tui_trainer.text.captions import CAPTIONS, say
from tui_trainer.text.plain import plain
from tui_trainer.ui.live.loop import LinePlace, Loop, LoopLine

DEEPEST = 6
"""Levels that a listing is indented by; what is nested deeper stands there, too."""

_SHORT = {"optimizer.step": "step", "scheduler.step": "sched"}
_SHORTER = {"zero_grad": "zero", "backward": "back", "clip_grad": "clip", "optimizer.step": "step"}
_SHORTER |= {"scheduler.step": "sched", "forward": "fwd", "scaler.unscale_": "unscale", "scaler.update": "update"}
_SHORTEST = _SHORTER | {"optimizer.step": "opt"}
_LOOPS_OVER = re.compile(r"\bin\s+(?:enumerate\(\s*|tqdm\(\s*)*([A-Za-z_][\w.]*)")
_OWNER = re.compile(r"([A-Za-z_][\w.]*)\.[A-Za-z_]\w*\(")


class WatchedLoop(Loop):
    """The listing of what was found.

    Args:
        found: the calls, in the order in which they come; one may stand within another.
        cwd: the folder that the program was begun in: files within are named from there.
    """

    def __init__(self, found: LoopFound, cwd: str = "") -> None:
        self.title = say("loop.as_called")
        sites = {site.id: site for site in found.sites}
        ordered = list(_nested(found.sites))
        how_many = Counter(site.call for site, _ in ordered)
        self.lines = [
            LoopLine(
                code=plain(site.text).strip() or plain(site.call),
                call=site.id,
                place="batches" if site.call == "data" else "batch",
                indent=min(depth, DEEPEST),
                names=_names(site, unique=how_many[site.call] == 1),
                pass_=site.id if site.call == "data" else site.within,
                meaning=_meaning(site.call),
                file=shown_path(site.file, cwd),
                where=f":{site.lineno}" if site.lineno and site.file else "",
            )
            for site, depth in ordered
        ]
        self._places = {site.id: (site.file, site.lineno) for site in found.sites}
        self.place_of = {line.call: line.place for line in self.lines}
        self._outermost = [line.call for line in self.lines if not _is_timed_within(sites[line.call], sites)]
        files = {line.file for line in self.lines if line.file}
        self.file = files.pop() if len(files) == 1 else ""
        """The one that all lines stand in; empty where there are several, or none is known."""

    def place(self, followed: CallFollowed) -> LinePlace:
        return self.place_of.get(followed.call, "batch")

    def tally(self, line: LoopLine, history: History) -> CallTally | None:
        return history.calls.get(line.call, CallTally())

    def wrong_calls(self, history: History) -> frozenset[str]:
        if not history.mistakes:
            return frozenset()
        wrong = {(found.file, found.lineno) for found in history.mistakes.values() if found.lineno}
        return frozenset(call for call, place in self._places.items() if place in wrong)

    def total_s(self, history: History, on_cuda: bool) -> float:
        """All of the run's time: there is more in a loop than the calls that are seen."""
        return max(history.elapsed_s, self._seen_s(history))

    def rest(self, history: History) -> float:
        """The share of the time that was in none of the calls."""
        total, seen = self.total_s(history, on_cuda=False), self._seen_s(history)
        return (total - seen) / total if seen > 0 else 0.0

    def _seen_s(self, history: History) -> float:
        """Calls within another call, as in an optimizer's closure, are a part of that one's time."""
        calls = history.calls
        return sum(calls[call].seconds for call in self._outermost if call in calls)

    @property
    def where_width(self) -> int:
        """Cells of the longest number of a line."""
        return max((len(line.where) for line in self.lines), default=0)

    @property
    def count_of_files(self) -> int:
        """How often another file is named before its lines: never where one is named at the top."""
        named = [line.file for line in self.lines if line.file] if not self.file else []
        return sum(one != other for one, other in pairwise(["", *named]))


def _meaning(call: str) -> str:
    """What a call is for, for who follows it by eye."""
    return say(f"loop.watched.{call}") if f"loop.watched.{call}" in CAPTIONS else ""


def shown_path(file: str, cwd: str) -> str:
    """A path as a person would name it: from the folder that the program was begun in, where it lies within."""
    folder = cwd.rstrip("/") + "/"
    return plain(file.removeprefix(folder) if cwd and file.startswith(folder) else file)


def shown_place(file: str, lineno: int, cwd: str) -> str:
    """`train.py:88`; empty where the file is not known."""
    if not file:
        return ""
    return PurePath(shown_path(file, cwd)).name + (f":{lineno}" if lineno else "")


def _nested(sites: Sequence[CallSite]) -> Iterable[tuple[CallSite, int]]:
    """Each site once, those within another one behind it, with how deep it stands. A damaged record may nest them in
    a ring, or in one that is not there: those stand at the top."""
    within: dict[str, list[CallSite]] = {}
    ids = {site.id for site in sites}
    for site in sites:
        within.setdefault(site.within if site.within in ids else "", []).append(site)
    told: set[str] = set()

    def below(parent: str, depth: int) -> Iterable[tuple[CallSite, int]]:
        for site in within.get(parent, ()):
            if site.id not in told:
                told.add(site.id)
                yield site, depth
                if depth < DEEPEST:
                    yield from below(site.id, depth + 1)

    yield from below("", 0)
    for site in sites:  # what stands in a ring, or too deep
        if site.id not in told:
            told.add(site.id)
            yield site, 0


def _is_timed_within(site: CallSite, sites: dict[str, CallSite]) -> bool:
    """Whether it is made within another call than the iteration of a loader, whose time has it already."""
    seen = {site.id}
    while (parent := sites.get(site.within)) is not None and parent.id not in seen:
        if parent.call != "data":
            return True
        seen.add(parent.id)
        site = parent
    return False


def _names(site: CallSite, *, unique: bool) -> tuple[str, ...]:
    """What it is called in one line, shorter and shorter: by what it is of where others are called alike."""
    call, owner = plain(site.call), "" if unique else _owner(site)
    if not owner:
        return call, *(names.get(call, call) for names in (_SHORT, _SHORTER, _SHORTEST))
    if site.call == "data":
        return owner, owner, owner, "data"
    short = owner.replace("optimizer", "opt").replace("scheduler", "sched")
    method = call.rpartition(".")[2]
    shorter = _SHORTER.get(call, call).rpartition(".")[2]
    return f"{owner}.{method}", f"{short}.{shorter}", short, _SHORTEST.get(call, call)


def _owner(site: CallSite) -> str:
    """What it is called on, by the program's own name: `errD_real`, of a loop over batches the loader."""
    found = (_LOOPS_OVER if site.call == "data" else _OWNER).search(plain(site.text))
    return found.group(1).removeprefix("self.") if found is not None else ""
