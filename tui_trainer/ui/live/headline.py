"""The top line: what is being trained, and how it is getting on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.records.history import History
from tui_trainer.records.progress import images_per_second, seconds_left
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import about, clock, in_short, thousands
from tui_trainer.ui.live.listing import is_followed
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
    from tui_trainer.run_request import RunRequest


class Headline(Panel):
    """Preset, model, data and device at the left; state and speed at the right. What does not fit is left out."""

    def __init__(self) -> None:
        super().__init__()
        self._history: History | None = None
        self._request: RunRequest | None = None

    def show(self, history: History, request: RunRequest | None = None) -> None:
        """Bring the line up to date; the clock goes on between events. `request` stands in until the run tells."""
        self._history, self._request = history, request
        self.redraw()

    def lines(self) -> Sequence[Line]:
        if self._history is None:
            return []
        width = self.size.width
        what, state = _what(self._history, self._request), _state(self._history)
        for droppable in ("brand", "speed", "parameters", "device", "dataset", "left", "switch"):
            if _width(what) + _width(state) + 2 <= width:
                break
            what.pop(droppable, None)
            state.pop(droppable, None)
        right = [span for part in state.values() for span in part]
        return [justified([span for part in what.values() for span in part], [*right, Span(" ")], width)]


class PanelHeading(Panel):
    """The top line: what this screen is for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def lines(self) -> list[Line]:
        return [(Span(" tui-trainer  ", "faint"), Span(self._text, "strong"))]


def state_word(history: History) -> tuple[str, str]:
    """What the run does, in a word or two, and the role to show it in."""
    if history.ended is not None:
        return history.ended.status, "good" if history.ended.status == "finished" else "warning"
    if history.paused is not None:
        return "paused", "strong"
    if history.stalled_since is not None:
        return "stalled", "warning"
    if history.pace > 0:
        return "slow motion", "live"
    return plain(history.phase) or "starting", "live"


def _what(history: History, request: RunRequest | None) -> dict[str, list[Span]]:
    recipe, resolved = history.recipe, history.resolved
    parts: dict[str, list[Span]] = {"brand": [Span(" tui-trainer ", "faint")], "space": [Span(" ")]}
    if recipe is not None:
        parts["preset"] = [Span(plain(recipe.preset), "strong")]
    if (switch := history.switch_to_come) is not None and history.ended is None:
        parts["switch"] = [Span(f" → {plain(switch.preset)} from epoch {switch.epoch}", "live")]
    if resolved is None:
        if request is not None:
            parts["preset"] = [Span(plain(request.preset_name), "strong")]
            parts["model"] = [Span(" · ", "faint"), Span(request.model)]
            parts["dataset"] = [Span(" · ", "faint"), Span(request.dataset)]
        return parts
    parts["model"] = [Span(" · ", "faint"), Span(plain(resolved.model))]
    parts["parameters"] = [Span(f" {in_short(resolved.parameters)}")]
    parts["dataset"] = [Span(" · ", "faint"), Span(plain(resolved.dataset))]
    threads = history.settings.get("threads")
    device = plain(resolved.device)
    if device == "cpu":
        device += f" ×{plain(threads.new) if threads is not None else resolved.threads}"
    parts["device"] = [Span(" · ", "faint"), Span(device)]
    return parts


def _state(history: History) -> dict[str, list[Span]]:
    word, role = state_word(history)
    parts = {"word": [Span("● ", role), Span(word, role)]}
    if not history.steps:
        return parts
    now = time.time()
    parts["elapsed"] = [Span(f"   {clock(history.elapsed_at(now))}")]
    if (since := history.stalled_since) is not None:
        parts["stalled"] = [Span(" for ", "warning"), Span(clock(now - history.clock_behind - since), "warning")]
        return {name: parts[name] for name in ("word", "stalled", "elapsed")}
    if history.ended is not None or history.pace > 0 or is_followed(history):
        return parts  # who looks at single calls learns nothing of the speed
    speed = images_per_second(history)
    parts["speed"] = [Span(f"{thousands(speed) if speed > 0 else '–':>9}"), Span(" img/s", "faint")]
    left = seconds_left(history)
    parts["left"] = [Span(f"{about(left) if left is not None else '–':>8}"), Span(" left", "faint")]
    return parts


def _width(parts: dict[str, list[Span]]) -> int:
    return sum(width_of(part) for part in parts.values())
