"""What a screen wants from the app, which alone knows the other screens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.run_spec import RunSpec


class StartRun(Message):
    """Start a run; where one is live, ask first how it is to take up the preset."""

    def __init__(self, spec: RunSpec) -> None:
        super().__init__()
        self.spec = spec


class ResumeRun(Message):
    """Go on in this process with a run that ended early."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


class ShowRun(Message):
    """Look at a run by its record."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


class ShowRuns(Message):
    """The list of all runs."""


class ShowPresets(Message):
    """The list of presets."""


class EditPreset(Message):
    """A copy of a preset, to be changed and saved."""

    def __init__(self, entry: PresetEntry) -> None:
        super().__init__()
        self.entry = entry


class PresetSaved(Message):
    """The editor wrote a preset of the user's own, and is done."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Compare(Message):
    """Compare presets and runs by name; without names, the run on show with those most like it."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__()
        self.names = list(names)


class ComparisonOver(Message):
    """All of a comparison is trained, as far as it is trained here."""

    def __init__(self, exit_code: int) -> None:
        super().__init__()
        self.exit_code = exit_code


class LeaveApp(Message):
    """As the key `q`."""
