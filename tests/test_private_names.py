"""What other libraries keep to themselves and this program uses: a version of theirs without it fails here.

Each stands in one file of this program, and in no other.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.widgets import Static
from torch.optim import lr_scheduler

import tui_trainer

PACKAGE = Path(tui_trainer.__file__).parent

ADAPTERS = {
    "ui/terminal/textual_internals.py": "textual",
    "engine/torch_internals.py": "torch",
    "plotting/figure.py": "plotext",
    "watching/injected/sitecustomize.py": "Python",
    "watching/injected/_tui_trainer_observer/torch_internals.py": "torch",
    "watching/injected/_tui_trainer_observer/python_internals.py": "Python",
}
"""The files that may know private names, and whose."""

DOCUMENTED = {"_asdict", "_exit", "_replace"}
"""Names that only look private: of `os`, and of named tuples."""


def source_tree(held: Any) -> ast.stmt:
    """The definition of a function or a class."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(held))).body
    return tree


# Textual


def assigned_in(function: object) -> set[str]:
    """What a function assigns to attributes of `self`."""
    body = source_tree(function)
    return {
        node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr.startswith("_")
    }


def called_in(function: object) -> set[str]:
    """Names of methods that a function calls or hands on."""
    body = source_tree(function)
    return {node.attr for node in ast.walk(body) if isinstance(node, ast.Attribute)}


def test_textuals_driver_holds_what_ours_reads_and_changes() -> None:
    held = assigned_in(Driver.__init__) | assigned_in(LinuxDriver.__init__)
    assert held >= {"_app", "_auto_restart", "_debug", "_file", "_in_band_window_resize", "_loop", "_writer_thread"}
    assert "_file" in called_in(LinuxDriver.start_application_mode), "what it writes to is what we gave it"
    assert "_writer_thread" in assigned_in(LinuxDriver.start_application_mode)


def test_textuals_driver_calls_what_ours_replaces() -> None:
    assert list(inspect.signature(LinuxDriver._get_terminal_size).parameters) == ["self"]
    assert list(inspect.signature(LinuxDriver._run_input_thread).parameters) == ["self"]
    assert {"_get_terminal_size", "_run_input_thread"} <= called_in(LinuxDriver.start_application_mode)


async def test_textuals_parser_makes_messages_of_text_and_can_be_begun_anew() -> None:
    from textual import events
    from textual._xterm_parser import XTermParser

    parser = XTermParser(False)
    messages = [*parser.feed("a"), *parser.tick()]
    assert [message.key for message in messages if isinstance(message, events.Key)] == ["a"]
    assert parser.mouse_pixels is False
    assert parser.terminal_size is None
    assert parser.terminal_pixel_size is None


async def test_textuals_app_holds_the_error_that_ended_it() -> None:
    class Fails(App[None]):
        def on_mount(self) -> None:
            raise LookupError("this one")

    app = Fails()
    assert app._exception is None
    with pytest.raises(LookupError):
        async with app.run_test():
            pass
    assert isinstance(app._exception, LookupError)


async def test_textuals_screens_give_the_lines_of_all_that_is_on_them() -> None:
    class Says(App[None]):
        def compose(self) -> ComposeResult:
            yield Static("what stands here")

    app = Says()
    async with app.run_test(size=(20, 3)):
        assert [strip.text.rstrip() for strip in app.screen._compositor.render_strips()] == ["what stands here", "", ""]


# torch


@pytest.mark.parametrize("name", ["StepLR", "MultiStepLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR"])
def test_torchs_closed_form_is_a_list_of_one_lr_a_group(name: str) -> None:
    options = {"StepLR": {"step_size": 2}, "MultiStepLR": {"milestones": [2]}, "CosineAnnealingLR": {"T_max": 9}}
    options["ExponentialLR"] = {"gamma": 0.9}
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = getattr(lr_scheduler, name)(optimizer, **options.get(name, {}))
    scheduler.last_epoch = 3
    (lr,) = scheduler._get_closed_form_lr()
    for _ in range(3):
        optimizer.step()
    scheduler.last_epoch = 0
    for _ in range(3):
        scheduler.step()
    assert lr == pytest.approx(scheduler.get_last_lr()[0], rel=1e-12)


def test_torchs_schedulers_take_an_optimizer_for_one_that_has_stepped(recwarn: pytest.WarningsRecorder) -> None:
    def step_first(*, marked: bool) -> list[str]:
        recwarn.clear()
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        scheduler = lr_scheduler.StepLR(optimizer, 1)
        if marked:
            optimizer._opt_called = True  # type: ignore[attr-defined]
        scheduler.step()
        return [str(warning.message) for warning in recwarn.list]

    assert any("optimizer.step()" in words for words in step_first(marked=False))
    assert step_first(marked=True) == []


