"""Files that the program writes weights to, and states that it loads."""

from __future__ import annotations

import os
from time import perf_counter

from .plain import text
from .wrapping import Depth, noted_outermost, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from .networks import Networks
    from .observer import Observer
    from .optimizer_steps import OptimizerSteps
    from .schedulers import Schedulers


class SavedFiles:
    """Notes `torch.save`, safetensors' and torch.distributed.checkpoint's, the outermost one each."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._depth = Depth()

    def install(self, torch: Any) -> None:
        """Listen to `torch.save`."""
        self._listen(torch, "save", "torch.save", "f", 1)

    def with_safetensors(self, module: Any) -> None:
        """`safetensors.torch` was imported."""
        self._listen(module, "save_file", "safetensors", "filename", 1)
        self._listen(module, "save_model", "safetensors", "filename", 1)

    def with_distributed_checkpoint(self, module: Any) -> None:
        """`torch.distributed.checkpoint` was imported."""
        self._listen(module, "save", "torch.distributed.checkpoint", "checkpoint_id", 99)

    def _listen(self, module: Any, name: str, by: str, argument: str, place: int) -> None:
        def note(frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
            target = args[place] if len(args) > place else kwargs.get(argument)
            path = target if isinstance(target, (str, os.PathLike)) else getattr(target, "name", None)
            if isinstance(path, (str, os.PathLike)):
                self._saved(os.path.abspath(os.fsdecode(path)), by)

        replace(module, name, noted_outermost(self._observer, by, self._depth, note))

    def _saved(self, path: str, by: str) -> None:
        files = [os.path.join(path, name) for name in os.listdir(path)] if os.path.isdir(path) else [path]
        size = sum(os.stat(file).st_size for file in files if os.path.isfile(file))
        self._observer.writer.define("saved", file=text(path), size=size, by=by, clock=perf_counter())


class LoadedStates:
    """Notes `load_state_dict` of networks and optimizers, and tells where schedulers stand after theirs."""

    def __init__(self, observer: Observer, networks: Networks, steps: OptimizerSteps, schedulers: Schedulers) -> None:
        self._observer = observer
        self._numbers = {"model": networks.number_of, "optimizer": steps.number_of, "scheduler": schedulers.number_of}
        self._schedulers = schedulers

    def install(self, torch: Any) -> None:
        """Listen to all."""
        self._listen(torch.nn.Module, "model")
        self._listen(torch.optim.Optimizer, "optimizer")
        depth = Depth()
        for kind in self._schedulers.classes():
            self._listen(kind, "scheduler", depth)

    def _listen(self, kind: Any, what: str, depth: Depth | None = None) -> None:
        number_of = self._numbers[what]

        def note(frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
            self._observer.writer.define("loaded", what=what, target=number_of(args[0]), clock=end)
            if what == "optimizer" and args[0].state:
                self._observer.writer.define("observed", fact="steps_loaded", values={"optimizer": number_of(args[0])})
            if what == "scheduler":
                self._schedulers.loaded(args[0])

        make = noted_outermost(self._observer, what + ".load_state_dict", depth or Depth(), note)
        replace(kind, "load_state_dict", make)
