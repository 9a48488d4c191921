"""Protocol buffers' wire form, as far as records of others need it.

Source: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """A field of a message."""

    number: int
    form: int
    """`VARINT`, `FIXED64`, `BYTES` or `FIXED32`."""
    begin: int
    """Where its value begins in the bytes that hold the message; of `BYTES` what is behind their length."""
    end: int
    value: int
    """Of a varint; else 0."""


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A whole number, and where it ends.

    Raises:
        ValueError: none stands there.
    """
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise ValueError("a number without an end")


def signed(value: int) -> int:
    """A varint of the type int64 or int32."""
    return value - (1 << 64) if value >> 63 else value


def fields(data: bytes, at: int, end: int) -> Iterator[Field]:
    """The fields of a message that stands between two places.

    Raises:
        ValueError: it is no message.
    """
    while at < end:
        key, at = varint(data, at, end)
        number, form = key >> 3, key & 7
        begin, value = at, 0
        if form == VARINT:
            value, at = varint(data, at, end)
        elif form == FIXED64:
            at += 8
        elif form == FIXED32:
            at += 4
        elif form == BYTES:
            size, begin = varint(data, at, end)
            at = begin + size
        else:
            raise ValueError("a field of no known form")
        if at > end or not number:
            raise ValueError("a field that ends behind its message")
        yield Field(number, form, begin, at, value)


def text(data: bytes, field: Field) -> str:
    """A field of text; what is no UTF-8 is shown by a mark."""
    return data[field.begin : field.end].decode(errors="replace")
