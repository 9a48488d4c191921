"""A reader with the history of what it says, as a source has them."""

from __future__ import annotations

from math import isnan
from pathlib import Path

from tui_trainer.foreign_records.pieces import Kind
from tui_trainer.foreign_records.telling import Teller
from tui_trainer.records.history import History

Numbers = dict[int, float]


class Followed:
    """A record that is looked at."""

    def __init__(self, kind: Kind, path: Path) -> None:
        self.reader = kind.open(path)
        self.history = History()
        self._teller = Teller(self.reader, self.history)
        self.look()

    def look(self) -> None:
        """Read all there is."""
        while True:
            for piece in self.reader.read():
                for event in self._teller.tell(piece, self.reader.written_at or 0.0):
                    self.history.apply(event)
            if not self.reader.lags:
                return

    @property
    def flaws(self) -> list[str]:
        return [*self.reader.notes, *self.reader.flaws, *self._teller.notes, *self._teller.flaws]

    def numbers(self, name: str) -> Numbers:
        """A series, its values by their steps."""
        series = self.history.series[name]
        return dict(zip(series.steps, series.values, strict=True))

    @property
    def all_numbers(self) -> dict[str, Numbers]:
        return {name: self.numbers(name) for name in self.history.series}


def same(one: dict[str, Numbers], other: dict[str, Numbers]) -> bool:
    """Whether they are the same to the bit; a nan is one."""
    return {name: _comparable(numbers) for name, numbers in one.items()} == {
        name: _comparable(numbers) for name, numbers in other.items()
    }


def _comparable(numbers: Numbers) -> dict[int, float | str]:
    return {step: "nan" if isnan(value) else value for step, value in numbers.items()}
