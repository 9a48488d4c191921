"""The conditions of a run that a fair comparison holds equal, each as the run's own record tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tui_trainer.compare.comparison import Compared
from tui_trainer.events import RunResolved
from tui_trainer.numbers import counted
from tui_trainer.plain import plain


class Said(NamedTuple):
    """What a run has for one fact."""

    words: str
    digest: str = ""
    """Where there is one, it decides: equal digests are equal bits, whatever the words."""

    @property
    def key(self) -> str:
        """What must be equal for two to be the same."""
        return self.digest or self.words


NOT_TOLD = Said("not told")
"""By records of earlier versions, which may have had the same or not."""


def _known(run: Compared) -> RunResolved:
    """What it came to; asked only of runs that have come so far."""
    assert run.history.resolved is not None
    return run.history.resolved


def _data(run: Compared) -> Said:
    resolved = _known(run)
    return Said(plain(resolved.dataset), resolved.digests.data) if resolved.digests.data else NOT_TOLD


def _split(run: Compared) -> Said:
    resolved = _known(run)
    return Said(f"{resolved.train_images:,} + {resolved.val_images:,} images")


def _model(run: Compared) -> Said:
    resolved = _known(run)
    return Said(f"{plain(resolved.model)} ({counted(resolved.parameters, 'parameter')})")


def _weights(run: Compared) -> Said:
    resolved = _known(run)
    if not resolved.digests.weights:
        return NOT_TOLD
    return Said(f"seed {resolved.seed}, {plain(resolved.model)}", resolved.digests.weights)


def _order(run: Compared) -> Said:
    """The digest tells the order of the images; the batch size cuts it."""
    resolved = _known(run)
    if not resolved.digests.order:
        return NOT_TOLD
    sizes = [resolved.recipe.batch_size, *(switch.recipe.batch_size for switch in run.history.switches)]
    cut = " then ".join(dict.fromkeys(map(str, sizes)))
    return Said(f"seed {resolved.seed}, batches of {cut}", f"{resolved.digests.order} by {cut}")


def _augmentation(run: Compared) -> Said:
    return Said(plain(_known(run).augmentation)) if _known(run).augmentation else NOT_TOLD


def _kernels(run: Compared) -> Said:
    chosen = run.history.settings.get("kernels")
    return Said(plain(chosen.new)) if chosen is not None else NOT_TOLD


def _device(run: Compared) -> Said:
    resolved = _known(run)
    many = f", {resolved.ranks} processes" if resolved.ranks > 1 else ""
    return Said(f"{plain(resolved.device)} {plain(resolved.device_name)}".strip() + many)


def _threads(run: Compared) -> Said:
    changed = run.history.settings.get("threads")
    first = str(_known(run).threads)
    return Said(f"{first}, then {plain(changed.new)}" if changed is not None and changed.new != first else first)


def _versions(run: Compared) -> Said:
    return Said(", ".join(f"{plain(name)} {plain(text)}" for name, text in sorted(_known(run).versions.items())))


def _machine(run: Compared) -> Said:
    return Said(plain(run.history.started.host)) if run.history.started else NOT_TOLD


Read = Callable[[Compared], Said]
"""Asked only of runs that have come so far as to be resolved."""

CONDITIONS: tuple[tuple[str, str, Read], ...] = (
    ("data", "results", _data),
    ("split", "results", _split),
    ("model", "results", _model),
    ("initial weights", "results", _weights),
    ("batch order", "results", _order),
    ("augmentation", "results", _augmentation),
    ("epochs", "results", lambda run: Said(counted(_known(run).recipe.epochs, "epoch"))),
    ("precision", "results", lambda run: Said(plain(_known(run).precision))),
    ("kernels", "last digits", _kernels),
    ("device", "last digits", _device),
    ("threads", "last digits", _threads),
    ("versions", "last digits", _versions),
    ("machine", "seconds", _machine),
)
"""Name, what suffers where it differs, and how it is read; in the order in which they are told."""
