"""What the first frame needs, and what it must do without."""

from __future__ import annotations

import subprocess
import sys

from tests.waiting import PATIENCE_S

SCRIPT = """
import sys
import tui_trainer.cli.launch, tui_trainer.ui.show, tui_trainer.ui.app, tui_trainer.ui.context
from tui_trainer.records.history import History
from tui_trainer.run_sources.run_source import READONLY

class Host:
    history, capabilities, lags = History(), READONLY, False
    def poll(self): return 0
    def close(self): pass

app = tui_trainer.ui.app.TrainerApp(tui_trainer.ui.context.AppContext(source=Host()))
app.context.on_shown = lambda: app.exit(0)
app.run(headless=True, size=(140, 40))
heavy = {"torch", "torchvision", "numpy", "plotext", "pydantic", "psutil", "tree_sitter", "markdown_it"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
print(sorted(name for name in sys.modules if name.startswith("textual.widgets._") and "text_area" in name))
others = ("foreign_records", "run_sources.in_process", "compare", "engine", "presets.schema", "remote.connection")
print(sorted(name for name in sys.modules if name.startswith(tuple(f"tui_trainer.{other}." for other in others))
    or name in {f"tui_trainer.{other}" for other in others}))
print(sum(name.startswith("tui_trainer.text.captions.") for name in sys.modules) < 20)
"""


def test_the_first_frame_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:4] == ["[]", "[]", "[]", "True"]
