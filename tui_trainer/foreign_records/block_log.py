"""LevelDB's log: blocks of 32 KiB, and in them frames of a CRC, a size, a kind and a record, or a part of one.

Source: https://github.com/google/leveldb/blob/main/doc/log_format.md, but that the CRC is zlib's, as W&B has it.
"""

from __future__ import annotations

import struct
import zlib

BLOCK = 32 << 10

LARGEST = 64 << 20
"""Bytes of a record of several blocks; what is larger is left out."""

_FRAME = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_CRC_OF_KIND = {kind: zlib.crc32(bytes([kind])) for kind in (_FULL, _FIRST, _MIDDLE, _LAST)}


class BlockLog:
    """Takes the records out of pieces of a log, in their order."""

    def __init__(self) -> None:
        self.bad_records = 0
        """Records that were left out: their CRC is wrong, or they are too large."""
        self._parts = bytearray()
        """Of a record that goes on in the next block."""

    def begin_anew(self) -> None:
        """The next piece is of another log."""
        self.bad_records = 0
        self._parts.clear()

    def records(self, piece: bytes, at: int, offset: int) -> tuple[list[bytes], int]:
        """The records that are whole with a piece, and up to where it was used.

        Args:
            piece: what comes next of the log.
            at: where in it to begin.
            offset: where in the log the piece begins, of which blocks are counted.
        """
        found: list[bytes] = []
        crc_of_full, end = _CRC_OF_KIND[_FULL], len(piece)
        unpack, crc32 = _FRAME.unpack_from, zlib.crc32
        while True:
            next_block = at + BLOCK - (offset + at) % BLOCK
            while (begin := at + _FRAME.size) <= next_block:
                if begin > end:
                    return found, at
                crc, size, kind = unpack(piece, at)
                behind = begin + size
                if behind > next_block or kind not in _CRC_OF_KIND:
                    if next_block > end:
                        return found, at  # what a block is not filled with yet may be zeros
                    self.bad_records += bool(crc or size or kind)
                    break  # the next block begins with a frame
                if behind > end:
                    return found, at
                content = piece[begin:behind]
                at = behind
                if kind == _FULL and crc32(content, crc_of_full) == crc:
                    self._parts.clear()
                    found.append(content)
                elif (record := self._with(kind, content, crc)) is not None:
                    found.append(record)
            if next_block > end:  # padding that is not all there yet
                return found, end
            at = next_block

    def _with(self, kind: int, part: bytes, crc: int) -> bytes | None:
        """The record that is whole with a part of it, if one is."""
        if zlib.crc32(part, _CRC_OF_KIND[kind]) != crc:
            self.bad_records += 1
            self._parts.clear()
            return None
        if kind == _FIRST:
            self._parts[:] = part
            return None
        if not self._parts:
            return None  # its beginning is damaged
        self._parts += part
        if len(self._parts) > LARGEST:
            self._parts.clear()
            self.bad_records += 1
            return None
        if kind == _MIDDLE:
            return None
        whole = bytes(self._parts)
        self._parts.clear()
        return whole
