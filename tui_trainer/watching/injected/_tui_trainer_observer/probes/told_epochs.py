"""What the program calls its number of epochs: a variable of its script, or an argument of its command line.

Either may be a counter instead, or be changed as the program goes on. So it is looked at as each pass over a DataLoader
begins, and as the program ends: what moves tells nothing.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer

_VARIABLES = ("epochs", "num_epochs", "n_epochs", "max_epochs", "nb_epochs")
_ARGUMENTS = (*_VARIABLES, "num_train_epochs", "niter")


class ToldEpochs:
    """Tells a variable that stayed as it was as the program ends, and an argument that did not as soon as it moves."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._variables: dict[str, int] | None = None
        """As they were first; None before."""
        self._variables_move = False
        self._moved: set[str] = set()
        """Arguments."""
        observer.listeners.add("pass_began", self._pass_began)
        observer.listeners.add("at_goodbye", self._at_goodbye)

    def _pass_began(self, loader: Any, iterator: Any, site: int) -> None:
        self._look_at_arguments()
        now = _numbers(vars(sys.modules["__main__"]), _VARIABLES)
        if not self._variables:
            self._variables = now
        elif now != self._variables:
            self._variables_move = True

    def _at_goodbye(self) -> None:
        self._look_at_arguments()
        first, now = self._variables, _numbers(vars(sys.modules["__main__"]), _VARIABLES)
        if first and first == now and not self._variables_move and len(set(first.values())) == 1:
            values = {"epochs": next(iter(first.values()))}
            self._observer.writer.define("observed", fact="epochs", values=values)

    def _look_at_arguments(self) -> None:
        if not self._observer.writer.started:
            return  # they are told as the training begins
        for name, told, now in self._observer.process.arguments_now(_ARGUMENTS):
            if now != told and name not in self._moved:
                self._moved.add(name)
                self._observer.writer.define("observed", fact="argument_moves", values={"argument": name})


def _numbers(variables: dict[str, Any], names: tuple[str, ...]) -> dict[str, int]:
    given = {name: variables.get(name, variables.get(name.upper())) for name in names}
    return {name: value for name, value in given.items() if type(value) is int}