def test_torchs_compiler_has_its_errors_where_they_are_looked_for() -> None:
    from torch._dynamo.exc import TorchDynamoException

    assert TorchDynamoException.__module__.startswith("torch._dynamo")
    assert import_module("torch._inductor.exc").InductorError.__module__.startswith("torch._inductor")


# plotext


def test_plotexts_signals_take_points_one_by_one() -> None:
    import plotext

    figure = plotext.figure
    public = figure.signal([0.5, 2.5], [0.5, 1.5], marker="braille")
    dot = public.get(0).marker()
    ours = type(public)(2)._set_xside(public._get_xside())._set_yside(public._get_yside())
    assert (ours._get_xside(), ours._get_yside()) == (public._get_xside(), public._get_yside())
    assert callable(ours._get_unique_pixels)
    for x, y in ((0.5, 0.5), (2.5, 1.5)):
        ours._append_point(x, y, dot)
    ours._set_connected(1)
    assert ours._is_connected(1)
    assert [(point.x(), point.y()) for point in ours] == [(point.x(), point.y()) for point in public]


# textual-serve


def test_textual_serve_answers_the_same_paths_as_ours() -> None:
    pytest.importorskip("textual_serve")
    import asyncio

    from aiohttp import web
    from textual_serve.server import Server

    from tui_trainer.cli.textual_serve_app import web_app

    def routes(app: web.Application) -> set[tuple[str, str]]:
        named = app.router.named_resources()
        return {(name, resource.canonical) for name, resource in named.items()}

    server = Server("true")
    assert routes(web_app(server)) == routes(asyncio.run(server._make_app()))


# And no other file


def files() -> list[str]:
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def sources() -> Iterator[tuple[str, ast.Module]]:
    """All files but the adapters, parsed."""
    for file in files():
        if file not in ADAPTERS:
            yield file, ast.parse((PACKAGE / file).read_text())


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_no_other_file_uses_a_private_name() -> None:
    """But for those that this program gives itself: of functions, classes, attributes and variables."""
    own = set(DOCUMENTED)
    used: list[tuple[str, str]] = []
    for file, tree in sources():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    own.add(name)
                case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                    own.add(name)
                case ast.Attribute(attr=name):
                    used.append((f"{file}:{node.lineno}", name))
                case ast.ImportFrom(module=str(module), names=names):
                    parts = [*module.split("."), *(alias.name for alias in names)]
                    used += [(f"{file}:{node.lineno}", part) for part in parts]
                case ast.Import(names=names):
                    used += [(f"{file}:{node.lineno}", part) for alias in names for part in alias.name.split(".")]
    assert [(where, name) for where, name in used if is_private(name) and name not in own] == []


THEIRS = ("textual", "torch", "plotext", "textual_serve", "click", "pydantic")
FRAMEWORK = {"_abc_impl", "_backward_cls"}
"""What a metaclass writes into each class."""


def test_no_class_replaces_or_reads_a_private_name_of_its_base() -> None:
    """Neither a method of that name, nor `self._name` of an attribute that the base assigns."""
    shared: list[str] = []
    for file in files():
        if file in ADAPTERS or file.endswith("__main__.py") or file.startswith("integrations/"):
            continue  # what an integration is for may not be installed
        module = import_module("tui_trainer." + file.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        for name, kind in vars(module).items():
            if not inspect.isclass(kind) or kind.__module__ != module.__name__:
                continue
            bases = [base for base in kind.__mro__ if base.__module__.split(".")[0] in THEIRS]
            if not bases:
                continue
            theirs = {held for base in bases for held in vars(base)}
            theirs |= {held for base in bases for held in begun_by(base)}
            tree = source_tree(kind)
            ours = {node.attr for node in ast.walk(tree) if is_self_attribute(node)}
            ours |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            shared += [f"{file}: {name}.{held}" for held in sorted(ours & theirs - FRAMEWORK) if is_private(held)]
    assert shared == []


@cache
def begun_by(kind: type) -> set[str]:
    """Private attributes that its own `__init__` assigns."""
    begun = vars(kind).get("__init__")
    return assigned_in(begun) if inspect.isfunction(begun) else set()


def is_self_attribute(node: ast.AST) -> bool:
    """Whether it is `self.name`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
