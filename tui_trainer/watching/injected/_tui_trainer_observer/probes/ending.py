"""Which error of torch's ended the program, where nobody caught it, and the line that it comes from."""

from __future__ import annotations

import os
import sys

from ..plain import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer

_NOT_UPDATED = ("step() has already been called since the last update()", "unscale_() is being called after step()")
_PAST_THE_END = "The specified number of total steps is "


class Ending:
    """Looks at the error that the interpreter has printed, if any, as it ends."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        observer.listeners.add("at_goodbye", self._at_goodbye)

    def _at_goodbye(self) -> None:
        error = getattr(sys, "last_value", None)
        if not isinstance(error, Exception):
            return
        values = self._told(error)
        if values is None:
            return
        frame = None
        traceback = error.__traceback__
        while traceback is not None:
            if self._observer.sites.program_frame(traceback.tb_frame) is traceback.tb_frame:
                frame = traceback
            traceback = traceback.tb_next
        if frame is not None:
            file = os.path.abspath(frame.tb_frame.f_code.co_filename)
            values.update(file=text(file), lineno=frame.tb_lineno)
            self._observer.writer.define("observed", fact="raised", values=values)

    def _told(self, error: Exception) -> dict[str, Any] | None:
        said = str(error)
        name = _method(error)
        of_metric = "'metrics'" in said or "NoneType" in said
        if type(error) is TypeError and name == "ReduceLROnPlateau.step" and of_metric:
            return {"error": "no_metric", "scheduler": "ReduceLROnPlateau"}
        if type(error) is RuntimeError and said.startswith(_NOT_UPDATED):
            return {"error": "no_scaler_update"}
        if type(error) is ValueError and said.startswith("Tried to step ") and _PAST_THE_END in said:
            steps = said.rpartition(_PAST_THE_END)[2].strip()
            if steps.isdecimal():
                return {"error": "past_total_steps", "scheduler": "OneCycleLR", "steps": int(steps)}
        return None


def _method(error: Exception) -> str:
    """The method whose call it is about: the innermost, or the one that was called with too little."""
    said = str(error)
    if "missing 1 required positional argument" in said:
        return said.partition("(")[0]
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code if traceback is not None else None
    if code is None or not code.co_filename.endswith("lr_scheduler.py"):
        return ""
    myself = traceback.tb_frame.f_locals.get("self") if traceback is not None else None
    return f"{type(myself).__name__}.{code.co_name}"
