"""Several exports of one screen as one moving SVG: what stays the same is stored once, the rest is shown in its turn.

It moves by CSS alone, so it works as an `<img>`, on GitHub too. Without animation, or for readers who asked for less
motion, it is the last frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_HASH = re.compile(r"terminal-\d+-")
_STYLE = re.compile(r"\.(r\d+) \{ (.*?) \}")
_CELLS = re.compile(r"<rect [^>]*/>|<text [^>]*>[^<]*</text>")
_CLASS = re.compile(r'class="(r\d+)"')
_FILL = re.compile(r'<rect fill="([^"]*)"')
_SCREEN = 'clip-path="url(#clip-terminal)">'
_CALM = "@media (prefers-reduced-motion: reduce) { g { animation: none !important } }"

Frames = frozenset[int]


def animated(exports: Sequence[str], seconds: Sequence[float]) -> str:
    """Make the moving picture.

    Args:
        exports: What `App.export_screenshot` gave for each frame, all of one size.
        seconds: How long each frame is shown.
    """
    exports = [_HASH.sub("", export) for export in exports]
    styles: dict[str, str] = {}
    frames_of: dict[str, set[int]] = {}
    for number, export in enumerate(exports):
        for cell in _cells(export, styles):
            frames_of.setdefault(cell, set()).add(number)
    groups: dict[Frames, list[str]] = {}
    for cell, frames in frames_of.items():
        groups.setdefault(frozenset(frames), []).append(cell)
    names = {frames: f"t{number}" for number, frames in enumerate(sorted(groups, key=sorted))}
    css = [f".{name} {{ {style} }}" for style, name in styles.items()]
    css += [_timing(name, frames, seconds) for frames, name in names.items() if len(frames) < len(exports)]
    rects = [_group(name, groups[frames], "<rect") for frames, name in names.items()]
    texts = [_group(name, groups[frames], "<text") for frames, name in names.items()]
    window, screen, _ = exports[-1].partition(_SCREEN)
    window = _STYLE.sub("", window).replace("</style>", "\n".join([*css, _CALM, "</style>"]), 1)
    return "\n".join([window + screen, *rects, '<g class="matrix">', *texts, "</g></g></svg>", ""])


def _cells(export: str, styles: dict[str, str]) -> Iterable[str]:
    """What a frame draws on one ground, with style names that are the same in all frames."""
    own = dict(_STYLE.findall(export))
    cells = _CELLS.findall(export.partition(_SCREEN)[2])
    fills = [match[1] for match in map(_FILL.match, cells) if match]
    ground = max(set(fills), key=fills.count)
    yield f'<rect fill="{ground}" width="100%" height="100%"/>'
    for cell in cells:
        if not cell.startswith(f'<rect fill="{ground}"'):
            yield _CLASS.sub(lambda match: f'class="{styles.setdefault(own[match[1]], f"s{len(styles)}")}"', cell)


def _timing(name: str, frames: Frames, seconds: Sequence[float]) -> str:
    """CSS that shows a group in its frames alone."""
    steps = [
        f"{sum(seconds[:number]) / sum(seconds):.2%} {{ visibility: {_visibility(number, frames)} }}"
        for number in range(len(seconds))
        if number == 0 or (number in frames) != (number - 1 in frames)
    ]
    still = _visibility(len(seconds) - 1, frames)
    return (
        f"@keyframes {name} {{ {' '.join(steps)} }}\n"
        f".{name} {{ visibility: {still}; animation: {name} {sum(seconds):g}s step-end infinite }}"
    )


def _visibility(number: int, frames: Frames) -> str:
    return "visible" if number in frames else "hidden"


def _group(name: str, cells: Sequence[str], tag: str) -> str:
    return f'<g class="{name}">{"".join(cell for cell in cells if cell.startswith(tag))}</g>'
