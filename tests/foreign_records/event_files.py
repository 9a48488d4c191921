"""Event files as TensorBoard's writers make them, byte by byte: no TensorFlow is needed to make one."""

from __future__ import annotations

import struct
from pathlib import Path

from tui_trainer.foreign_records.crc32c import masked_crc32c


def varint(value: int) -> bytes:
    """A whole number in protobuf's form."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def block(number: int, content: bytes | str) -> bytes:
    """A field of bytes, of text or of a message."""
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    """A field of a whole number."""
    return varint(field << 3) + varint(value)


def event(step: int, *values: bytes, time: float = 1.7e9, more: bytes = b"") -> bytes:
    """An event with summary values."""
    summary = block(5, b"".join(block(1, value) for value in values)) if values else b""
    said = number(2, step) if step else b""
    return b"\x09" + struct.pack("<d", time) + said + summary + more


def scalar(tag: str, value: float) -> bytes:
    """`simple_value`, as most write it."""
    return block(1, tag) + b"\x15" + struct.pack("<f", value)


def tensor(tag: str, dtype: int, content: bytes, plugin: str = "", shape: tuple[int, ...] = ()) -> bytes:
    """A tensor: `content` are its fields behind type and shape."""
    dimensions = b"".join(block(2, number(1, size)) for size in shape)
    made = block(1, tag) + block(8, number(1, dtype) + block(2, dimensions) + content)
    return made + (block(9, block(1, block(1, plugin))) if plugin else b"")


def frame(content: bytes) -> bytes:
    """An event with what stands around it."""
    size = struct.pack("<Q", len(content))
    return size + struct.pack("<I", masked_crc32c(size)) + content + struct.pack("<I", masked_crc32c(content))


VERSION = frame(event(0, more=block(3, "brain.Event:2")))


def start(step: int) -> bytes:
    """An event that says that a session begins at a step."""
    return frame(event(step, more=block(7, number(1, 1))))


def scalars(tag: str, steps: range | list[int], value: float | None = None, *, begun: float = 1.7e9) -> bytes:
    """Frames of a series whose values are half their steps, or all the same."""
    return b"".join(
        frame(event(step, scalar(tag, step / 2 if value is None else value), time=begun + step)) for step in steps
    )


def event_file(folder: Path, content: bytes, begun: int = 1_700_000_000, host: str = "box.1.0") -> Path:
    """Write an event file into a folder, made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{begun}.{host}"
    path.write_bytes(VERSION + content)
    return path
