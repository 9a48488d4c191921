"""Hugging Face's Trainer: `Trainer(..., callbacks=[WatchCallback()])` has a training watched.

    from tui_trainer.integrations.transformers import WatchCallback

What the trainer logs is recorded under its own names, whatever `report_to` says.
"""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from tui_trainer.watching.own_code import Watch, watch


class WatchCallback(TrainerCallback):  # type: ignore[misc]
    """Watches `Trainer.train`.

    Args:
        options: those of `tui_trainer.watch`: `name`, `runs`, `rehearse` and so on. How many steps there will be, the
            trainer tells.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._watch: Watch | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Begin."""
        if state.is_world_process_zero and self._watch is None:
            given = {"steps": state.max_steps if state.max_steps > 0 else None}
            self._watch = watch(**{**given, **self._options})

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """It is over."""
        if self._watch is not None:
            self._watch.finish()
            self._watch = None
