"""Passes over DataLoaders: their begin, their batches, their end."""

from __future__ import annotations

from time import perf_counter

from .call_sites import name_of
from .plain import text
from .seen_objects import SeenObjects
from .torch_internals import data_loader_iterator
from .wrapping import noted, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from .observer import Observer

_BEGAN, _GAVE, _ENDED = -1.0, 0.0, 1.0
_SITE = "tui_trainer_site"
"""An attribute of the iterators, which nobody can pickle or copy, for the place that their pass began at."""


class LoaderRecord:
    """What is kept of a DataLoader."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.defined = False


class DataPasses:
    """Notes how DataLoaders are iterated."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self._seen: SeenObjects[LoaderRecord] = SeenObjects(lambda _: LoaderRecord(observer.new_number()))
        observer.at_fork(self._seen.clear)

    def install(self, torch: Any) -> None:
        """Listen to all."""
        data = torch.utils.data
        replace(data.DataLoader, "__iter__", noted(self._observer, "DataLoader", self._began))
        replace(data_loader_iterator(torch), "__next__", self._next)

    def _began(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        loader = args[0]
        record = self._seen.of(loader)
        site = self._sites.of_call("data", frame, record.number, loader)
        if not record.defined:
            record.defined = True
            self._define(loader, record.number, frame)
        setattr(result, _SITE, site)
        self._writer.call(site, begin, end, _BEGAN)
        for listener in self._observer.listeners.pass_began:
            listener(loader, result, site)

    def _next(self, original: Any) -> Any:
        observer, writer, guard = self._observer, self._writer, self._observer.guard
        each = observer.settings.calls != "off"
        listeners, add_rows = observer.listeners, writer.rows.extend

        def __next__(iterator: Any) -> Any:
            if not observer.on:
                return original(iterator)
            if listeners.batch_asked:
                try:
                    for asked in listeners.batch_asked:
                        asked(iterator)
                except Exception as error:
                    guard.failed("DataLoader", error)
            begin = perf_counter()
            try:
                batch = original(iterator)
            except StopIteration:
                self._note(iterator, begin, _ENDED)
                raise
            if each:
                try:
                    end = perf_counter()
                    add_rows((iterator.tui_trainer_site, begin, end, _GAVE))
                    if end >= writer.due:
                        writer.overdue(end)
                except AttributeError:  # it began before a fork, or by another way
                    pass
                except Exception as error:
                    guard.failed("DataLoader", error)
            if listeners.batch_given:
                try:
                    for given in listeners.batch_given:
                        given(iterator, batch)
                except Exception as error:
                    guard.failed("DataLoader", error)
            return batch

        return __next__

    def _note(self, iterator: Any, begin: float, value: float) -> None:
        try:
            site = getattr(iterator, _SITE, None)
            if site is not None:
                self._writer.call(site, begin, perf_counter(), value)
        except Exception as error:
            self._observer.guard.failed("DataLoader", error)

    def _define(self, loader: Any, number: int, frame: FrameType) -> None:
        data = self._observer.torch.utils.data
        own = self._sites.program_frame(frame)
        sampler = getattr(loader, "sampler", None)
        dataset = getattr(loader, "dataset", None)
        is_map = not isinstance(dataset, data.IterableDataset)
        self._writer.define(
            "loader",
            id=number,
            class_name=text(type(loader).__name__, 200),
            name=name_of(loader, own) if own is not None else "",
            batches=size_of(loader),
            batch_size=loader.batch_size if type(loader.batch_size) is int else None,
            dataset=text(type(dataset).__name__, 200),
            samples=_samples(loader, data) if is_map else None,
            sampler=text(type(sampler).__name__, 200),
            map_style=is_map,
            shuffles=_shuffles(sampler, data) if is_map else None,
            workers=loader.num_workers,
            drop_last=bool(loader.drop_last),
        )


def size_of(sized: Any) -> int | None:
    """None where it has none."""
    try:
        return len(sized)
    except Exception:
        return None


def _samples(loader: Any, data: Any) -> int | None:
    """How many samples of its data set a pass has: as many as its sampler draws. None where another class than torch's
    puts them into batches, which may leave some out or draw some twice."""
    return size_of(loader.sampler) if type(loader.batch_sampler) in (data.BatchSampler, type(None)) else None


def _shuffles(sampler: Any, data: Any) -> bool | None:
    """Whether a sampler of torch's gives its samples in another order each time; None of other classes."""
    kind = type(sampler)
    if kind is data.SequentialSampler:
        return False
    if kind is data.distributed.DistributedSampler:
        return bool(sampler.shuffle)
    if kind in (data.RandomSampler, data.SubsetRandomSampler, data.WeightedRandomSampler):
        return True
    return None
