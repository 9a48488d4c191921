"""What is wrong where a plan could not be made. A module of its own: it loads pydantic, for which no start waits."""

from __future__ import annotations

from tui_trainer.presets.problems import PresetError, Problem


class NoPlan(PresetError):
    """A plan that could not be worked out for a reason that lies elsewhere: a warning, which keeps nobody from
    starting the preset."""

    def __init__(self, why: str) -> None:
        super().__init__([Problem("", None, "", why, "warning")])
