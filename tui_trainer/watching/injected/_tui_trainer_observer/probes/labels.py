"""Whether a loader that does not shuffle begins each pass with the same labels."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer

_FEWEST = 4
_MOST = 1 << 14
_MOST_LOADERS = 100
_PASSES = 4


class Labels:
    """Compares the first labels of the first passes: whole numbers, one for each sample, that stand for classes."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._first: dict[int, tuple[Any, ...]] = {}
        """By sites of passes."""
        self._passes: dict[int, int] = {}
        self._beginning: dict[int, tuple[int, int]] = {}
        """By ids of iterators that gave nothing yet: the site, and the samples of a batch."""
        observer.listeners.add("pass_began", self._began)

    def _began(self, loader: Any, iterator: Any, site: int) -> None:
        data = self._observer.torch.utils.data
        if type(loader.sampler) is not data.SequentialSampler or type(loader.batch_sampler) is not data.BatchSampler:
            return
        passes = self._passes[site] = self._passes.get(site, 0) + 1
        if passes > _PASSES or len(self._passes) > _MOST_LOADERS or type(loader.batch_size) is not int:
            return
        if not self._beginning:
            self._observer.listeners.add("batch_given", self._given)
        self._beginning = {id(iterator): (site, loader.batch_size)}

    def _given(self, iterator: Any, batch: Any) -> None:
        site, size = self._beginning.pop(id(iterator), (0, 0))
        if not site:
            return
        self._observer.listeners.remove("batch_given", self._given)
        labels = self._labels(batch, size)
        if labels is None:
            return
        before = self._first.get(site)
        self._first[site] = labels
        if labels == before:
            self._observer.writer.define("observed", fact="same_labels", site=site)
            self._passes[site] = _PASSES

    def _labels(self, batch: Any, size: int) -> tuple[Any, ...] | None:
        torch = self._observer.torch
        if type(batch) not in (list, tuple, dict):
            return None
        for held in batch.values() if type(batch) is dict else batch:
            if (
                type(held) is not torch.Tensor
                or held.device.type != "cpu"
                or held.dtype not in (torch.int64, torch.int32)
            ):
                continue
            if held.dim() == 1 and _FEWEST <= held.numel() == size <= _MOST:
                labels = tuple(held.tolist())
                if len(set(labels)) < len(labels):  # else they count the samples
                    return labels
        return None
