"""Presets: an optimizer, a scheduler and how long to train, as data. No torch is loaded here."""

from tui_trainer.presets.catalogue import Entry, catalogue, find, load, shipped_folder, user_folder
from tui_trainer.presets.loading import parse
from tui_trainer.presets.problems import PresetError, Problem, Source
from tui_trainer.presets.schema import Preset, Training, Warmup

__all__ = [
    "Entry",
    "Preset",
    "PresetError",
    "Problem",
    "Source",
    "Training",
    "Warmup",
    "catalogue",
    "find",
    "load",
    "parse",
    "shipped_folder",
    "user_folder",
]
