"""Plain values, and JSON of them.

Python's `json` is not imported: it brings `re` and half a dozen modules along, and a program may have a `json.py` of
its own beside its script, which it would then no longer get.
"""

from __future__ import annotations

from .python_internals import encode_basestring_ascii, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_TEXT = 4000
_MOST_ITEMS = 200
_DEEPEST = 6
_LARGEST_INT = 1 << 63


def text(value: str, longest: int = LONGEST_TEXT) -> str:
    """Without what UTF-8 cannot hold, and no longer than that."""
    return value[:longest].encode("utf-8", "replace").decode("utf-8")


def encode(value: Any) -> str:
    """JSON of numbers, texts, None, and lists and dicts of them. What is no number is `null`."""
    kind = type(value)
    if value is None or value is True or value is False:
        return "null" if value is None else "true" if value else "false"
    if kind is str:
        return encode_basestring_ascii(value)
    if kind is int:
        return repr(value) if -_LARGEST_INT <= value < _LARGEST_INT else repr(float(value))
    if kind is float:
        return repr(value) if value - value == 0 else "null"
    if kind is dict:
        pairs = [encode_basestring_ascii(key) + ":" + encode(held) for key, held in value.items()]
        return "{" + ",".join(pairs) + "}"
    return "[" + ",".join([encode(held) for held in value]) + "]"


class _Scanning:
    """What the scanner of `json` is told."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo = None


_scan = make_scanner(_Scanning)  # type: ignore[arg-type]


def decode(content: bytes) -> object:
    """What a JSON text holds; None where it holds none."""
    try:
        value, _ = _scan(content.decode("utf-8").strip(), 0)
    except (StopIteration, ValueError, RecursionError):
        return None
    return value


_SECRETS = ("token", "secret", "passw", "credential", "api_key", "apikey", "access_key", "auth")


def is_secret(name: str) -> bool:
    """Whether something of that name is nobody's business."""
    lowered = name.lower()
    return any(secret in lowered for secret in _SECRETS)


def plain(values: Any, depth: int = 0) -> dict[str, object]:
    """What of a mapping by names, or by whole numbers, is plain, but for names that tell of a secret."""
    found: dict[str, object] = {}
    for key, value in list(values.items()):
        name = str(key) if type(key) is int else key
        if type(name) is str and not is_secret(name) and len(found) < _MOST_ITEMS:
            kept, is_plain = _plain_value(value, depth + 1)
            if is_plain:
                found[text(name, 100)] = kept
    return found


def _plain_value(value: Any, depth: int) -> tuple[Any, bool]:
    """A copy that `encode` takes, and whether there is one. Subclasses of plain types are other people's code."""
    kind = type(value)
    if value is None or kind is bool or kind is int or kind is float:
        return value, True
    if kind is str:
        return text(value, 500), True
    if depth >= _DEEPEST:
        return None, False
    if kind is list or kind is tuple:
        held = [_plain_value(item, depth + 1) for item in value[:_MOST_ITEMS]]
        return [item for item, _ in held], all(is_plain for _, is_plain in held)
    if kind is dict:
        return plain(value, depth), True
    return None, False
