"""How training itself can fail."""

from __future__ import annotations


class Diverged(Exception):
    """A loss was not finite.

    Attributes:
        step: the step whose loss it was, counted from 1.
        lr: the learning rate which that step used.
    """

    def __init__(self, step: int, lr: float, what: str = "loss of") -> None:
        super().__init__(f"the {what} step {step} was not finite (LR {lr:.3g})")
        self.step = step
        self.lr = lr
