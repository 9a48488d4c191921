"""Networks: those whose parameters an optimizer moves, and the mode that they are put into."""

from __future__ import annotations

from .call_sites import LastSite, name_around
from .plain import text
from .seen_objects import SeenObjects
from .torch_internals import batch_norm_classes, is_compiled_in_place
from .wrapping import Depth, noted_outermost, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from .observer import Observer

_WRAPPERS = ("DistributedDataParallel", "DataParallel", "OptimizedModule", "FullyShardedDataParallel")
_COMPILED = "OptimizedModule"


class NetworkRecord:
    """What is kept of a network."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.zero_grad = LastSite()
        self.defined = False


class Networks:
    """Defines those that are trained."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self.seen: SeenObjects[NetworkRecord] = SeenObjects(lambda _: NetworkRecord(observer.new_number()))
        self._known_parameters: set[int] = set()
        observer.at_fork(self._forget)

    def install(self, torch: Any) -> None:
        """Listen to `train` and `eval`, which calls it, of the outermost module each."""
        if self._observer.settings.calls != "off":
            make = noted_outermost(self._observer, "train", Depth(), self._put_into_mode)
            replace(torch.nn.Module, "train", make)

    def number_of(self, network: Any) -> int:
        """Its number in the trace."""
        return self.seen.of(network).number

    def knows_what_it_moves(self, optimizer: Any) -> bool:
        """Whether the parameters of an optimizer are those of a network that was defined."""
        first = next((tensor for group in optimizer.param_groups for tensor in group["params"]), None)
        return first is None or id(first) in self._known_parameters

    def trained(self) -> list[Any]:
        """Those that were defined and are still there."""
        return [network for network, record in self.seen.alive() if record.defined]

    def found(self, modules: list[Any], optimizers: list[Any], frame: FrameType | None) -> None:
        """Define those of the outermost modules that have a parameter which an optimizer moves."""
        moved = {id(tensor) for each in optimizers for group in each.param_groups for tensor in group["params"]}
        inner = {id(child) for module in modules for child in _children(module)}
        for module in modules:
            if id(module) in inner:
                continue
            parameters = _parameters(module)
            if any(id(parameter) in moved for parameter in parameters):
                self._known_parameters.update(map(id, parameters))
                self._define(module, parameters, moved, frame)

    def _forget(self) -> None:
        self.seen.clear()
        self._known_parameters.clear()

    def _put_into_mode(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        network, mode = args[0], args[1] if len(args) > 1 else kwargs.get("mode", True)
        site = self._sites.of_call("train", frame, self.number_of(network), network)
        self._writer.call(site, begin, end, 1.0 if mode else 0.0)

    def _define(self, network: Any, parameters: list[Any], moved: set[int], frame: FrameType | None) -> None:
        record = self.seen.of(network)
        if record.defined:
            return
        record.defined = True
        torch = self._observer.torch
        trainable = [parameter for parameter in parameters if parameter.requires_grad]
        device = parameters[0].device
        modules = list(network.modules())
        own, compiled = unwrapped(network)
        self._writer.define(
            "model",
            id=record.number,
            class_name=text(type(own).__name__, 200),
            name=name_around(network, frame) or name_around(own, frame),
            parameters=sum(parameter.numel() for parameter in parameters),
            trainable=sum(parameter.numel() for parameter in trainable),
            in_optimizer=sum(parameter.numel() for parameter in trainable if id(parameter) in moved),
            device=str(device),
            dtype=str(parameters[0].dtype).replace("torch.", ""),
            modules=len(modules),
            mode_matters=any(mode_matters(module, torch) for module in modules),
            compiled=compiled,
            threads=torch.get_num_threads(),
            **_device(torch, device),
        )


def _children(module: Any) -> list[Any]:
    """Those of a module; none of one whose constructor has not run."""
    try:
        return list(module.children())
    except AttributeError:
        return []


def _parameters(module: Any) -> list[Any]:
    """Likewise."""
    try:
        return list(module.parameters())
    except AttributeError:
        return []


def unwrapped(network: Any) -> tuple[Any, bool]:
    """What a wrapper of torch's wraps, and whether it is compiled."""
    compiled = is_compiled_in_place(network)
    while type(network).__name__ in _WRAPPERS:
        compiled = compiled or type(network).__name__ == _COMPILED
        children = _children(network)
        if len(children) != 1:
            break
        network = children[0]
        compiled = compiled or is_compiled_in_place(network)
    return network, compiled


def mode_matters(module: Any, torch: Any) -> bool:
    """Whether a module by itself does something else in training mode than in evaluation mode."""
    if isinstance(module, batch_norm_classes(torch)):
        return bool(getattr(module, "track_running_stats", True))
    kind = type(module).__name__
    if "Drop" in kind:
        share = getattr(module, "p", None) or getattr(module, "drop_prob", None) or 0
    elif isinstance(module, (torch.nn.MultiheadAttention, torch.nn.RNNBase)):
        share = module.dropout
    else:
        return False
    return type(share) in (int, float) and share > 0


def _device(torch: Any, device: Any) -> dict[str, object]:
    """Which device it is, without waking it: the program computes on it already."""
    if device.type != "cuda":
        return {"device_name": ""}
    properties = torch.cuda.get_device_properties(device)
    return {"device_name": text(properties.name, 200), "device_uuid": text(str(getattr(properties, "uuid", "")), 100)}
