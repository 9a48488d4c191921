"""How to watch: where traces go, and what was asked for as the command was started."""

from __future__ import annotations

import os

from .plain import decode

FOLDER_VARIABLE = "TUI_TRAINER_WATCH"
OPTIONS_FILE = "options.json"


class Settings:
    """`tui_trainer.watching.trace.Options`, and the folder that they lie in."""

    def __init__(self, folder: str, options: dict[str, object]) -> None:
        """Take from `options` what is there and of the right type; the rest is as by default."""
        self.folder = folder
        calls, epochs, steps = options.get("calls"), options.get("epochs"), options.get("steps")
        self.calls = calls if calls in ("off", "light", "full") else "light"
        self.control = options.get("control") is not False
        self.rehearse = options.get("rehearse") is True
        self.epochs = epochs if type(epochs) is int and epochs > 0 else None
        self.steps = steps if type(steps) is int and steps > 0 else None

    @classmethod
    def of_environment(cls) -> Settings | None:
        """Those of this process; None where it is not to be watched."""
        folder = os.environ.get(FOLDER_VARIABLE, "")
        return cls.of_folder(folder) if os.path.isabs(folder) and os.path.isdir(folder) else None

    @classmethod
    def of_folder(cls, folder: str) -> Settings:
        """Those that lie in a folder; the usual ones where none can be read."""
        try:
            file = os.open(os.path.join(folder, OPTIONS_FILE), os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            return cls(folder, {})
        try:
            options = decode(os.read(file, 1 << 16))
        finally:
            os.close(file)
        return cls(folder, options if isinstance(options, dict) else {})
