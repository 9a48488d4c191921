"""From the app to comparisons and back: opened over what is on show, and what becomes of one that trains here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.queue import Queue
    from tui_trainer.ui.app import TrainerApp


class Comparing:
    """Shows comparisons for the app."""

    def __init__(self, app: TrainerApp, exit_when_done: bool) -> None:
        self._app = app
        self._at_end = exit_when_done
        self._opens = False
        """Whether one is being opened."""

    def open(self, comparison: Comparison, queue: Queue | None) -> None:
        """Show a comparison over what is on show."""
        from tui_trainer.ui.compare.screen import CompareScreen

        self._app.push_screen(CompareScreen(comparison, queue))

    def ask(self, names: Sequence[str]) -> None:
        """Compare presets and runs by name, where that can be done from here."""
        if self._app.on_compare is None:
            self._app.say(f"not from here: tui-trainer compare {' '.join(names)}".rstrip())
            return
        self._app.say("looking for what there is to compare")
        if self._opens:
            return
        self._opens = True
        ask, wanted = self._app.on_compare, list(names)
        self._app.errands.run(lambda: ask(wanted), self._opened, self._refused)

    def _opened(self, opened: tuple[Comparison, Queue | None] | None) -> None:
        self._opens = False
        if opened is not None:
            self.open(*opened)

    def _refused(self, error: Exception) -> None:
        self._opens = False
        self._app.say(str(error), "warning")

    def back(self) -> None:
        """From a comparison to what lies under it; what trains here goes on."""
        if len(self._app.screen_stack) > 1:
            self._app.pop_screen()
        else:
            self._app.action_leave()

    def leave(self) -> bool:
        """Leave the app, if a comparison trains here that must be asked about; whether it does."""
        queue = self._training()
        if queue is None:
            return False
        from tui_trainer.ui.dialogs import leaving

        question = leaving("the comparison", self._app.can_detach, "compare SESSION", "stop SESSION")

        def answered(answer: str | None) -> None:
            if answer == "keep":
                self._app.detached = True
                self._app.exit(0)
            elif answer == "stop":
                queue.stop()
                self._app.exit(0)

        self._app.push_screen(question, answered)
        return True

    def follow_up(self, queue: Queue | None) -> None:
        """Leave where all is trained, if that was asked for."""
        if self._at_end and (queue is None or queue.is_over):
            self._app.exit(queue.exit_code if queue is not None else 0)

    def _training(self) -> Queue | None:
        from tui_trainer.ui.compare.screen import CompareScreen

        for screen in self._app.screen_stack:
            if isinstance(screen, CompareScreen) and screen.queue is not None and not screen.queue.is_over:
                return screen.queue
        return None
