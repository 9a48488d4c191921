"""The app in a browser: on the loopback, behind a secret, with keys answered; and what outlives a page."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pyte
import pytest
from click.testing import Result

from tests.browser import CHROMIUM, browser
from tests.cli.conftest import SMALL
from tests.scripted import scripted_run
from tests.waiting import PATIENCE_S, until
from tui_trainer.commands import Stop
from tui_trainer.hosts import replay
from tui_trainer.runs.inbox import send
from tui_trainer.runs.lock import is_live
from tui_trainer.runs.record import Record


@pytest.fixture
def run(runs: Path) -> str:
    """A finished run."""
    record = Record.create(runs, {"preset_name": "steplr"})
    for event in scripted_run():
        record.emit(event)
    record.close()
    return record.id


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[str]:
    """`serve`, at the address that it says; ends it with ctrl+c and sees that it has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui_trainer", "serve", *arguments, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    try:
        yield (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode().strip()
    finally:
        os.killpg(process.pid, signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


class Page:
    """What a browser does, without one: bytes to a screen, keys to a socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, columns: int, lines: int) -> None:
        self._socket = socket
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    async def until(self, holds: str | Callable[[str], bool]) -> str:
        condition = (lambda text: holds in text) if isinstance(holds, str) else holds
        while not condition(self.text):
            try:
                message = await asyncio.wait_for(self._socket.receive_bytes(), PATIENCE_S)
            except (TypeError, TimeoutError) as error:
                raise AssertionError(f"waited for {holds} and saw\n{self.text}") from error
            self._stream.feed(message)
        return self.text

    async def press(self, keys: str) -> None:
        await self._socket.send_json(["stdin", keys])

    async def resize(self, columns: int, lines: int) -> None:
        self._screen.resize(lines, columns)
        await self._socket.send_json(["resize", {"width": columns, "height": lines}])

    async def until_closed(self) -> None:
        while (await asyncio.wait_for(self._socket.receive(), PATIENCE_S)).type is aiohttp.WSMsgType.BINARY:
            pass


@asynccontextmanager
async def page(address: str, columns: int = 140, lines: int = 40) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        async with session.get(address) as answer:
            socket = re.search(r'data-session-websocket-url="([^"]+)"', await answer.text())
        assert socket is not None
        async with session.ws_connect(f"{socket[1]}?width={columns}&height={lines}") as opened:
            yield Page(opened, columns, lines)


async def test_a_page_shows_the_screen_and_answers_keys_and_follows_its_size(run: str) -> None:
    async with serving("--", "attach", run, "--readonly") as address, page(address) as shown:
        await shown.until(lambda text: "best val accuracy" in text and "loss.backward()" in text)
        await shown.press("?")
        await shown.until("esc closes")
        await shown.press("\x1b")
        await shown.until(lambda text: "esc closes" not in text)
        await shown.resize(80, 24)
        await shown.until(lambda text: "›" in text and "q leave" in text.splitlines()[-1])
        await shown.press("q")
        await shown.until_closed()


async def test_a_closed_page_ends_no_run(runs: Path) -> None:
    async with serving("--", "launch", "--preset", "steplr", *SMALL, "--epochs", "4000") as address:
        async with page(address) as shown:
            await shown.until("● training")
        (folder,) = runs.iterdir()
    try:
        steps = replay(folder).steps
        until(lambda: replay(folder).steps > steps)
        assert is_live(folder)
    finally:
        send(folder, Stop(by="test"))
    until(lambda: not is_live(folder))


async def test_ctrl_c_closes_open_pages(run: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with serving("--", "attach", run) as address:
            opened = await session.ws_connect(f"{address}ws?width=80&height=24")
            assert (await asyncio.wait_for(opened.receive(), PATIENCE_S)).type is aiohttp.WSMsgType.BINARY
        while (await asyncio.wait_for(opened.receive(), PATIENCE_S)).type is aiohttp.WSMsgType.BINARY:
            pass
        assert opened.closed


async def test_what_is_wrong_is_read_in_the_page(run: str) -> None:
    async with serving("--", "attach", "nonsense") as address, page(address) as shown:
        await shown.until(lambda text: "there is no run 'nonsense'" in text and "(press a key)" in text)
        await shown.press("x")
        await shown.until_closed()


async def test_only_who_knows_the_secret_gets_in(run: str) -> None:
    async with serving("--", "attach") as address, aiohttp.ClientSession() as session:
        root, secret = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/([\w-]{20,})/", address).groups()  # type: ignore[union-attr]
        for path in ("/", "/ws", "/static/", f"/{secret[:-1]}/", f"/{secret[:-1]}/ws"):
            async with session.get(root + path) as answer:
                assert answer.status == 404
        async with session.get(address) as answer:
            assert answer.status == 200
            assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
async def test_a_real_browser_shows_it_and_asks_no_other_host(run: str, tmp_path: Path) -> None:
    async with serving("--", "attach", run, "--readonly") as address, browser(tmp_path / "browser") as window:
        await window.open(address)
        await window.until("document.body && document.body.classList.contains('-first-byte')")
        before = await window.shoot()
        await window.until("document.activeElement.className == 'xterm-helper-textarea'")
        await window.press("?")
        while await window.shoot() == before:
            pass
        assert all(asked.startswith(address) for asked in window.asked if not asked.startswith("data:"))
        await window.press("q")  # the help
        await window.press("q")
        await window.until("document.body.classList.contains('-closed')")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0"), "serve does that only with --expose"),
        (("--host", "192.0.2.1"), "serve does that only with --expose"),
        (("--host", "192.0.2.1", "--expose"), "cannot listen on 192.0.2.1"),
        (("--", "runs"), "runs has no screen to show; serve takes launch, attach or compare"),
        (("--", "launch", "--epochs", "none"), "'none' is not a valid integer"),
        (("--port", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(
    cli: Callable[..., Result], arguments: tuple[str, ...], said: str
) -> None:
    done = cli("serve", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_other_machines_are_let_in_with_a_warning_only(cli: Callable[..., Result]) -> None:
    assert "warning: other machines can reach this" in cli("serve", "--host", "192.0.2.1", "--expose").stderr


def test_a_port_that_is_taken_is_named(cli: Callable[..., Result]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = cli("serve", "--port", str(port))
    assert done.exit_code == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr


def test_without_the_package_a_sentence_says_what_to_install() -> None:
    script = "import sys; sys.modules['textual_serve'] = None; from tui_trainer.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script, "serve"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "serve needs textual-serve: pip install 'tui-trainer[serve]'\n"
