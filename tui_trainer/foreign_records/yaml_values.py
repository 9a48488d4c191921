"""The values of a YAML file, as tools dump settings: keys within keys, texts and lists of texts.

PyYAML's parser alone reads it, which makes no objects and follows no aliases. What else YAML has, such as aliases,
objects of a program's and lists of objects, is passed over. Only the parser in C is used: that in Python takes minutes
for 64 KB of open brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

DEEPEST = 20
"""Keys within keys; what is deeper is passed over."""

MOST = 1000
"""Values, and entries of a list, that are kept."""

LONGEST = 1000
"""Characters of a key or a value that are kept."""

_KINDS = "str", "int", "float", "bool", "null", "map", "seq", "python/tuple"
_PLAIN_TAGS = frozenset({None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in _KINDS)})
_NOT_YAML = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no YAML file may hold."""


@dataclass
class _Place:
    """A map or a list that is read, and where its values belong."""

    name: str | None
    """None where it is passed over."""
    is_map: bool
    is_key: bool = False
    """Whether it stands where a key should."""
    key: str | None = None
    """Of a map, the key whose value comes."""
    texts: list[str] | None = None
    """Of a list that holds nothing but texts, these."""


def values_in(content: bytes) -> dict[str, str | list[str]]:
    """Texts and lists of texts by their names, `optimizer.lr` of a key within a key.

    Of a damaged file what stands before the damage. Nothing where PyYAML was built without libyaml; its wheels are not.
    """
    loader = getattr(yaml, "CSafeLoader", None)
    if loader is None:
        return {}
    found: dict[str, str | list[str]] = {}
    text = _NOT_YAML.sub("\ufffd", content.decode(errors="replace"))
    places: list[_Place] = []
    try:
        for event in yaml.parse(text, Loader=loader):
            _take(event, places, found)
    except yaml.YAMLError:
        pass
    return found


def _take(event: yaml.Event, places: list[_Place], found: dict[str, str | list[str]]) -> None:
    match event:
        case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
            is_map = isinstance(event, yaml.MappingStartEvent)
            above = places[-1] if places else None
            is_key = above is not None and above.is_map and above.key is None
            name = None if is_key or event.tag not in _PLAIN_TAGS or len(places) > DEEPEST else _name(above)
            if above is not None and not above.is_map:
                above.texts = name = None
            places.append(_Place(name, is_map, is_key, texts=None if is_map else []))
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            done = places.pop()
            if done.name and done.texts is not None:
                _keep(found, done.name, done.texts)
            if places and places[-1].is_map:
                places[-1].key = "" if done.is_key else None
        case yaml.ScalarEvent():
            _scalar(places, event.value[:LONGEST] if event.tag in _PLAIN_TAGS else None, found)
        case yaml.AliasEvent():
            _scalar(places, None, found)


def _scalar(places: list[_Place], said: str | None, found: dict[str, str | list[str]]) -> None:
    """A text, or None for what is passed over."""
    if not places:
        return
    place = places[-1]
    if not place.is_map:
        if said is None:
            place.texts = None
        elif place.texts is not None and len(place.texts) < MOST:
            place.texts.append(said)
    elif place.key is None:
        place.key = said or ""
    else:
        if said is not None and (name := _name(place)):
            _keep(found, name, said)
        place.key = None


def _name(above: _Place | None) -> str | None:
    """Of what comes now; empty at the top of the file, None where it is passed over."""
    if above is None:
        return ""
    if above.name is None or not above.key:
        return None
    return f"{above.name}.{above.key}" if above.name else above.key


def _keep(found: dict[str, str | list[str]], name: str, said: str | list[str]) -> None:
    if len(found) < MOST:
        found.setdefault(name[:LONGEST], said)
