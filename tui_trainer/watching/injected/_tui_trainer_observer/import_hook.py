"""Runs something of ours right after the program has imported a module."""

from __future__ import annotations

import sys

from .guard import Guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    AfterImport = Callable[[str, Any], None]
    """Takes the module's name, and the module."""


class _Finder:
    """Stands first on `sys.meta_path`, finds nothing itself, and has the loaders of some modules call us when done."""

    def __init__(self, guard: Guard, names: Sequence[str], after: AfterImport) -> None:
        self._guard = guard
        self._names = set(names)
        self._after = after

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that the finders behind this one come to, for the modules that are waited for; else None."""
        if name not in self._names:
            return None
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec = find_spec(name, path, target)
            if spec is not None:
                self._call_after(spec)
                return spec  # type: ignore[no-any-return]
        return None

    def _call_after(self, spec: ModuleSpec) -> None:
        """The loader stays the same object and is as it was once the module is there."""
        loader: Any = spec.loader
        try:
            exec_module = loader.exec_module

            def exec_and_call(module: ModuleType) -> None:
                del loader.exec_module
                exec_module(module)
                try:
                    if module.__name__ in self._names:
                        self._names.discard(module.__name__)
                        self._after(module.__name__, sys.modules.get(module.__name__, module))
                except Exception as error:
                    self._guard.failed("import of " + module.__name__, error)

            loader.exec_module = exec_and_call
        except Exception as error:
            self._guard.failed("import of " + spec.name, error)


def begin(guard: Guard, names: Sequence[str], after: AfterImport) -> None:
    """Call `after` with each of these modules, once it has been imported."""
    sys.meta_path.insert(0, _Finder(guard, names, after))
