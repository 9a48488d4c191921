"""The app on a run that is made up, for tests in a real terminal: `python -m tests.ui.noisy_app LOG [break]`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.scripted import scripted_run
from tests.ui.conftest import cut
from tests.ui.scripted_source import ScriptedHost
from tests.waiting import until
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.show import show
from tui_trainer.ui.terminal.terminal import Terminal


class NoisyHost(ScriptedHost):
    """Prints in every way there is while the screen is up."""

    polls = 0

    def poll(self) -> int:
        self.polls += 1
        print(f"noise of print {self.polls}", flush=True)
        os.write(1, b"noise of descriptor 1\n")
        os.write(2, b"noise of descriptor 2\n")
        if self.polls > 3 and "break" in sys.argv:
            raise RuntimeError("broken on purpose")
        return super().poll()


def rests() -> bool:
    """Whether next to no processor time is used for half a second."""
    before = time.process_time()
    time.sleep(0.5)
    return time.process_time() - before < 0.05


def main() -> None:
    host = NoisyHost(cut(scripted_run(epochs=4, batches=20), 50), readonly=True)
    apps: list[TrainerApp] = []

    def make(terminal: Terminal) -> TrainerApp:
        os.write(2, b"noise before the log\n")
        if sys.argv[1] != "-":
            terminal.log_to(Path(sys.argv[1]))
        apps.append(TrainerApp(AppContext(source=host), terminal))
        return apps[0]

    code = show(make)
    if apps[0].hung_up:
        until(rests, seconds=60.0)
        print("after the terminal: at rest")
        os._exit(0)
    sys.exit(code)


if __name__ == "__main__":
    main()
