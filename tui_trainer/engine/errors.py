"""What can go wrong in a run that is a person's to mend, said in a sentence."""

from __future__ import annotations


class BadInput(Exception):
    """Something that was asked for cannot be had: data, device. Found before the first batch; exit code 2."""


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
