"""What the program calls its number of epochs, where that is a variable of its script."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..observer import Observer

_NAMES = ("epochs", "num_epochs", "n_epochs", "max_epochs", "nb_epochs")


class ToldEpochs:
    """Looks once, as the program ends."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        observer.listeners.add("at_goodbye", self._at_goodbye)

    def _at_goodbye(self) -> None:
        variables = vars(sys.modules["__main__"])
        given = [variables.get(name, variables.get(name.upper())) for name in _NAMES]
        found = {epochs for epochs in given if type(epochs) is int}
        if len(found) == 1:
            self._observer.writer.define("observed", fact="epochs", values={"epochs": found.pop()})
