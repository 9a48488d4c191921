"""Who this process is: what its trace begins with."""

from __future__ import annotations

import os
import sys
import time

from .plain import is_secret, plain, text
from .python_internals import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOLD = ("CUDA_", "OMP_", "NCCL_", "MKL_", "TORCH", "PYTORCH_", "GLOO_", "SLURM_")
_TOLD_WHOLE = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")


MOST_NAMESPACES = 8


class Process:
    """What is known of it before it trains, and what it is as it begins to."""

    def __init__(self) -> None:
        self._arguments: dict[str, object] = {}
        self._namespaces: list[ref[Any]] = []
        """Those that argparse has made, the latest ones: a program may change what stands in them before it trains."""
        self.trains_alone = True
        """Whether no other ranks train with it, as far as was known as it began to train."""

    def parsed(self, namespace: Any) -> None:
        """Its argparse came to this."""
        self._arguments.update(plain(vars(namespace)))
        try:
            self._namespaces = [*self._namespaces[-MOST_NAMESPACES:], ref(namespace)]
        except TypeError:  # one of its own, which takes no such reference
            pass

    def arguments_now(self, names: tuple[str, ...]) -> list[tuple[str, object, object]]:
        """Each of these arguments, as it was as the training began, and now."""
        live = [vars(namespace) for made in self._namespaces if (namespace := made()) is not None]
        return [(name, self._arguments.get(name), held[name]) for held in live for name in names if name in held]

    def hello(self, torch: Any) -> dict[str, object]:
        """`trace.Hello`, as plain values."""
        rank, world_size = _rank(torch)
        self.trains_alone = (world_size or 1) == 1
        for made in self._namespaces:
            if (namespace := made()) is not None:
                self._arguments.update(plain(vars(namespace)))
        environment = dict(os.environ)
        main = sys.modules.get("__main__")
        script = getattr(main, "__file__", None)
        argv = getattr(sys, "orig_argv", None) or sys.argv
        return {
            "pid": os.getpid(),
            "parent": os.getppid(),
            "argv": [text(str(argument)) for argument in argv[:1000]],
            "cwd": text(_cwd()),
            "script": text(os.path.abspath(script)) if isinstance(script, str) else "",
            "python": ".".join(map(str, sys.version_info[:3])),
            "torch": text(str(torch.__version__)),
            "clock": time.perf_counter(),
            "at": time.time(),
            "rank": rank,
            "local_rank": _number(environment.get("LOCAL_RANK")),
            "world_size": world_size,
            "group": _group(environment) if (world_size or 1) > 1 else "",
            "environment": {
                text(name, 200): text(value, 500)
                for name, value in environment.items()
                if (name.startswith(_TOLD) or name in _TOLD_WHOLE) and not is_secret(name)
            },
            "arguments": self._arguments,
        }


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() else None


def _rank(torch: Any) -> tuple[int | None, int | None]:
    """The rank and the number of ranks: of the process group, else of the environment."""
    distributed = getattr(torch, "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return _number(os.environ.get("RANK")), _number(os.environ.get("WORLD_SIZE"))


def _group(environment: dict[str, str]) -> str:
    """Where the ranks of a run meet, which no other run at that time does."""
    met = [environment.get(name, "") for name in ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID")]
    return text(":".join(met)) if any(met) else f"parent:{os.getppid()}"


def uncaught() -> str:
    """The class of the error that ends the interpreter. A shell of IPython's goes on after one."""
    kind = getattr(sys, "last_type", None)
    return text(kind.__name__, 200) if isinstance(kind, type) and "IPython" not in sys.modules else ""
