"""What a comparison is made of: presets to be trained alike, and runs that are there already."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tui_trainer import __version__
from tui_trainer.compare.session import Contestant
from tui_trainer.compare.sweep import Trial
from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.foreign_records import forms
from tui_trainer.presets.catalogue import find as find_preset
from tui_trainer.presets.problems import PresetError
from tui_trainer.presets.schema import TAKEN_ALONG, Preset
from tui_trainer.records.errors import RunsError, RunUnreadable
from tui_trainer.records.run_index import find, folders, is_record
from tui_trainer.records.run_metadata import ending, read_facts
from tui_trainer.remote.address import is_address
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import say
from tui_trainer.text.command_line import program_in_short
from tui_trainer.text.numbers import listed as in_words
from tui_trainer.text.plain import plain
from tui_trainer.threads import usable_cores

if TYPE_CHECKING:
    from tui_trainer.run_sources.far_records import FarRecords


class NeitherPresetNorRun(RunsError):
    """A name that is neither; the text has a line for each reason."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.args = ("\n".join(map(plain, reasons)),)


LESSON = ("none", "steplr", "steplr-fast", "multistep", "cosine", "plateau")
"""The experiment of the lesson: Adam at 1e-3 for 10 epochs, and what each schedule makes of it."""


def told_apart(names: Iterable[str], runs: Path, far: FarRecords) -> tuple[list[str], list[Path]]:
    """Which of the names are presets, and the records of those that are runs; a name that is both is a preset.

    Of a run on another machine it is where `far` copies its record to.

    Raises:
        NeitherPresetNorRun: one is neither.
        UserError: no run can be read at an address.
        Lost: its machine is not reached.
    """
    named, records = [], []
    for name in names:
        if is_address(name):
            if (copied := far.take(name).path) not in records:
                records.append(copied)
            continue
        if (path := _record_at(name) or (_of_another_tool(name) if os.sep in name else None)) is not None:
            records.append(path)
            continue
        try:
            find_preset(name)
        except PresetError as error:
            if (path := _of_another_tool(name)) is not None:
                records.append(path)
                continue
            try:
                records.append(find(runs, name))
            except RunsError as none_either:
                no_preset = str(error)
                raise NeitherPresetNorRun(
                    no_preset if no_preset.endswith("?") else f"{no_preset}.", str(none_either)
                ) from none_either
        else:
            named.append(name)
    return named, records


def _of_another_tool(name: str) -> Path | None:
    """The path of what another tool has recorded; None where nothing is there.

    Raises:
        NeitherPresetNorRun: several records are in that folder, and it is none of them itself.
    """
    try:
        path = given_path(name)
    except BadPath:
        return None
    if not (path.exists() or path.parent.is_file()) or path.suffix == ".toml":
        return None
    found = forms.records_in(path)
    meant = _meant(path, found)
    if len(found) > 1 and meant is None:
        names = in_words([plain(record.name or str(record.path)) for record in found], MOST_NAMED)
        raise NeitherPresetNorRun(say("foreign.which", path=plain(name), names=names))
    return meant.path if meant is not None else None


def _meant(path: Path, found: Sequence[forms.Record]) -> forms.Record | None:
    """Of the records at a path the one that it is itself, else the only one; None where none is meant."""
    itself = next((record for record in found if record.path == path), None)
    return found[0] if itself is None and len(found) == 1 else itself


MOST_NAMED = 6


def _record_at(name: str) -> Path | None:
    try:
        path = given_path(name)
        return path if (path / "events.jsonl").is_file() else None
    except (BadPath, OSError):
        return None


