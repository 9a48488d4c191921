"""What of textual-serve this program is made of: its handlers and its script, and no private name.

Its `serve` and what that calls would tell the address before it listens, and print a logo; so the routes that its page
and its script ask for stand here. `tests/test_private_names.py` looks whether it still has the same ones.
"""

from __future__ import annotations

from typing import Any

import aiohttp_jinja2
from aiohttp import web
from jinja2 import FileSystemLoader
from textual_serve.server import Server

SCREEN = "/ws"
"""Where a page has its screen from."""


class SameHost(Server):
    """Pages that ask the host that the browser came to."""

    async def handle_index(self, request: web.Request) -> Any:
        """The page, with addresses on the host that was asked for it."""
        self.public_url = f"http://{request.host}"
        return await super().handle_index(request)


def web_app(server: Server) -> web.Application:
    """What answers a browser, below whatever path it is put."""
    app = web.Application()
    aiohttp_jinja2.setup(app, loader=FileSystemLoader(server.templates_path))
    app.add_routes(
        [
            web.get("/", server.handle_index, name="index"),
            web.get(SCREEN, server.handle_websocket, name="websocket"),
            web.get("/download/{key}", server.handle_download, name="download"),
            web.static("/static", server.statics_path, show_index=True, name="static"),
        ]
    )
    return app
