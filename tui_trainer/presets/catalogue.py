"""The presets there are: shipped ones, and the user's own in a folder of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.presets.checks import read
from tui_trainer.presets.folders import shipped_folder, user_folder
from tui_trainer.presets.problems import PresetError, Problem
from tui_trainer.presets.schema import Preset
from tui_trainer.presets.wording import nearest
from tui_trainer.text.captions import say

LESSON = (
    "none",
    "steplr",
    "steplr-fast",
    "multistep",
    "exponential",
    "cosine",
    "plateau",
    "onecycle",
    "cosine-warmup",
    "warm-restarts",
)
"""The order in which the shipped presets are shown: that of the lesson, then any others by name."""


@dataclass(frozen=True)
class PresetEntry:
    """A preset's file, sound or not."""

    name: str
    path: Path
    builtin: bool
    preset: Preset | None
    problems: list[Problem]


def catalogue() -> list[PresetEntry]:
    """Every preset: the shipped ones, the user's own, then the shipped recipes that others have published.

    One of the user's own that bears a shipped one's name stands in for it.
    """
    own = {path.stem: path for path in _files(user_folder())}
    shipped = [_entry(path, builtin=True) for path in shipped_files() if path.stem not in own]
    recipes = [entry for entry in shipped if entry.preset is not None and entry.preset.published is not None]
    lesson = [entry for entry in shipped if entry.preset is None or entry.preset.published is None]
    return lesson + [_entry(path, builtin=False) for path in own.values()] + recipes


def find(name_or_path: str | Path) -> Path:
    """The file of a preset: a path as it is, else the user's own or a shipped one of that name.

    Raises:
        PresetError: there is no such preset, with the nearest known name, or it can be no path; in words.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or text.endswith(".toml"):
        try:
            given_path(text)
        except BadPath as error:
            raise PresetError([Problem("", None, "", str(error))]) from None
        return Path(text).expanduser()
    for folder in (user_folder(), shipped_folder()):
        path = folder / f"{text}.toml"
        if _is_file(path):
            return path
    if _is_file(Path(text)):
        return Path(text)
    names = [path.stem for path in (*shipped_files(), *_files(user_folder()))]
    close = nearest(text, names)
    if close:
        raise PresetError([Problem(text, None, "", say("refusal.preset_meant", meant=close))])
    raise PresetError([Problem(text, None, "", say("refusal.no_preset", names=", ".join(names)))])


def load(name_or_path: str | Path) -> Preset:
    """The preset of a name or a file.

    Raises:
        PresetError: there is none, or everything that is wrong with it.
    """
    return read(find(name_or_path))


def shipped_files() -> list[Path]:
    """The shipped presets' files, in the order of the lesson."""
    places = {name: place for place, name in enumerate(LESSON)}
    return sorted(_files(shipped_folder()), key=lambda path: (places.get(path.stem, len(LESSON)), path.stem))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _entry(path: Path, builtin: bool) -> PresetEntry:
    try:
        return PresetEntry(path.stem, path, builtin, read(path), [])
    except PresetError as error:
        return PresetEntry(path.stem, path, builtin, None, error.problems)
