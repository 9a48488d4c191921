"""What is secret in a command line, blanked for a record: passwords, tokens, headers, and addresses that let in whoever
knows them. What holds none stays as it is, to the letter.

A secret is known by where it stands: behind an option or a key that is called so, in the part of an address that names
a person or is long and random, in a header. One that stands bare among other words looks like any of them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from tui_trainer.text.secret_hints import LONGEST, may_hold_secret

BLANK = "***"

_CALLED = (
    r"(?:token|passwd|password|passphrase|secret|credentials?|cookie|bearer|authorization|signature"
    r"|(?:api|access|private|secret|auth|account|service|routing|integration)[_.\-]?key"
    r"|(?<![A-Za-z])(?:auth|pass|sig|apikey))"
)
"""How the name of a secret ends."""

_NAME = re.compile(rf"{_CALLED}$", re.IGNORECASE)
_OPTION = re.compile(rf"--?[\w.\-]*{_CALLED}|--?(?:webhook|key|pass|auth)", re.IGNORECASE)
_USER_OPTIONS = frozenset({"-u", "--user", "-U", "--proxy-user", "-a", "--auth", "--userinfo"})
_HEADER_OPTIONS = frozenset({"-H", "--header", "--proxy-header"})
_COMMAND_OPTIONS = re.compile(r"--notify|-[a-z]{0,3}c")
_AS_IT_IS = frozenset({"--alert", "--name", "--preset"})

_KEY_AND_VALUE = re.compile(rf"(?<![\w.\-])([\w.\-]*{_CALLED})([\"']?\s*[:=]\s*[\"']?)([^&]+)", re.IGNORECASE)
_OPTION_AND_VALUE = re.compile(r"(--?[A-Za-z][\w.\-]*)=(.*)", re.DOTALL)
_HEADER = re.compile(r"\s*([\w\-]+)\s*:(.*)", re.DOTALL)
_HARMLESS_HEADERS = frozenset(
    {"accept", "content-type", "user-agent", "title", "priority", "tags", "expect", "host", "cache-control", "delay"}
)
_BEARER = re.compile(r"\b(bearer)\s+[^\s\"']+", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![\w+.\-])[A-Za-z][\w+.\-]*://[^\s\"'<>]+")
_KNOWN_FORMS = re.compile(
    r"\b(?:xox[a-z]-[\w\-]{8,}|xapp-[\w\-]{8,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w\-]{16,}|sk-[\w\-]{16,}"
    r"|hf_\w{16,}|AKIA[A-Z0-9]{12,}|eyJ[\w\-]{8,}\.[\w\-.]{8,}|\d{6,12}:[\w\-]{30,})"
)
_RANDOM = re.compile(r"(?=[^\s/]*[0-9])(?=[^\s/]*[A-Za-z])[\w\-.~:%=+]{20,}")
_BARE_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[\w\-]{24,}")


def blanked(command: Sequence[str]) -> list[str]:
    """A command line, as in `sys.argv`, with `BLANK` in the place of each secret."""
    return _words(command, inner=False) if may_hold_secret(command) else list(command)


def is_called_secret(name: str) -> bool:
    """Whether a setting of this name is one that nobody else should see: `api_key`, `hub_token`."""
    return _NAME.search(name) is not None


def _words(command: Sequence[str], *, inner: bool) -> list[str]:
    """Of the words of one command; `inner`: of one that is a word of another."""
    before, kept = "", []
    for word in command:
        kept.append(_word(word, before, inner=inner))
        before = word
    return kept


def _word(word: str, before: str, *, inner: bool) -> str:
    if len(word) > LONGEST:
        return BLANK
    if before in _AS_IT_IS and not inner:
        return word
    if (parts := _OPTION_AND_VALUE.fullmatch(word)) is not None:
        return f"{parts[1]}={_word(parts[2], parts[1], inner=inner)}"
    if _OPTION.fullmatch(before) or (before in _USER_OPTIONS and ":" in word):
        return BLANK if word else word
    if before in _HEADER_OPTIONS and (inner or ":" in word):
        return _header(word)
    if word.startswith("-H") and len(word) > 2:
        return f"-H{_header(word[2:])}"
    if word.startswith("-u") and ":" in word:
        return f"-u{BLANK}"
    if _COMMAND_OPTIONS.fullmatch(before):
        return _text(word)
    if inner and _BARE_RANDOM.fullmatch(word):
        return BLANK
    return _in(word)


def _text(text: str) -> str:
    """A whole command in a text, as `--notify` and `sh -c` take one."""
    try:
        words = shlex.split(text)
    except ValueError:  # a quote is not closed, so nobody knows where its words end
        words = text.split()
        kept = _words(words, inner=True)
        return _in(text if kept == words else " ".join(kept))
    kept = _words(words, inner=True)
    return text if kept == words else shlex.join(kept)


def _header(text: str) -> str:
    parts = _HEADER.fullmatch(text)
    if parts is None:
        return _in(text)
    if parts[1].casefold() in _HARMLESS_HEADERS:
        return f"{parts[1]}:{_in(parts[2])}" if _in(parts[2]) != parts[2] else text
    return f"{parts[1]}: {BLANK}"


def _in(word: str) -> str:
    """Somewhere in a word that is no command itself."""
    word = _ADDRESS.sub(lambda match: _address(match[0]), word)
    word = _KEY_AND_VALUE.sub(rf"\1\2{BLANK}", word)
    word = _BEARER.sub(rf"\1 {BLANK}", word)
    return _KNOWN_FORMS.sub(BLANK, word)


def _address(address: str) -> str:
    scheme, _, rest = address.partition("://")
    rest, hash_sign, fragment = rest.partition("#")
    rest, question, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    _, at, host = authority.rpartition("@")
    user = f"{BLANK}@" if at else ""
    path = _path(host.partition(":")[0].casefold(), path)
    query = "&".join(map(_parameter, query.split("&")))
    fragment = BLANK if fragment and (_RANDOM.search(fragment) or "=" in fragment) else fragment
    return f"{scheme}://{user}{host}{slash}{path}{question}{query}{hash_sign}{fragment}"


def _path(host: str, path: str) -> str:
    parts = path.split("/")
    known = {
        "hooks.slack.com": 1,
        "discord.com": 2,
        "discordapp.com": 2,
        "ntfy.sh": 0,
        "hc-ping.com": 0,
        "api.pushcut.io": 0,
    }.get(host)
    if known is not None:
        return "/".join(BLANK if place >= known and part else part for place, part in enumerate(parts))
    if host == "api.telegram.org":
        return "/".join(f"bot{BLANK}" if part.startswith("bot") else part for part in parts)
    return "/".join(BLANK if _RANDOM.fullmatch(part) else part for part in parts)


def _parameter(text: str) -> str:
    name, equals, value = text.partition("=")
    called_so = re.search(rf"(?:^|.){_CALLED}$|^(?:key|k|code|sv|se|user|chat_id)$", name, re.IGNORECASE)
    if equals and value and (called_so or _RANDOM.fullmatch(value)):
        return f"{name}={BLANK}"
    return text if equals or not _RANDOM.fullmatch(text) else BLANK
