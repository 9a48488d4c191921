"""Data that trains in the same order in every epoch."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Loop
from tui_trainer.watching.findings.rule import Rule, Tell
from tui_trainer.watching.trace import Observed

FEWEST_BATCHES = 4
"""Fewer are a trial, or all of the data at once."""


class NotShuffled(Rule):
    """A loader without a shuffling sampler whose passes began with the same labels, and trained.

    A data set may shuffle itself, so what it gives is compared; and the order of a series of numbers or a text may be
    meant, so the labels must be classes.
    """

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._told = False

    def observed(self, frame: Observed) -> None:
        if frame.fact != "same_labels" or self._told:
            return
        loop = self.loop
        site = loop.definitions.sites.get(frame.site)
        loader = loop.definitions.loaders.get(site.target) if site is not None else None
        if site is None or loader is None or loader.shuffles is not False or not loader.map_style:
            return
        if not loader.samples or (loader.batches or 0) < FEWEST_BATCHES or not loader.batch_size:
            return
        training = loop.passes.training
        if training is None or training.loader != loader.id:
            return  # its first pass has not trained
        self._told = True
        called = site.name or loader.class_name
        self.tell("not_shuffled", site, {"loader": called, "samples": loader.samples})
