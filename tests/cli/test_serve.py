"""The app in a browser: on the loopback, behind a secret, with keys answered; and what outlives a page."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import psutil
import pyte
import pytest
from click.testing import Result

from tests.browser import CHROMIUM, browser
from tests.cli.conftest import SMALL
from tests.processes import started_by
from tests.scripted_record import over
from tests.waiting import PATIENCE_S, until
from tui_trainer.commands import Stop
from tui_trainer.records.errors import RunsError
from tui_trainer.records.inbox import send
from tui_trainer.records.lock import is_live, writer
from tui_trainer.records.run_index import folders
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

FEW = 3


@pytest.fixture
def run(runs: Path) -> str:
    """A finished run."""
    return over(runs)


FEW_PAGES = f"import sys; from tui_trainer.cli import main, serve; serve.MOST_PAGES = {FEW}; main()"
"""In the place of the program: with less room than there is."""


@asynccontextmanager
async def serving(*arguments: str, program: Sequence[str] = ("-m", "tui_trainer")) -> AsyncIterator[str]:
    """`serve`, at the address that it says; ends it with ctrl+c and sees that it has ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *program, "serve", *arguments, stdout=subprocess.PIPE, start_new_session=True
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


@pytest.fixture
def nothing_left(runs: Path) -> Iterator[None]:
    """Whatever happens, nothing trains on after the test."""
    yield
    for folder in folders(runs):
        with suppress(RunsError):
            send(folder, Stop(by="test"))
        until(lambda folder=folder: not is_live(folder))  # type: ignore[misc]


@pytest.mark.usefixtures("nothing_left")
async def test_a_page_opened_again_shows_what_the_one_before_began_and_begins_nothing_new(runs: Path) -> None:
    command = ("--runs-dir", str(runs), "--preset", "steplr", *SMALL, "--epochs", "4000")
    async with serving("--", "launch", *command) as address:
        async with page(address) as shown:
            await shown.until("● training")
        (folder,) = folders(runs)
        first = replay(folder).steps
        async with page(address) as again:
            await again.until("● training")
            assert folders(runs) == [folder]
            until(lambda: replay(folder).steps > first)
            await again.press(" ")  # it takes commands as the first one did
            await again.until("paused")
        send(folder, Stop(by="test"))
        until(lambda: not is_live(folder))
        async with page(address) as third:  # nothing trains any more: the command is run
            await third.until("● training")
            assert len(folders(runs)) == 2


@pytest.mark.usefixtures("nothing_left")
async def test_what_another_serve_began_is_not_taken_for_ones_own_and_goes_on_without_its_page(runs: Path) -> None:
    command = ("--", "launch", "--preset", "none", *SMALL, "--epochs", "4000")
    async with serving(*command) as one, page(one) as shown:
        await shown.until("● training")
        (first,) = folders(runs)
        await shown.press(" ")  # nothing is wanted of it but that it lives
        await shown.until("paused")
        async with serving(*command) as other, page(other) as apart:
            await apart.until("● training")
            (second,) = {*folders(runs)} - {first}
    assert is_live(first)
    steps = replay(second).steps
    until(lambda: replay(second).steps > steps)
    trainer = writer(second)
    assert trainer is not None
    until(lambda: psutil.Process(trainer).name() == "tui-train")


async def test_a_page_of_another_site_is_not_let_in(run: str) -> None:
    async with serving("--", "attach", run, "--readonly") as address, aiohttp.ClientSession() as session:
        for origin in ("http://evil.example", "http://127.0.0.1:1", "null"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{address}ws?width=80&height=24", headers={"Origin": origin})
            assert refused.value.status == 403
            async with session.get(address, headers={"Origin": origin}) as answer:
                assert answer.status == 403
        own = address.rpartition("/")[0].rpartition("/")[0]
        async with session.ws_connect(f"{address}ws?width=80&height=24", headers={"Origin": own}) as opened:
            assert (await asyncio.wait_for(opened.receive(), PATIENCE_S)).type is aiohttp.WSMsgType.BINARY
        port = own.rpartition(":")[2]
        async with session.get(f"http://localhost:{port}/{address.split('/')[3]}/") as answer:
            assert f'"ws://localhost:{port}/' in await answer.text()  # the page asks the host that it came from


async def test_no_more_pages_are_opened_than_there_is_room_for(run: str) -> None:
    """Of a run that is not there, which each page says and is left with."""
    fewer = serving("--", "attach", "nonsense", program=("-c", FEW_PAGES))
    async with fewer as address, aiohttp.ClientSession() as session:
        where = f"{address}ws?width=80&height=24"
        opened = [await session.ws_connect(where) for _ in range(FEW)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(where)
        assert refused.value.status == 503
        async with session.get(address) as answer:
            assert answer.status == 503
            assert f"{FEW} pages are open already" in await answer.text()
        await opened.pop().close()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with session.get(address) as answer:
                    if answer.status == 200:
                        break
        for each in opened:
            await each.close()


def test_a_page_that_does_not_read_holds_no_process(runs: Path) -> None:
    """Of what is shown nothing is taken; that the page is closed is heard."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tui_trainer.cli.browser_terminal", str(runs), "presets", "list", "--help"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "80", "ROWS": "24"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        deaf = os.open(f"/proc/{process.pid}/fd/1", os.O_WRONLY | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while True:
                os.write(deaf, b"x" * 4096)  # the pipe is full from the start
        os.close(deaf)
        closed = b'{"type": "quit"}'
        process.stdin.write(b"M" + len(closed).to_bytes(4, "big") + closed)
        process.stdin.flush()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.communicate()


async def test_processes_are_named_after_what_they_do(run: str) -> None:
    async with serving("--", "attach", run, "--readonly") as address, page(address) as shown:
        await shown.until("best val accuracy")
        for name in ("tui-serve", "tui-page"):
            assert started_by(os.getpid(), lambda process, name=name: process.name() == name)  # type: ignore[misc]


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
        (("--host", "0.0.0.0"), "serve listens there only with --expose"),
        (("--host", "192.0.2.1"), "serve listens there only with --expose"),
        (("--host", "192.0.2.1", "--expose"), "cannot listen on 192.0.2.1"),
        (("--", "runs"), "serve shows launch, attach or compare; runs is none of them"),
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
    assert "warning: other machines may reach this" in cli("serve", "--host", "192.0.2.1", "--expose").stderr


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
