"""The training loop, as a tutorial lists it and as the screen shows it."""

from __future__ import annotations

from tui_trainer.engine.trainer import Trainer


def fit(run: Trainer) -> None:
    """Train from where the run stands to its last epoch.

    Raises:
        Stopped: somebody asked it to end.
        Diverged: a loss was not finite.
    """
    for epoch in run.epochs():
        for images, labels in run.batches(epoch):
            if run.begins_step:
                run.zero_grad()
            outputs = run.forward(images)
            loss = run.loss(outputs, labels)
            run.backward(loss)
            if run.ends_step:
                if run.clips_gradients:
                    run.clip_gradients()
                run.optimizer_step()
                if run.averages_weights:
                    run.average_weights()
                if run.scheduler.due_after_batch:
                    run.scheduler_step()
            run.end_batch(outputs, labels, loss)
        if run.averages_epoch:
            run.average_epoch()
        val_loss, val_accuracy = run.validate()
        if run.scheduler.due_after_epoch:
            run.scheduler_step(val_loss, val_accuracy)
        run.end_epoch(val_loss, val_accuracy)
