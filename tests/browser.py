"""A real browser without a window, driven through its debugging port."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.waiting import PATIENCE_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""Where one is, if there is one."""


class Page:
    """A page of the browser.

    Attributes:
        asked: all addresses that were asked for.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.asked: list[str] = []

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol, and its answer."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json(timeout=PATIENCE_S)
            if answer.get("method") == "Network.requestWillBeSent":
                self.asked.append(answer["params"]["request"]["url"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    async def open(self, url: str) -> None:
        await self.do("Network.enable")
        await self.do("Page.enable")
        await self.do("Page.navigate", url=url)

    async def press(self, key: str) -> None:
        """A character."""
        await self.do("Input.dispatchKeyEvent", type="keyDown", text=key, key=key)
        await self.do("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def until(self, expression: str) -> None:
        """Wait for JavaScript to hold."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            answer = await self.do("Runtime.evaluate", expression=f"!!({expression})", returnByValue=True)
            if answer["result"].get("value"):
                return
            assert asyncio.get_running_loop().time() < deadline, f"waited for {expression}"
            await asyncio.sleep(0.1)

    async def shoot(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode((await self.do("Page.captureScreenshot", format="png"))["data"])


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """A browser whose files are in `folder`, with one page."""
    assert CHROMIUM is not None
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,800"]
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *options,
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = folder / "DevToolsActivePort"
        while not (port.exists() and port.read_text().count("\n")):
            assert process.returncode is None, "the browser did not start"
            await asyncio.sleep(0.1)
        address = f"http://127.0.0.1:{port.read_text().splitlines()[0]}/json/list"
        async with aiohttp.ClientSession() as session:
            while not (pages := [page for page in await _json(session, address) if page["type"] == "page"]):
                await asyncio.sleep(0.1)
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _json(session: aiohttp.ClientSession, address: str) -> Any:
    async with session.get(address) as answer:
        return await answer.json()
