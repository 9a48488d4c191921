"""`serve`: the app in a browser of this machine.

A page that is opened again shows what an earlier page of the same `serve` began and still trains: the processes of all
pages inherit a word from their `serve`, and who writes a record stands in its lock.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_trainer.cli.foreground import call_process
from tui_trainer.cli.options import refuse, say
from tui_trainer.compare.session import all_sessions
from tui_trainer.records.errors import RunsError
from tui_trainer.records.lock import is_live, writer
from tui_trainer.records.run_index import folders
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.text.captions import say as caption

if TYPE_CHECKING:
    from aiohttp import web
    from textual_serve.server import Server

SERVED_BY = "TUI_TRAINER_SERVED_BY"
"""The variable that tells the processes of one `serve` from those of others."""


def command_of_page(command: Sequence[str], runs: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What to run for a page: the command, or a view of what it has begun before and still trains."""
    name, session = command[0], environment.get(SERVED_BY)
    if session is None or name not in ("launch", "compare"):
        return list(command)
    where = ["--runs-dir", str(runs)]
    try:
        if (comparison := _newest(all_sessions(runs), session)) is not None:
            return ["compare", comparison.name, *where]
        if name == "launch" and (run := _newest(folders(runs), session)) is not None:
            return ["attach", run.name, *where]
    except (OSError, RunsError):
        pass  # the command says itself what is wrong with its folder
    return list(command)


def _newest(found: Sequence[Path], session: str) -> Path | None:
    began_here = [folder for folder in found if is_live(folder) and _is_served_by(folder, session)]
    return max(began_here, key=lambda folder: folder.name, default=None)


def _is_served_by(folder: Path, session: str) -> bool:
    process = writer(folder)
    if process is None:
        return False
    import psutil  # only here: it is slow to import

    try:
        return psutil.Process(process).environ().get(SERVED_BY) == session
    except psutil.Error:
        return False  # another user's, or gone


SERVED = ("launch", "attach", "compare")
"""What draws a screen."""

LOOPBACK = "127.0.0.1"

MOST_PAGES = 16
"""Pages that are open at once: each takes a process, and the memory of a screen."""

SHUTDOWN_S = 0.5
"""What open pages are given to be closed by themselves."""

_MANNERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'self' 'unsafe-inline' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
    ),
}
"""The page loads nothing from elsewhere, tells nobody its address, and stands in no other page."""


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on; default: a free one.")
@click.option("--host", default=LOOPBACK, show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option("--expose", is_flag=True, help="Allow a --host that other machines reach. Nothing is encrypted.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.pass_context
def serve(context: click.Context, port: int | None, host: str, expose: bool, command: tuple[str, ...]) -> None:
    """Show the app in a browser: `tui-trainer serve -- launch --preset onecycle`, or `-- attach RUN`.

    Each page that you open runs the command, or plain `launch` if you give none. The address holds a secret: anyone
    who knows it can do what you can do in the app. Closing a page ends no run. A page that you open while a run of an
    earlier page still trains shows that run and starts nothing new.
    """
    command = command or ("launch",)
    runs = _check(context, command)
    if not _is_loopback(host):
        if not expose:
            refuse(caption("refusal.exposes", host=host))
        say(f"warning: {caption('shell.exposed')}")
    server = _server(command, runs)
    try:
        asyncio.run(_listen(server, host, port or 0))
    except OSError as error:
        where = f"{host}, port {port}" if port else host
        why = os.strerror(error.errno) if error.errno else str(error)
        refuse(caption("refusal.cannot_listen", where=where, why=why.lower()))


def _check(context: click.Context, command: tuple[str, ...]) -> Path:
    """See now, and not in the browser, that the command can be read; the folder of its runs."""
    from tui_trainer.cli import main

    name, *arguments = command
    served = main.get_command(context, name) if name in SERVED else None
    if served is None:
        commands = f"{', '.join(SERVED[:-1])} or {SERVED[-1]}"
        refuse(caption("refusal.not_served", commands=commands, command=name))
    return runs_folder(served.make_context(name, arguments, parent=context.parent).params.get("runs_dir"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _server(command: tuple[str, ...], runs: Path) -> Server:
    try:
        from tui_trainer.cli.textual_serve_app import SameHost
    except ImportError:
        refuse(caption("refusal.no_textual_serve"))

    in_terminal = shlex.join([sys.executable, "-m", "tui_trainer.cli.browser_terminal", str(runs), *command])
    ours = f"{SERVED_BY}={secrets.token_hex(8)}"
    return SameHost(f"{ours} exec {in_terminal}", title="tui-trainer", templates_path=Path(__file__).with_name("page"))


async def _listen(server: Server, host: str, port: int) -> None:
    """Serve until ctrl+c, below a path that nobody can guess: other users and web pages reach the loopback too.

    `Server.serve` would tell the address before it listens, and wait a minute for open pages at its end.
    """
    from aiohttp import web

    from tui_trainer.cli.textual_serve_app import SCREEN, web_app

    secret = secrets.token_urlsafe(16)
    outer = web.Application(middlewares=[_doorkeeper(SCREEN)])
    outer.add_subapp(f"/{secret}", web_app(server))
    outer.on_response_prepare.append(_add_manners)
    runner = web.AppRunner(outer, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        call_process("tui-serve")
        server.public_url = _address(host, runner.addresses[0][1])
        click.echo(caption("shell.serving", address=f"{server.public_url}/{secret}/"))
        await _told_to_end()
    finally:
        await runner.cleanup()


def _doorkeeper(screen: str) -> Any:
    """Lets in no page of another site, and only so many at once: each has a process of its own, at `screen`."""
    from aiohttp import web

    is_open = 0

    @web.middleware
    async def keep(request: web.Request, handler: Any) -> Any:
        nonlocal is_open
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            raise web.HTTPForbidden(text=f"pages of {origin} are not let in here")
        opens_screen = request.path.endswith(screen)
        if (opens_screen or request.path.endswith("/")) and is_open >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{MOST_PAGES} pages are open already: close one of them")
        is_open += opens_screen
        try:
            return await handler(request)
        finally:
            is_open -= opens_screen

    return keep


async def _told_to_end() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


async def _add_manners(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_MANNERS)


def _address(host: str, port: int) -> str:
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
