"""Commands in a Python that has some packages not: as on a machine where they were never installed."""

from __future__ import annotations

import os
from pathlib import Path

BLOCKS = '''
import os, sys

class Blocks:
    """The first to be asked for a module: those of these packages are nowhere."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in os.environ["TUI_TRAINER_TEST_WITHOUT"].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocks())
'''


def environment_without(folder: Path, *packages: str) -> dict[str, str]:
    """Variables for a new interpreter that cannot import them; `folder` is for a file that it runs as it begins."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(BLOCKS)
    repository = str(Path(__file__).parents[1])
    return {
        "PYTHONPATH": os.pathsep.join([str(folder), repository]),
        "TUI_TRAINER_TEST_WITHOUT": ",".join(packages),
    }