def fair_threads(jobs: int) -> int:
    """Threads for each run where nobody named a number: all the same, since other threads add in another order, and no
    more than `OMP_NUM_THREADS`, as torch has it, if that is set."""
    share = max(1, usable_cores() // jobs)
    most = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(share, int(most)) if most.isdecimal() and int(most) else share


def to_train(specs: Iterable[RunSpec], seeds: int, trials: Sequence[Trial] = ()) -> list[Contestant]:
    """Each run `seeds` times, with one seed after another from its own on; all runs of a seed before the next.

    They go by their presets' names; where they are trials of one preset, by what is varied in each.
    """
    listed = list(specs)
    labels = _told_apart([trial.label for trial in trials] or [spec.preset_name for spec in listed])
    varied = [trial.data for trial in trials] or [{} for _ in listed]
    return [
        Contestant(label=label, seed=spec.seed + more, asked=_asked(spec, more), varied=values)
        for more in range(seeds)
        for label, spec, values in zip(labels, listed, varied, strict=True)
    ]


class MadeForOthers(RunsError):
    """Presets that cannot be compared as they are: a comparison trains all on the same data and model."""


def on_the_same(presets: Mapping[str, Preset], given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """What the presets bring along for all of a comparison where the person has not said, and what to say of it.

    Raises:
        MadeForOthers: two of them are made for different ones.
    """
    chosen: dict[str, Any] = {}
    from_whom: list[str] = []
    for key in TAKEN_ALONG:
        if given.get(key) is not None:
            continue
        wanted: dict[str, list[str]] = {}
        for name, preset in presets.items():
            if preset.made_for is not None and (value := preset.made_for.options.get(key)):
                wanted.setdefault(value, []).append(plain(name))
        if len(wanted) > 1:
            who = "; ".join(f"{in_words(names)} for {value}" for value, names in wanted.items())
            raise MadeForOthers(f"made for a different {key}: {who}. A comparison trains all alike: say --{key}")
        for value, names in wanted.items():
            chosen[key] = value
            from_whom += [name for name in names if name not in from_whom]
    if not chosen:
        return {}, ""
    said = ", ".join(f"{key} {value}" for key, value in chosen.items())
    return chosen, f"from {in_words(from_whom)}, for all: {said}"


def joined(
    records: Sequence[Path], runs: Path, taken: Iterable[str] = (), far: FarRecords | None = None
) -> list[Contestant]:
    """Runs that have records, with labels that none of `taken` has; for a copy that `far` makes, the run itself."""
    entries = []
    used = set(taken)
    for record in records:
        facts = read_facts(record)
        asked: dict[str, Any] = facts.get("asked") or {}
        label = str(facts.get("name") or asked.get("preset_name") or _program(asked) or _called(record))
        address = far.address_of(record) if far is not None else None
        if label in used:
            label = f"{label} {record.name[-4:] if address is None else address.place}"
        while label in used:
            label += "'"
        used.add(label)
        seed = asked.get("seed")
        path = record.name if record.parent == runs else str(record if address is None else address)
        entries.append(Contestant(label=label, seed=seed if isinstance(seed, int) else 0, run=path))
    return entries


def _called(record: Path) -> str:
    """What a run is called whose record says nothing of itself; one of another tool as that has it."""
    found = [] if is_record(record) else forms.records_in(record)
    meant = _meant(record, found) or next(iter(found), None)
    return record.name if meant is None else meant.name or meant.kind.open(record).name


def _program(asked: dict[str, Any]) -> str:
    """What a watched program is called; empty where none was watched."""
    program = asked.get("program")
    command = program.get("command") if isinstance(program, dict) else None
    if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
        return ""
    return program_in_short(command)[:LONGEST_PROGRAM]


LONGEST_PROGRAM = 24
"""Characters of a command that stands for a preset's name."""


def reused(entries: Sequence[Contestant], runs: Path, by: dict[str, str]) -> list[Contestant]:
    """The same entries, those given their record that were trained before exactly as asked, with these versions.

    Not those that are made of code of a person's own, which may be another by now.
    """
    if all(entry.code for entry in entries):
        return list(entries)
    wanted = {_sameness(entry.asked or {}) for entry in entries}
    done = {}
    for record in folders(runs):
        facts = read_facts(record)
        resolved = facts.get("resolved") or {}
        asked = facts.get("asked") or {}
        sameness = _sameness({**asked, "threads": resolved.get("threads")})
        of_these = _without_builds(resolved.get("versions")) == _without_builds(by)
        if sameness in wanted and of_these and _is_finished(record):
            done[sameness] = record.name
    names = [None if entry.code else done.get(_sameness(entry.asked or {})) for entry in entries]
    return [msgspec.structs.replace(entry, run=name) for entry, name in zip(entries, names, strict=True)]


def versions() -> dict[str, str]:
    """Those that a run of this process would have, without loading torch."""
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = "none"  # what no record has
    return {"tui-trainer": __version__, "torch": torch, "python": platform.python_version()}


def alike(record: Path, runs: Path) -> list[Path]:
    """Other runs with the data set and the model of one, the newest first."""
    asked = read_facts(record).get("asked") or {}
    kind = asked.get("dataset"), asked.get("model")
    found = []
    for folder in folders(runs):
        other = read_facts(folder).get("asked") or {}
        if folder.name != record.name and (other.get("dataset"), other.get("model")) == kind:
            found.append(folder)
    return sorted(found, key=lambda folder: folder.name, reverse=True)


def _asked(spec: RunSpec, more: int) -> dict[str, Any]:
    return spec.model_copy(update={"seed": spec.seed + more}).model_dump(mode="json")


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names, numbered where they are alike."""
    counts, seen = Counter(names), Counter[str]()
    labels = []
    for name in names:
        seen[name] += 1
        labels.append(f"{name} {seen[name]}" if counts[name] > 1 else name)
    return labels


def _without_builds(versions: object) -> dict[str, str]:
    """`2.14.1+cu130` as `2.14.1`: what is installed is known by that alone until torch is loaded."""
    return {name: str(v).partition("+")[0] for name, v in versions.items()} if isinstance(versions, dict) else {}


NO_DIFFERENCE = ("name", "preset", "preset_name", "data_dir", "from_preset", "alerts")
"""What was asked that makes no difference to the numbers, or is told of elsewhere."""


TOLD_OF_A_PRESET = ("title", "description", "published", "for", "alerts")
"""What a preset says that makes no difference to the numbers, or is told of elsewhere."""


def _sameness(asked: dict[str, Any]) -> str:
    """All of what was asked that makes a difference to the numbers; but for what is off: older records do not tell."""
    preset = asked.get("preset")
    if isinstance(preset, dict):
        preset = {key: value for key, value in preset.items() if key not in TOLD_OF_A_PRESET}
    told = {key: value for key, value in asked.items() if value is not None and value is not False}
    rest = {key: value for key, value in told.items() if key not in NO_DIFFERENCE}
    epochs_said = {key: value for key, value in rest.items() if key not in ("epochs", "batch_size")}  # in the preset
    return json.dumps([preset, epochs_said], sort_keys=True)


def _is_finished(record: Path) -> bool:
    try:
        goodbye = ending(record)
    except RunUnreadable:
        return False  # another user's, say: what cannot be read is trained anew
    return goodbye is not None and goodbye.status == "finished"
