"""The panels of a run: the number key of each, and the forms that its key goes through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Form: TypeAlias = Literal["full", "line", "hidden"]
"""As large as there is room for; a line or two; not there."""

FORMS: tuple[Form, ...] = get_args(Form)

WORDS: dict[Form, str] = {"full": "full", "line": "one line"}


@dataclass(frozen=True)
class PanelForms:
    """One panel: the forms that its key goes through, the first of them to begin with."""

    id: str
    name: str
    """As a person reads it, in a word."""
    shows: str
    roomy: tuple[Form, ...] = ("full", "hidden")
    """Beside the charts, or under them in a high terminal."""
    small: tuple[Form, ...] = ("line", "full", "hidden")
    """Where it takes its room from the charts."""
    yields: bool = False
    """Whether it shrinks to a line while another one is opened in a low terminal."""

    def told(self, form: Form, number: str) -> str:
        """What became of it, for the line at the bottom."""
        return f"{self.name}: " + (f"hidden, {number} shows it again" if form == "hidden" else WORDS[form])


PANELS: dict[str, PanelForms] = {
    "1": PanelForms("loss", "loss", "the loss and the accuracy", small=("full", "hidden")),
    "2": PanelForms("lr", "LR", "the learning rate", small=("full", "hidden"), yields=True),
    "3": PanelForms("loop", "loop", "the training loop, call by call"),
    "4": PanelForms("why", "why", "why the LR moved"),
    "5": PanelForms("machine", "machine", "how busy it is", roomy=("hidden", "full"), small=("hidden", "line", "full")),
    "6": PanelForms("log", "log", "what was printed", roomy=("hidden", "full"), small=("hidden", "full")),
}
"""By number key."""
