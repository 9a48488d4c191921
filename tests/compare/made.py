"""Sessions of runs that are made up: records as the loop would have written them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.scripted import scripted_run
from tui_trainer.compare.comparison import Compared, Comparison
from tui_trainer.compare.entries import joined
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import AnyEvent, Digests, RunConfigured, RunEnded, SettingChanged, encode
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.records.record import Record
from tui_trainer.run_spec import RunSpec

NAMES = {"StepLR": "steplr", "OneCycleLR": "onecycle", "ReduceLROnPlateau": "plateau", "none": "none"}


def record(
    runs: Path,
    *,
    scheduler: Any = "StepLR",
    name: str | None = None,
    changes: dict[str, Any] | None = None,
    **script: Any,
) -> Path:
    """The record of a scripted run; `changes` are put into what it resolved to."""
    preset = NAMES[scheduler]
    spec = RunSpec.of(preset, load_preset(preset), name=name, seed=(changes or {}).get("seed", 0))
    made = Record.create(runs, spec.model_dump(mode="json"))
    for event in scripted_run(scheduler=scheduler, **script):
        if isinstance(event, RunConfigured):
            made.emit(SettingChanged(at=event.at, setting="kernels", old="", new="plain", reason=""))
            event = resolved(event, **(changes or {}))
        made.emit(event)
    made.close()
    return made.folder


def resolved(event: RunConfigured, **changes: Any) -> RunConfigured:
    """With other conditions, and the digests that go with them."""
    changed = msgspec.structs.replace(event, **changes)
    if "digests" in changes:
        return changed
    data, seed = changed.dataset, changed.seed
    digests = Digests(weights=f"{seed} {changed.model} {data}", data=data, order=f"{seed} {changed.train_images}")
    return msgspec.structs.replace(changed, digests=digests, augmentation=changes.get("augmentation", "none"))


def ends(run: Compared, ended: RunEnded | None) -> None:
    """Have it end so, as a poll would find it."""
    run.history.ended = ended
    run.history.version += 1
    run.group.happened_to(run)


def goes_on(run: Compared) -> None:
    """Have it not have ended."""
    ends(run, None)


def session_of(runs: Path, records: Sequence[Path], to_come: Sequence[str] = (), **plan: Any) -> Session:
    """A session of records that are there, and of presets that nobody has trained."""
    entries = joined(records, runs)
    for name in to_come:
        spec = RunSpec.of(name, load_preset(name))
        entries.append(Contestant(label=f"{name} to come", seed=0, asked=spec.model_dump(mode="json")))
    return Session.create(runs, entries, **plan)


def compared(runs: Path, records: Sequence[Path], to_come: Sequence[str] = (), **plan: Any) -> Comparison:
    """The comparison of such a session, all of it read."""
    comparison = Comparison(session_of(runs, records, to_come, **plan))
    comparison.poll_all()
    return comparison


def seeds(runs: Path, scripts: dict[str, Sequence[dict[str, Any]]]) -> Comparison:
    """A comparison of presets by label, each with a run a seed."""
    entries = []
    for label, each in scripts.items():
        for seed, script in enumerate(each):
            folder = record(runs, changes={"seed": seed}, **script)
            entries.append(Contestant(label=label, seed=seed, run=folder.name))
    comparison = Comparison(Session.create(runs, entries))
    comparison.poll_all()
    return comparison


def rewritten(folder: Path, events: Sequence[AnyEvent]) -> None:
    """Put other events into a record."""
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, events)))


def ended(events: Sequence[AnyEvent]) -> RunEnded:
    """The goodbye of a run."""
    (goodbye,) = [event for event in events if isinstance(event, RunEnded)]
    return goodbye
