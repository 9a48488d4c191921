"""In which mode a network makes a pass over data that does not train: its own mode, and that of autograd."""

from __future__ import annotations

from ..listeners import NEVER
from ..networks import mode_matters, unwrapped
from ..torch_internals import batch_norm_classes, has_compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..networks import Networks
    from ..observer import Observer

_PASSES = 3
"""Of each place that are looked at."""

_MOST_CALLS = 4
"""In a batch: a network that is asked more often is asked for how sure it is, with Dropout on purpose."""

_LAYERS = 3
_MOST_PLACES = 100


class ForwardModes:
    """Hangs a hook on the networks that train, and on some layers for which the mode matters, for the first batch of a
    pass over data that has not trained, and takes all of them away before the second one."""

    def __init__(self, observer: Observer, networks: Networks) -> None:
        self._observer = observer
        self._networks = networks
        self._has_stepped = False
        self._trains: set[int] = set()
        """Ids of data sets that are, or were, trained on."""
        self._passes: dict[int, int] = {}
        self._last: Any = None
        """The id of the data set of the pass that began last."""
        self._look: _Look | None = None
        for kind, listener in (("after_step", self._after_step), ("pass_began", self._began)):
            observer.listeners.add(kind, listener)

    def _after_backward(self, loss: Any, site: int) -> None:
        if self._look is not None:
            self._look.trains = True

    def _after_step(self, optimizer: Any, record: Any, site: int) -> int:
        self._has_stepped = True
        if self._look is not None:
            self._look.trains = True
        if self._last is not None:
            self._trains.add(self._last)
        return NEVER

    def _began(self, loader: Any, iterator: Any, site: int) -> None:
        self._end_look()
        self._last = id(loader.dataset)
        if self._last not in self._trains:
            self._observer.listeners.wake()
        passes = self._passes.get(site, 0)
        if (
            not self._has_stepped
            or self._last in self._trains
            or passes >= _PASSES
            or len(self._passes) >= _MOST_PLACES
        ):
            return
        if has_compiled():
            return
        self._passes[site] = passes + 1
        networks = self._networks.trained()
        torch = self._observer.torch
        self._look = _Look(torch, networks, self._observer.guard, id(iterator), site)
        self._observer.listeners.add("batch_asked", self._asked)
        self._observer.listeners.add("after_backward", self._after_backward)

    def _asked(self, iterator: Any) -> None:
        """Another batch of some loader: of the one that is looked at, the second."""
        look = self._look
        if look is None or look.iterator != id(iterator):
            return
        if look.batches >= 3 or (look.batches and look.called is not None):  # some loops fetch a batch ahead
            self._end_look()
        look.batches += 1

    def _end_look(self) -> None:
        look, self._look = self._look, None
        if look is None:
            return
        self._observer.listeners.remove("batch_asked", self._asked)
        self._observer.listeners.remove("after_backward", self._after_backward)
        look.end()
        if not look.trains and look.called is not None:
            values = {
                "model": type(unwrapped(look.called)[0]).__name__,
                "training": look.in_training_mode and look.layer_calls <= _MOST_CALLS,
                "gradients": look.with_gradients,
            }
            self._observer.writer.define("observed", fact="forward", site=look.site, values=values)


class _Look:
    """At the first batch of a pass."""

    def __init__(self, torch: Any, networks: list[Any], guard: Any, iterator: int, site: int) -> None:
        self.iterator = iterator
        self.site = site
        self.trains = False
        """Whether something went backward or stepped in it."""
        self.batches = 0
        self.called: Any = None
        """The network that was called, or a layer of it."""
        self.with_gradients = True
        """In all that was called."""
        self.in_training_mode = False
        self.layer_calls = 0
        self._torch = torch
        self._guard = guard
        self._handles: list[Any] = []
        for network in networks[:10]:
            if isinstance(network, torch.jit.ScriptModule) or not isinstance(network, torch.nn.Module):
                continue
            self._hang(network, network, matters=False)
            matter = _layers_that_matter(torch, network)
            for layer in matter:
                self._hang(layer, network, matters=True)
            last = [
                layer
                for layer in network.modules()
                if any(True for _ in layer.parameters(recurse=False)) and layer not in matter
            ][-1:]
            for layer in last:
                self._hang(layer, network, matters=False)

    def _hang(self, module: Any, network: Any, *, matters: bool) -> None:
        def before_forward(module: Any, args: Any) -> None:
            try:
                self._note(module, network, matters=matters)
            except Exception as error:
                self._guard.failed("forward", error)

        self._handles.append(module.register_forward_pre_hook(before_forward))

    def _note(self, module: Any, network: Any, *, matters: bool) -> None:
        torch = self._torch
        self.called = network
        self.with_gradients = self.with_gradients and torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        if matters:
            self.layer_calls += 1
            if network.training and module.training:
                self.in_training_mode = True

    def end(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()
        self._handles = []


def _layers_that_matter(torch: Any, network: Any) -> list[Any]:
    """Some layers that do something else in training: BatchNorm that goes by the batch in training alone, and Dropout.

    Where BatchNorm has no momentum its statistics are being made anew, which takes the training mode.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, batch_norm_classes(torch))]
    if any(layer.track_running_stats and layer.momentum is None for layer in norms):
        return []
    return [layer for layer in network.modules() if mode_matters(layer, torch)][:_LAYERS]
