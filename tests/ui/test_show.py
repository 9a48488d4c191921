"""What is said where the screen ends otherwise than by a person."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, Self

import pytest

from tui_trainer.ui import show
from tui_trainer.ui.terminal.terminal import hung_up


class Drawn:
    """A terminal that an app draws on."""

    is_gone, failure = False, None

    def __init__(self, *_: object, **__: object) -> None:
        self.app: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def fail(self, error: BaseException) -> None:
        self.failure = self.app.failure = error


def ended(monkeypatch: pytest.MonkeyPatch, run: Any) -> int:
    """The exit code of a screen that ends so."""

    def app(terminal: Drawn) -> Any:
        leaving, context = SimpleNamespace(told=None, unheeded=()), SimpleNamespace(on_detach=None)
        terminal.app = SimpleNamespace(run=run, failure=None, leaving=leaving, detached=False, context=context)
        return terminal.app

    monkeypatch.setattr(show, "Terminal", Drawn)
    return show.show(app)  # type: ignore[arg-type]


@pytest.mark.says("screen.broke", "screen.ended_by_itself")
def test_a_screen_that_ends_by_itself_is_said_to_have_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, lambda mouse: None) == 1
    assert capsys.readouterr().err == "the screen broke: ScreenEnded: it ended by itself\n"


@pytest.mark.says("screen.broke")
@pytest.mark.never_says("screen.ended_by_itself", "screen.hung_up")
def test_an_error_is_told_as_what_broke_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(mouse: bool) -> None:
        raise ValueError("of ours")

    assert ended(monkeypatch, run) == 1
    assert capsys.readouterr().err == "the screen broke: ValueError: of ours\n"


@pytest.mark.never_says("screen.broke", "screen.ended_by_itself")
def test_of_one_that_a_person_left_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, lambda mouse: 0) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.says("screen.hung_up")
def test_the_log_is_told_when_the_terminal_went() -> None:
    assert re.fullmatch(r"[-0-9]{10} [:0-9]{8} the terminal is gone, and the screen with it", hung_up())
