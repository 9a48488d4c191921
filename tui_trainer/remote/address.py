"""`ssh://[user@]host[:port][/path]`: where another machine's files are, as a person types it."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from tui_trainer.errors import UserError
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

SCHEME = "ssh://"

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\+-]*")


class BadAddress(UserError):
    """What was given is no address that `ssh` may be given."""


class Address(NamedTuple):
    """A place on another machine."""

    host: str
    """A name, one of the user's ssh config, or a number; without brackets."""
    user: str = ""
    """Empty: whom ssh takes."""
    port: int | None = None
    path: str = ""
    """Absolute, or below the home there where it begins with `~/`; empty: the folder of runs there."""

    @classmethod
    def of(cls, text: str) -> Address:
        """The address that a person means. `%20` and the like in its path are what they stand for.

        Raises:
            BadAddress: it is none, or its host or user could be taken for an option.
        """

        def refusal(why: str) -> BadAddress:
            return BadAddress(say("remote.no_address", given=plain(text), why=why))

        place, slash, path = text.removeprefix(SCHEME).partition("/")
        user, at, rest = place.rpartition("@")
        if at and _USER.fullmatch(user) is None:
            raise refusal("its user is none that ssh may be given")
        host, colon, port = rest, "", ""
        if not rest.endswith("]"):
            host, colon, port = rest.rpartition(":") if ":" in rest else (rest, "", "")
        if _HOST.fullmatch(host) is None:
            raise refusal("its host is none that ssh may be given" if host else "it names no host")
        if colon and not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536):
            raise refusal("its port is none")
        path = unquote(path, errors="surrogateescape")
        if "\0" in path:
            raise refusal("a path holds no NUL byte")
        if slash and path:
            path = path if path == "~" or path.startswith("~/") else f"/{path}"
        return cls(host.strip("[]"), user, int(port) if colon else None, path)

    @property
    def place(self) -> str:
        """The host, as a person has named it."""
        return f"{self.user}@{self.host}" if self.user else self.host

    def at(self, path: str) -> Address:
        """Another path of the same machine."""
        return self._replace(path=path)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        at = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        path = quote(self.path, safe="/~+=,@:", errors="surrogateescape")
        return f"{SCHEME}{at}{host}{port}{'' if not path or path.startswith('/') else '/'}{path}"


def is_address(text: str) -> bool:
    """Whether a person means another machine."""
    return text.startswith(SCHEME)
