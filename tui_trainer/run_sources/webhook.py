"""Events posted to an address as JSON: `--webhook`.

To hosts that take a form of their own (`FORMS`), that; to all others an object:

| key | holds |
| --- | --- |
| `form` | 1: the version of this table |
| `event`, `text`, `rule` | as `TUI_TRAINER_EVENT`, `_TEXT` and `_RULE` of `run_sources/notifier.py` |
| `run`, `host` | the run's id, and the machine that trains it |
| `status`, `step`, `epoch` | as in the environment of a command; the latter are numbers |
| `exit_code` | at the end a number, null before |

The address lets in whoever knows it: it is in no record, no log and no sentence of ours. Over the net it is https
alone, and a redirect is not followed.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui_trainer.errors import UserError
from tui_trainer.files.safe_open import open_regular
from tui_trainer.run_sources.notifier import Outbox, Webhook
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

TIMEOUT_S = 5.0
"""For each part of an answer that is waited for."""

LONGEST_ADDRESS = 2048
"""Characters, as browsers have it."""

LONGEST_IN_A_CHAT = 1900
"""Characters; Discord takes 2,000."""


class BadAddress(UserError):
    """It is no address to post to, or not to be had; `str()` says why, without it."""


def checked_address(text: str) -> str:
    """The address that a text is.

    Raises:
        BadAddress: it is none that events are posted to.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_ADDRESS or not re.fullmatch(r"[!-~]+", text):
        raise BadAddress(f"it is no address: one line of at most {LONGEST_ADDRESS:,} plain characters without blanks")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadAddress("it is no address: its host or its port cannot be") from None
    if not host or parts.scheme not in ("http", "https"):
        raise BadAddress("it is no address of the web: one that begins with https:// is right")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("it names a user: an address without one is right")
    if parts.scheme == "http" and not _is_loopback(host):
        raise BadAddress("it is http, which others can read on its way; https:// is right")
    return text


def address_in(file: Path) -> str:
    """The address that stands in a file which its owner alone may read.

    Raises:
        BadAddress: there is none, or others may read it too.
    """
    try:
        fd = open_regular(file, most=2 * LONGEST_ADDRESS)
        try:
            about = os.fstat(fd)
            content = os.read(fd, 2 * LONGEST_ADDRESS)
        finally:
            os.close(fd)
    except (OSError, ValueError) as error:
        raise BadAddress(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if about.st_uid != os.getuid():
        raise BadAddress("belongs to another user")
    if stat.S_IMODE(about.st_mode) & 0o077:
        raise BadAddress("can be read by others; `chmod 600` keeps it to you")
    return checked_address(content.decode("ascii", "replace"))


class WebhookPoster(Outbox):
    """Posts each event.

    Args:
        webhook: where to.
        failed: as of an `Outbox`.
        timeout_s: seconds for each part of an answer.
    """

    def __init__(self, webhook: Webhook, failed: Callable[[str], None], timeout_s: float = TIMEOUT_S) -> None:
        self._host = urlsplit(webhook.address).hostname or ""
        super().__init__(f"--webhook: {plain(self._host)}", webhook.on, failed, timeout_s)
        self._address = webhook.address
        self._timeout_s = timeout_s

    def trouble(self, error: Exception) -> str:
        """Never in the error's own words, which may hold the address, but for the system's."""
        from http.client import HTTPException  # with what posts it

        if isinstance(reason := getattr(error, "reason", None), Exception):
            error = reason
        if isinstance(error, TimeoutError):
            return say("notify.no_answer", seconds=f"{self._timeout_s:g}")
        if isinstance(error, (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)):
            return say("notify.broken_off")
        if isinstance(error, HTTPException):
            return say("notify.no_http")
        if isinstance(error, OSError) and error.errno is not None and error.strerror:
            return say("notify.unreachable", why=plain(error.strerror)[:100])
        return say("notify.unreachable", why=type(error).__name__)

    def deliver(self, facts: Mapping[str, str]) -> None:
        """Post it; what is answered is not read."""
        import urllib.error
        import urllib.request  # few runs have such an address, and a start waits for all that is imported

        class Unfollowed(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        around = [urllib.request.ProxyHandler({})] if _is_loopback(self._host) else []
        body = json.dumps(payload(self._host, facts)).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "tui-trainer"}
        request = urllib.request.Request(self._address, body, headers, method="POST")
        try:
            urllib.request.build_opener(Unfollowed, *around).open(request, timeout=self._timeout_s).close()
        except urllib.error.HTTPError as answer:
            answer.close()
            is_redirect = 300 <= answer.code < 400
            self.say(say("notify.redirected" if is_redirect else "notify.answered", code=answer.code))


def payload(host: str, facts: Mapping[str, str]) -> dict[str, Any]:
    """What is posted to a host."""
    told = {name.lower(): plain(value) for name, value in facts.items()}
    form = FORMS.get(host.casefold())
    if form is not None:
        return form(f"{told.get('run') or 'tui-trainer'}: {told['text']}")
    numbers = {name: int(told[name]) if told.get(name) else None for name in ("step", "epoch", "exit_code")}
    words = {name: told.get(name, "") for name in ("event", "text", "rule", "run", "status")}
    return {"form": 1, **words, "host": socket.gethostname(), **numbers}


def _slack(text: str) -> dict[str, Any]:
    """Slack's incoming webhooks: three characters are written otherwise, or they would be taken for links and names."""
    escaped = text[:LONGEST_IN_A_CHAT].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": escaped, "mrkdwn": False}


def _discord(text: str) -> dict[str, Any]:
    """Discord's webhooks: text as text, which names nobody."""
    escaped = re.sub(r"([\\`*_~|<>#\[\]()-])", r"\\\1", text[: LONGEST_IN_A_CHAT // 2])
    return {"content": escaped, "allowed_mentions": {"parse": []}}


FORMS: dict[str, Callable[[str], dict[str, Any]]] = {
    "hooks.slack.com": _slack,
    "hooks.slack-gov.com": _slack,
    "discord.com": _discord,
    "discordapp.com": _discord,
    "ptb.discord.com": _discord,
    "canary.discord.com": _discord,
}
"""By host."""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"
