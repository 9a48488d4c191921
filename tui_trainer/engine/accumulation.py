"""Several batches whose gradients make one step of the optimizer together."""

from __future__ import annotations

from tui_trainer.presets.schema import Training


class Accumulation:
    """Where a batch stands among those of its step. The last step of an epoch takes the batches that are left.

    Attributes:
        batches: how many make a step.
        begins_step, ends_step: whether the batch is the first, or the last, of its step.
        images: those of all batches of the step.
    """

    def __init__(self, training: Training, images: int) -> None:
        """Of an epoch of so many images."""
        self.batches = training.accumulate
        self._in_epoch = -(-images // training.batch_size)
        self._step_images, self._epoch_images = training.images_a_step, images
        self.begins_step = self.ends_step = True
        self.images = min(self._step_images, images)

    @classmethod
    def of(cls, training: Training, images: int) -> Accumulation | None:
        """What `[training]` asks for; None where each batch is a step of its own."""
        return cls(training, images) if training.accumulate > 1 else None

    def stand_at(self, batch: int) -> None:
        """Be at a batch of the epoch, counted from 1."""
        before = batch - 1
        self.begins_step = before % self.batches == 0
        self.ends_step = batch % self.batches == 0 or batch == self._in_epoch
        first_image = before // self.batches * self._step_images
        self.images = min(self._step_images, self._epoch_images - first_image)
