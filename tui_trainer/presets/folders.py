"""Where presets lie. Known without loading one."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from tui_trainer.text.plain import plain


def shipped_folder() -> Path:
    """Where the shipped presets lie: inside the package in a wheel, else at the top of the repository."""
    inside = Path(__file__).parent / "shipped"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "presets"


def user_folder() -> Path:
    """Where the user's own presets lie; it need not exist."""
    return Path(platformdirs.user_config_dir("tui-trainer")) / "presets"


def is_name(name: str) -> bool:
    """Whether a preset of the user's own can be called so, and is found by that."""
    return (
        bool(name.strip())
        and name == plain(name)
        and not set(name) & set('/\\:*?"<>|')
        and not name.startswith(".")
        and not name.endswith(".toml")
    )


def called(path: Path) -> str:
    """What to call a preset's file: a shipped one by its name alone, another by the path that was given."""
    return path.name if path.parent == shipped_folder() else str(path)


def is_shipped(name: str) -> bool:
    """Whether a name means a shipped preset: those are sound, and need no look before the first frame."""
    own, shipped = (folder / f"{name}.toml" for folder in (user_folder(), shipped_folder()))
    try:
        return "/" not in name and not name.endswith(".toml") and shipped.is_file() and not own.exists()
    except (OSError, ValueError):  # no name of a file, or a folder that may not be entered: a closer look will tell
        return False


def shipped_for(name: str) -> dict[str, str]:
    """What a shipped preset is made for, by the options' names, without loading what reads presets; else nothing."""
    if not is_shipped(name):
        return {}
    text = (shipped_folder() / f"{name}.toml").read_text(encoding="utf-8")
    if "[for]" not in text:
        return {}
    import tomllib

    table: dict[str, str] = tomllib.loads(text).get("for", {})
    return table
