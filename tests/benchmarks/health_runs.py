"""What is said of fourteen made runs, and of healthy ones over many seeds: `python -m tests.benchmarks.health_runs`.

Most of them train for real, a small network on the 5,000 digits that come along, a few seconds each; those that hang
on a clock (stalled, slow, paused for an hour, resumed) are made of what a real one told. Printed is the word at the top
of the screen after each epoch, what `--notify` was called for, and at which epoch and batch.

    --seeds 10        seeds of each healthy preset
    --model NAME      mlp, cnn
    --records DIR     where the events are kept, and found the next time
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import msgspec
import torch

from tui_trainer.commands import SwitchPreset
from tui_trainer.engine import datasets
from tui_trainer.engine.control import CommandQueue
from tui_trainer.engine.datasets import Images, Split
from tui_trainer.engine.prepare import prepare
from tui_trainer.engine.train import train
from tui_trainer.events import (
    AnyEvent,
    Continued,
    EpochEnded,
    Paused,
    RunEnded,
    RunStarted,
    StepsTaken,
    decode_lines,
    encode,
)
from tui_trainer.presets.catalogue import load
from tui_trainer.presets.checks import parse
from tui_trainer.records.alerts import AlertRules
from tui_trainer.records.history import History
from tui_trainer.run_spec import RunSpec

HEALTHY = ("steplr", "onecycle", "plateau", "warm-restarts")


def optimizer(name: str, lr: str, epochs: int = 10, more: str = "") -> str:
    return f'[training]\nepochs = {epochs}\nbatch_size = 64\n[optimizer]\nname = "{name}"\nlr = {lr}\n{more}'


def shuffled(data: Images) -> Images:
    """No label has to do with its image."""
    generator = torch.Generator().manual_seed(1)

    def without_sense(split: Split) -> Split:
        return replace(split, labels=split.labels[torch.randperm(len(split), generator=generator)])

    return replace(data, train=without_sense(data.train), val=without_sense(data.val))


def noisy(data: Images) -> Images:
    """Four labels in ten are drawn at random."""
    generator = torch.Generator().manual_seed(1)

    def with_noise(split: Split) -> Split:
        drawn = torch.randint(10, split.labels.shape, generator=generator)
        chosen = torch.rand(split.labels.shape, generator=generator) < 0.4
        return replace(split, labels=torch.where(chosen, drawn, split.labels))

    return replace(data, train=with_noise(data.train), val=with_noise(data.val))


class Runs:
    """Trains what is asked for, or takes what was told the last time."""

    def __init__(self, records: Path, model: str) -> None:
        self._records, self._model = records, model
        self._load = datasets.load

    def events(
        self,
        name: str,
        preset: str,
        seed: int = 0,
        *,
        data: Callable[[Images], Images] | None = None,
        switch: str = "",
    ) -> list[AnyEvent]:
        """All that a run told. `preset` is a name or a TOML text; in its third epoch it switches to another."""
        file = self._records / f"{name}-{self._model}-{seed}.jsonl"
        if not file.exists():
            file.write_bytes(b"".join(map(encode, self._trained(name, preset, seed, data, switch))))
        return decode_lines(file.read_bytes())

    def _trained(
        self, name: str, preset: str, seed: int, data: Callable[[Images], Images] | None, switch: str
    ) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        control = CommandQueue()

        def emit(event: AnyEvent) -> None:
            events.append(event)
            if switch and isinstance(event, EpochEnded) and event.epoch == 3:
                control.send(SwitchPreset(by="test", name=switch, preset=load(switch).model_dump(mode="json")))

        chosen = parse(preset, f"{name}.toml") if "[" in preset else load(preset)
        spec = RunSpec.of(name, chosen, seed=seed, model=self._model, threads=1, device="cpu")
        change = data or (lambda images: images)
        datasets.load = lambda *given: change(self._load(*given))
        try:
            with tempfile.TemporaryDirectory() as folder:
                events.append(train(prepare(spec, emit), emit, control, Path(folder)))
        finally:
            datasets.load = self._load
        return events


def paused_for_an_hour(events: Sequence[AnyEvent], after: int = 200) -> Iterator[AnyEvent]:
    late = 0.0
    for event in events:
        if not late and isinstance(event, StepsTaken) and event.step >= after:
            late = 3600.0
            yield Paused(at=event.at, step=event.step - 1, by="test")
            yield Continued(at=event.at + late, step=event.step - 1, by="test")
        yield msgspec.structs.replace(event, at=event.at + late)


def slowed(events: Sequence[AnyEvent], from_step: int = 400) -> Iterator[AnyEvent]:
    """A step takes 0.3 s, and from some step on a second."""
    for event in events:
        if isinstance(event, StepsTaken):
            steps = range(event.step, event.step + len(event.losses))
            elapsed = [0.3 * step + 0.7 * max(0, step - from_step) for step in steps]
            yield msgspec.structs.replace(event, elapsed=elapsed)
        else:
            yield event


def resumed(events: Sequence[AnyEvent], at_step: int = 300) -> list[AnyEvent]:
    """Cut off in an epoch, and gone on with from the checkpoint at the end of the one before it."""
    cut = next(i for i, event in enumerate(events) if isinstance(event, StepsTaken) and event.step >= at_step)
    checkpoint = max(i for i, event in enumerate(events[:cut]) if isinstance(event, EpochEnded))
    begin = next(i for i, event in enumerate(events) if isinstance(event, StepsTaken))
    step = events[checkpoint].step  # type: ignore[union-attr]
    again = RunStarted(at=events[cut].at, run="r", schema=1, pid=1, host="h", resumed_from_step=step)
    return [*events[: cut + 1], again, *events[:begin], *events[checkpoint + 1 :]]


def told(events: Sequence[AnyEvent], stall_after: int = 0) -> tuple[list[str], list[str]]:
    """The headline's word after each epoch and at the end, and what `--notify` may be called for."""
    rules, history = AlertRules(), History()
    headline, notified = [], []
    for event in events:
        if isinstance(event, RunStarted):
            rules = AlertRules(history.best, history.health)
        history.apply(event)
        alerts = rules.take(event)
        if stall_after and history.steps >= stall_after and (patience := rules.patience) is not None:
            alerts.append(rules.stall(patience + 1, at=event.at + patience + 1))
            stall_after = 0
        for alert in alerts:
            history.apply(alert)
            rules.take(alert)
            if alert.kind == "stall" and history.finding is not None:
                headline.append(history.finding.word)
            if alert.kind not in ("best", "recovered"):
                notified.append(f"{alert.kind} at epoch {history.epoch}, batch {history.batch}")
        if isinstance(event, EpochEnded):
            headline.append(history.finding.word if history.finding is not None else "training")
        elif isinstance(event, RunEnded):
            headline.append(event.status)
            notified.append(f"end: {event.status}")
    return headline, notified


