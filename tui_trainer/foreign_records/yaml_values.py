"""The values of a YAML file, as tools dump settings: keys within keys by their indents, texts and lists of texts.

What else YAML has, such as aliases, objects of a program's, texts of several paragraphs and lists of objects, is passed
over. Nothing is made of a file but texts, and it costs what its length does, whatever stands in it.
"""

from __future__ import annotations

import re

DEEPEST = 20
"""Keys within keys; what is deeper is passed over."""

MOST = 1000
"""Values, and entries of a list, that are kept."""

LONGEST = 1000
"""Characters of a key or a value that are kept."""

_PASSED_OVER = ("*", "!", "|", ">", "{", "%", "@", "`")
_MARKS = re.compile(r"(?:&\S+|!!python/tuple)(?: +|$)")
"""What may stand before a value and makes no other of it: an anchor, and that a list is a tuple."""
_NO_PLAIN_LIST = frozenset("[]{}'\"&*!")
_SINGLE = re.compile(r"'((?:[^']|'')*)")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)')
_ESCAPED = re.compile(r'\\([nt"\\/ ])')
_ESCAPES = {"n": "\n", "t": "\t"}


def values_in(content: bytes) -> dict[str, str | list[str]]:
    """Texts and lists of texts by their names, `optimizer.lr` of a key within a key; quotes are taken off."""
    found: dict[str, str | list[str]] = {}
    above: list[tuple[int, str]] = []
    """The keys that a line stands below, each with its indent."""
    passed_over: tuple[int, bool] | None = None
    """The indent of what is passed over, and whether entries of a list at that indent are a part of it."""
    for line in content.decode(errors="replace").splitlines():
        body = line.strip()
        if not body or body.startswith(("#", "--- ", "%")) or body in ("---", "..."):
            continue
        indent = len(line) - len(line.lstrip(" "))
        is_entry = body == "-" or body.startswith("- ")
        if passed_over is not None and (indent > passed_over[0] or (indent == passed_over[0] and is_entry)):
            continue
        passed_over = None
        while above and (above[-1][0] > indent or (above[-1][0] == indent and not is_entry)):
            above.pop()
        name = above[-1][1] if above else ""
        known = found.get(name)
        if isinstance(known, str):  # a text that goes on
            if len(known) < LONGEST:
                found[name] = f"{known} {body}"
        elif is_entry:
            entry = _MARKS.sub("", body[1:].strip())
            if _is_nested(entry):
                found.pop(name, None)
                passed_over = indent, True
            elif isinstance(known, list):
                known += [_text(entry)] if len(known) < MOST else []
            elif name:
                found[name] = [_text(entry)]
        elif known is None:
            key, said = (body[:-1], "") if body.endswith(":") else body.partition(": ")[::2]
            whole = (f"{name}." if name else "") + _text(key.strip())[:LONGEST]
            said = _MARKS.sub("", said.strip())
            if said.startswith(_PASSED_OVER) or len(above) >= DEEPEST or len(found) >= MOST:
                passed_over = indent, True
                continue
            above.append((indent, whole))
            if said.startswith("[") and said.endswith("]"):
                if not set(said[1:-1]) & _NO_PLAIN_LIST:
                    found[whole] = [_text(each.strip()) for each in said[1:-1].split(",", MOST)[:MOST] if each.strip()]
            elif said:
                found[whole] = said
    return {name: _text(said) if isinstance(said, str) else said for name, said in found.items()}


def _is_nested(entry: str) -> bool:
    """Whether an entry of a list is more than a text."""
    is_quoted = entry.startswith(("'", '"'))
    return not is_quoted and (entry.startswith((*_PASSED_OVER, "[", "- ")) or ": " in entry or entry.endswith(":"))


def _text(said: str) -> str:
    """Without its quotes, or a remark behind it."""
    said = said[: LONGEST + 2]
    if (quoted := _SINGLE.match(said)) is not None:
        return quoted[1].replace("''", "'")
    if (quoted := _DOUBLE.match(said)) is not None:
        return _ESCAPED.sub(lambda sign: _ESCAPES.get(sign[1], sign[1]), quoted[1])
    return said.partition(" #")[0].rstrip()
