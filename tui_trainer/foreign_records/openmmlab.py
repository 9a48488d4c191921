"""What OpenMMLab's loggers mean with `step`, `iter` and `epoch` in their JSON lines: MMEngine's, and mmcv's before it.

Source: mmengine/visualization/vis_backend.py and hooks/logger_hook.py; mmcv 1.x, runner/hooks/logger/text.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui_trainer.foreign_records.pieces import SettingValue
from tui_trainer.foreign_records.settings import settings_in
from tui_trainer.text.captions import say

_MMENGINE = frozenset({"epoch", "iter", "step"})
"""What MMEngine says with numbers of a training in epochs."""

_MMCV = frozenset({"mode", "epoch", "iter"})
"""What mmcv says with all numbers."""

_MMCV_FIRST = frozenset({"env_info", "exp_name"})
"""What mmcv says before its first numbers: what the run is."""

_OF_TRAINING = ("lr", "momentum")
"""What mmcv repeats with a validation."""


class Logger:
    """One whose rows say what they say."""

    counts_in_epochs = False
    """Whether the steps of an epoch may be no lower than those of the one before, and begin anew all the same."""

    def __init__(self) -> None:
        self.settings: Mapping[str, SettingValue] = {}
        """What it said the run was set to."""

    @property
    def notes(self) -> Sequence[str]:
        """What of the rows had to be read in another way than they stand, in words."""
        return ()

    def mended(self, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows that came next, as others would have written them."""
        return objects


class MMEngine(Logger):
    """A training in epochs: the `step` of its validations is the epoch, where the training counts iterations."""

    def __init__(self) -> None:
        super().__init__()
        self._mended = False
        self._epoch = self._step = 0

    @property
    def notes(self) -> Sequence[str]:
        return [say("foreign.epoch_as_step")] if self._mended else ()

    def mended(self, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for each in objects:
            if each.keys() >= _MMENGINE:
                self._epoch, self._step = each["epoch"], each["step"]
            elif "iter" not in each and each.get("step") == self._epoch != self._step:
                each |= {"step": self._step, "epoch": self._epoch}
                self._mended = True
        return objects


class Mmcv(Logger):
    """`iter` of a validation is how many batches it has: it stands where the training was. Its numbers are called as
    those of the training, so the mode goes before them, as mmcv does it for TensorBoard."""

    counts_in_epochs = True

    def __init__(self) -> None:
        super().__init__()
        self._at: dict[str, Any] = {}
        """Epoch and iteration of the training."""

    def mended(self, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = []
        for each in objects:
            if not each.keys() >= _MMCV:
                self.settings = settings_in({name: said for name, said in each.items() if not _is_text(said)})
                continue
            mode = each.pop("mode")
            if mode == "train":
                self._at = {"epoch": each["epoch"], "iter": each["iter"]}
            else:
                told = {f"{mode}/{name}": said for name, said in each.items() if name not in (*_MMCV, *_OF_TRAINING)}
                each = told | ({"epoch": each["epoch"], "iter": each["iter"]} | self._at)
            found.append(each)
        return found


def logger_of(first: list[dict[str, Any]]) -> Logger:
    """Who has written a file, by its first rows."""
    if first[0].keys() >= _MMENGINE:
        return MMEngine()
    if first[0].keys() >= _MMCV_FIRST or first[0].keys() >= _MMCV:
        return Mmcv()
    return Logger()


def _is_text(said: object) -> bool:
    """Whether it is a whole text, such as a program of settings, and no value."""
    return isinstance(said, str) and "\n" in said
