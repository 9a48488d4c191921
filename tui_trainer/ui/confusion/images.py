"""Small images as text: two pixels in a cell, one over the other, in their own colours."""

from __future__ import annotations

from typing import NamedTuple

from tui_trainer.ui.panel import Line, Span

RAMP = " .:-=+*#%@"
"""From dark to light, where a terminal draws no half blocks."""


class Image(NamedTuple):
    """Pixels of an image, a byte a channel."""

    channels: int
    height: int
    width: int
    pixels: bytes
    """Channel by channel, and each row by row."""

    def shrunk(self, by: int) -> Image:
        """The mean of each square of so many pixels; what is over at the edges is left out."""
        if by == 1:
            return self
        height, width = self.height // by, self.width // by
        means = bytearray()
        for channel in range(self.channels):
            begin = channel * self.height * self.width
            for y in range(height):
                rows = [begin + (y * by + row) * self.width for row in range(by)]
                for x in range(width):
                    total = sum(sum(self.pixels[at + x * by : at + x * by + by]) for at in rows)
                    means.append(total // (by * by))
        return Image(self.channels, height, width, bytes(means))

    def colour(self, x: int, y: int) -> tuple[int, int, int]:
        """Red, green and blue of a pixel; black below the last row."""
        if y >= self.height:
            return 0, 0, 0
        at, size = y * self.width + x, self.height * self.width
        if self.channels == 3:
            return self.pixels[at], self.pixels[size + at], self.pixels[2 * size + at]
        return (self.pixels[at],) * 3

    @property
    def lines(self) -> int:
        """How many it takes as text."""
        return (self.height + 1) // 2


def drawn(image: Image, *, plain: bool) -> list[Line]:
    """An image as lines as wide as it is; `plain`: of ASCII, without colours."""
    lines: list[Line] = []
    for top in range(0, image.height, 2):
        spans: list[Span] = []
        for x in range(image.width):
            upper, lower = image.colour(x, top), image.colour(x, top + 1)
            if plain:
                light = (sum(upper) + sum(lower)) / (6 * 256)
                spans.append(Span(RAMP[int(light * len(RAMP))]))
            else:
                spans.append(Span("▀", f"{_hex(upper)} on {_hex(lower)}"))
        lines.append(_joined(spans))
    return lines


def _joined(spans: list[Span]) -> Line:
    """Neighbours that look alike in one piece."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].role == span.role:
            joined[-1] = Span(joined[-1].text + span.text, span.role)
        else:
            joined.append(span)
    return tuple(joined)


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
