"""A wrong order and the right one, trained by nobody: what happens to them is the test's."""

from __future__ import annotations

from tui_trainer.events import EndStatus, EpochEnded, RunConfigured, RunEnded, StepsTaken
from tui_trainer.mistakes.cases import MistakeCase
from tui_trainer.records.history import History
from tui_trainer.ui.live.recipe_loop import asked_recipe

BATCHES = 63
"""An epoch's, of mnist-5k."""


class ScriptedPair:
    """Two runs to which happens what the test says."""

    def __init__(self, case: MistakeCase) -> None:
        self.case = case
        self.right, self.wrong = History(), History()
        self.is_over = False
        self.failure = ""
        self.closed = False

    def poll(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True

    def begin(self) -> None:
        """Both say what they are."""
        recipe = asked_recipe(self.case.spec)
        for history in (self.right, self.wrong):
            history.apply(
                RunConfigured(
                    at=0.0,
                    dataset="mnist-5k",
                    model="mlp",
                    parameters=1,
                    device="cpu",
                    device_name="cpu",
                    threads=1,
                    precision="fp32",
                    seed=0,
                    train_images=4000,
                    val_images=1000,
                    recipe=recipe,
                    versions={},
                )
            )

    def train(self, history: History, epochs: int, loss: float, lr: float) -> None:
        """So many epochs of one loss and one LR."""
        for epoch in range(1, epochs + 1):
            self.train_epoch(history, epoch, loss, lr)

    def train_epoch(self, history: History, epoch: int, loss: float, lr: float) -> None:
        """One of them."""
        step = (epoch - 1) * BATCHES + 1
        elapsed = [float(step + i) for i in range(BATCHES)]
        losses: list[float | None] = [loss] * BATCHES
        history.apply(StepsTaken(at=1.0, step=step, epoch=epoch, batch=1, losses=losses, lrs=[lr], elapsed=elapsed))
        history.apply(
            EpochEnded(
                at=1.0,
                epoch=epoch,
                step=step + BATCHES - 1,
                train_loss=loss,
                train_accuracy=0.5,
                val_loss=loss,
                val_accuracy=0.25,
                lr=lr,
                images_per_second=1.0,
                elapsed=elapsed[-1],
            )
        )

    def end(self, status: EndStatus = "finished", reason: str = "") -> None:
        """Both are through, the wrong one in this way."""
        for history, how, why in ((self.right, "finished", ""), (self.wrong, status, reason)):
            history.apply(RunEnded(at=9.0, status=how, reason=why, step=1, epoch=1, exit_code=0))  # type: ignore[arg-type]
        self.is_over = True
