"""Rows of named cells, as a table or as JSON objects have them, made into columns of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Any

from tui_trainer.foreign_records.pieces import Points
from tui_trainer.foreign_records.steps import EARLIEST, EPOCHS, LATEST, TIMES, StepsOfRows, named, step_name

_WORDS = {
    "nan": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
    "-infinity": -math.inf,
}


def number_in(cell: object) -> float | int | None:
    """The number that a cell holds, a word for what is not finite among them; None where it holds none."""
    if type(cell) is float or type(cell) is int:
        return cell
    if isinstance(cell, str):
        try:
            return float(cell) if "_" not in cell else None
        except ValueError:
            return _WORDS.get(cell.strip().lower())
    return None


class Rows:
    """Rows in the order in which they were written, group by group: those of a group have the same cells."""

    def __init__(self, count: int, first: int = 0) -> None:
        """So many rows; `first` is the number of the first one, where nothing says the steps."""
        self._steps: list[int] = list(range(first, first + count))
        self._times: list[float] | None = None
        self._epochs: list[int] | None = None
        self._count = count
        self._series: dict[str, list[tuple[Sequence[int] | None, list[float | int]]]] = {}
        self._without_step: set[int] = set()
        """Rows whose step is none: they are left out."""
        self._step_left_out: set[int] = set()
        """Rows that have no cell for it."""
        self.not_numbers: set[str] = set()
        """Cells that hold something else."""
        self.step_name: str | None = None
        """Which cell says the step; None where the rows are numbered."""

    def add(self, cells: Sequence[str], places: Sequence[int], column_of: Callable[[str], list[Any]]) -> None:
        """Add rows that have the same cells.

        Args:
            cells: their names.
            places: the numbers of the rows, rising.
            column_of: gives the cells of a name, one of each of these rows; None or an empty text is none.
        """
        at = places if len(places) < self._count else None
        step, epoch, time = step_name(cells), named(cells, EPOCHS), named(cells, TIMES)
        if step is None or step == epoch:
            self._step_left_out.update(places)
        empty: list[int] = []
        if step is not None:
            self.step_name = self.step_name or step
            for place, cell in zip(places, column_of(step), strict=True):
                number = number_in(cell)
                if number is not None and number == number and abs(number) < 2**63:
                    self._steps[place] = int(number)
                else:
                    self._without_step.add(place)
                    if cell in (None, ""):
                        empty.append(place)
        if time is not None and time != step:
            times = [number_in(cell) for cell in column_of(time)]
            if all(each is not None and EARLIEST <= each <= LATEST for each in times):
                self._times = self._times or [math.nan] * self._count
                for place, each in zip(places, times, strict=True):
                    self._times[place] = float(each or 0.0)
            else:
                time = None
        if epoch is not None:
            self._take_epochs(places, column_of(epoch))
            self._place_by_epoch(empty)
        for name in cells:
            if name not in (step, epoch, time):
                self._add_series(name, at, places, column_of(name))

    @property
    def without_step(self) -> int:
        """How many are left out: what stands for their step is none."""
        return len(self._without_step)

    def go_on(self, steps: StepsOfRows) -> None:
        """Take the steps of the rows to go on from those of the rows before."""
        epochs = self._epochs
        stand = epochs is None and not self._step_left_out  # as they are: what comes behind them asks for the last
        for place in range(self._count - 1 if stand else 0, self._count):
            said = self._steps[place]
            if place in self._step_left_out:
                self._steps[place] = steps.step_left_out(said)
            elif place not in self._without_step:
                epoch = epochs[place] if epochs is not None else -1
                self._steps[place] = steps.step(said, epoch if epoch >= 0 else None)

    def _take_epochs(self, places: Sequence[int], cells: list[Any]) -> None:
        self._epochs = self._epochs or [-1] * self._count
        for place, cell in zip(places, cells, strict=True):
            number = number_in(cell)
            if number is not None and 0 <= number < 2**62:
                self._epochs[place] = ceil(number)  # Hugging Face counts in parts: 0.3 is of the first

    def _place_by_epoch(self, places: Sequence[int]) -> None:
        """Rows that say their epoch and leave their step out."""
        for place in places:
            if self._epochs is not None and self._epochs[place] >= 0:
                self._steps[place] = self._epochs[place]
                self._step_left_out.add(place)
                self._without_step.discard(place)

    def _add_series(self, name: str, at: Sequence[int] | None, places: Sequence[int], cells: list[Any]) -> None:
        kinds = set(map(type, cells))
        if kinds <= {float, int}:
            self._series.setdefault(name, []).append((at, cells))
            return
        if kinds == {str}:
            try:
                values = list(map(float, cells))
            except ValueError:
                pass
            else:
                self._series.setdefault(name, []).append((at, values))
                return
        there: list[int] = []
        numbers: list[float | int] = []
        for place, cell in zip(places, cells, strict=True):
            if (number := number_in(cell)) is not None:
                there.append(place)
                numbers.append(number)
            elif cell not in (None, ""):
                self.not_numbers.add(name)
        if there:
            self._series.setdefault(name, []).append((there, numbers))

    def points(self, *, again: bool = False) -> Iterator[Points]:
        """All of them; series that are in the same rows together. `again` as for `Points`."""
        grouped: dict[tuple[int, ...] | None, dict[str, Sequence[float | int]]] = {}
        for name, parts in self._series.items():
            at, values = parts[0] if len(parts) == 1 else self._in_order(parts)
            if at is not None and self._without_step:
                kept = [index for index, place in enumerate(at) if place not in self._without_step]
                at, values = [at[index] for index in kept], [values[index] for index in kept]
            elif self._without_step:
                at = [place for place in range(self._count) if place not in self._without_step]
                values = [values[place] for place in at]
            grouped.setdefault(None if at is None else tuple(at), {})[name] = values
        for rows, columns in grouped.items():
            yield Points(
                self._at(self._steps, rows),
                columns,
                self._at(self._times, rows) if self._times is not None else (),
                self._epochs_at(rows),
                again=again,
            )

    @staticmethod
    def _at(cells: list[Any], rows: tuple[int, ...] | None) -> list[Any]:
        return cells if rows is None else [cells[row] for row in rows]

    def _epochs_at(self, rows: tuple[int, ...] | None) -> list[int]:
        if self._epochs is None:
            return []
        epochs: list[int] = self._at(self._epochs, rows)
        return epochs if -1 not in epochs else []

    def _in_order(
        self, parts: list[tuple[Sequence[int] | None, list[float | int]]]
    ) -> tuple[Sequence[int], list[float | int]]:
        pairs = [
            pair for at, values in parts for pair in zip(range(self._count) if at is None else at, values, strict=True)
        ]
        pairs.sort(key=lambda pair: pair[0])
        return [at for at, _ in pairs], [value for _, value in pairs]
