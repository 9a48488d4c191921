"""Presets: an optimizer, a scheduler and how long to train, as data. No torch is loaded here."""

from tui_trainer.preset_folders import shipped_folder, user_folder
from tui_trainer.presets.cases import Run
from tui_trainer.presets.catalogue import Entry, catalogue, find, load
from tui_trainer.presets.checks import Checked, check, check_file, check_text, parse, read
from tui_trainer.presets.problems import PresetError, Problem, Source
from tui_trainer.presets.saving import save
from tui_trainer.presets.schema import Preset, Training, Warmup

__all__ = [
    "Checked",
    "Entry",
    "Preset",
    "PresetError",
    "Problem",
    "Run",
    "Source",
    "Training",
    "Warmup",
    "catalogue",
    "check",
    "check_file",
    "check_text",
    "find",
    "load",
    "parse",
    "read",
    "save",
    "shipped_folder",
    "user_folder",
]