def in_short(words: Sequence[str]) -> str:
    """`training ×3, chance level ×7, finished`"""
    counted = [(word, len(list(same))) for word, same in groupby(words)]
    return ", ".join(f"{word} ×{count}" if count > 1 else word for word, count in counted)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--model", default="mlp")
    parser.add_argument("--records", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        records = options.records or Path(folder)
        records.mkdir(parents=True, exist_ok=True)
        runs = Runs(records, options.model)
        healthy = runs.events("steplr", "steplr")
        made: dict[str, tuple[list[str], list[str]]] = {name: told(runs.events(name, name)) for name in HEALTHY}
        made |= {
            "SGD, lr 20": told(runs.events("lr20", optimizer("SGD", "20"))),
            "SGD, lr 1e-7": told(runs.events("lr1e-7", optimizer("SGD", "1e-7"))),
            "labels shuffled": told(runs.events("shuffled", "steplr", data=shuffled)),
            "label noise": told(runs.events("noise", optimizer("Adam", "1e-3", 20), data=noisy)),
            "NaN": told(runs.events("nan", optimizer("SGD", "1000", more="momentum = 0.99\n"))),
            "stalled": told(healthy, stall_after=200),
            "slow": told(list(slowed(healthy))),
            "resumed": told(resumed(healthy)),
            "switched": told(runs.events("switched", "steplr", switch="onecycle")),
            "paused for an hour": told(list(paused_for_an_hour(healthy))),
        }
        for name, (headline, notified) in made.items():
            print(f"{name:<19} {in_short(headline)}\n{'':<19} --notify: {'; '.join(notified)}")
        wrong = 0
        for name in HEALTHY:
            said = [told(runs.events(name, name, seed)) for seed in range(options.seeds)]
            warned = [words for words in said if set(words[0]) - {"training", "finished"} or len(words[1]) > 1]
            wrong += len(warned)
            print(f"{name:<19} {options.seeds} seeds, {len(warned)} of them warned of")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
