"""`tui-trainer`, with a screen that breaks in a way nobody foresaw: `python -m tests.cli.broken_screen HOW COMMAND...`.

HOW is what breaks as an `x` is typed (for `end`, `input` and `writer`).
"""

from __future__ import annotations

import sys
from typing import NoReturn

from textual import events
from textual.message import Message

from tui_trainer.cli import main
from tui_trainer.ui.terminal.driver import TerminalDriver
from tui_trainer.ui.terminal.terminal import ThrottledWriter


def fail(*_: object) -> NoReturn:
    raise RuntimeError("broken on purpose")


def break_input(driver: TerminalDriver, message: Message) -> None:
    fail()


def break_writer(driver: TerminalDriver, message: Message) -> None:
    ThrottledWriter._write = fail  # type: ignore[method-assign]


def break_loop(driver: TerminalDriver, message: Message) -> None:
    driver._app.call_later(fail)


def end(driver: TerminalDriver, message: Message) -> None:
    driver._app.call_later(driver._app.panic, "panic on purpose")


BREAKING = {"input": break_input, "writer": break_writer, "app": break_loop, "end": end}


def install(how: str) -> None:
    handed_on = TerminalDriver.process_message

    def process(driver: TerminalDriver, message: Message) -> None:
        if isinstance(message, events.Key) and message.character == "x":
            BREAKING[how](driver, message)
        else:
            handed_on(driver, message)

    TerminalDriver.process_message = process  # type: ignore[method-assign]


if __name__ == "__main__":
    install(sys.argv.pop(1))
    main()
