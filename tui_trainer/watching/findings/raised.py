"""Mistakes of which torch itself ended the program, with an error that names no line of it."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell
from tui_trainer.watching.trace import Observed


class Raised(Rule):
    """The error that nobody caught, as the process told of it at its end."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._went_backward = False
        """Whether a loss has since a GradScaler stepped: what stepped twice is of two batches."""

    def calls(self) -> dict[str, Handler]:
        return {"scaler.step": self._scaler_step, "backward": self._backward}

    def _scaler_step(self, _: Call) -> None:
        self._went_backward = False

    def _backward(self, _: Call) -> None:
        self._went_backward = True

    def observed(self, frame: Observed) -> None:
        values = frame.values
        place = values.get("file"), values.get("lineno")
        scheduler = values.get("scheduler")
        if frame.fact != "raised" or not isinstance(place[0], str) or type(place[1]) is not int:
            return
        where = {"file": place[0], "lineno": place[1]}
        match values.get("error"):
            case "no_metric" if isinstance(scheduler, str):
                self.tell("no_metric", None, {"scheduler": scheduler}, **where)  # type: ignore[arg-type]
            case "no_scaler_update" if self._went_backward:
                self.tell("no_scaler_update", None, {}, **where)  # type: ignore[arg-type]
            case "past_total_steps" if isinstance(scheduler, str) and type(values.get("steps")) is int:
                told = {"scheduler": scheduler, "steps": values["steps"], "total": self._total()}
                self.tell("schedule_ends_early", None, told, **where)  # type: ignore[arg-type]

    def _total(self) -> int | str:
        """How many steps the training takes, as far as that is known."""
        loop = self.loop
        if loop.options.steps:
            return loop.options.steps
        epochs, steps = loop.epochs, loop.steps_a_pass
        return epochs * steps if epochs is not None and steps is not None else "more"
