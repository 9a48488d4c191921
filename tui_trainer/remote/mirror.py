"""Copies of another machine's files, as they grow: each byte comes over the line once, and a line that broke goes on
where it was.

The copies lie in a folder of this user's alone, and all readers of files read them as any other. A file that becomes
shorter, begins otherwise or is another one is copied anew; of one that was renamed the rest is fetched first.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tui_trainer.files.safe_open import PRIVATE_FILE, PRIVATE_FOLDER
from tui_trainer.remote.connection import Connection
from tui_trainer.remote.far_shell import quoted
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

MOST = 1 << 30
"""Bytes that are copied of one record."""

ROOM = 256 << 20
"""Bytes that are left free on the disk that holds the copies."""

MOST_FILES = 2_000

LISTING = 4 << 20
"""Bytes that a list of names may have."""

DEEPEST = 8
"""Folders below the one that is looked at."""

LIST_EVERY_S = 2.0
"""Seconds between looks at which files there are."""

SMALLEST, PIECE, LARGEST = 16 << 10, 128 << 10, 1 << 20
"""Bytes that are asked for at a time: at the least, at first and at the most. A slow line has smaller ones."""

HEAD = 256
"""Bytes at the beginning of a file that tell whether it is still the same one."""

SETTLED_S = 1.5
"""A file that another has taken the place of stays for so long after its last bytes came: its readers look each second.
"""

CLOCKS_DIFFER_S = 2.5
"""What is less is the line, and that clocks are told in whole seconds."""


class Seen(NamedTuple):
    """How a file stood at a look."""

    inode: int
    size: int
    written_at: int
    """By its machine's clock, Unix time in seconds; 0 where that cannot be told."""

    @classmethod
    def of(cls, line: bytes) -> Seen | None:
        """What a line of the far side's tells; None where it is none."""
        words = line.split()
        if len(words) != 3 or not all(word.isdigit() and len(word) < 20 for word in words):
            return None
        return cls(*map(int, words))


class _Piece(NamedTuple):
    """Bytes of a file, and how it stood before and after they were read."""

    before: Seen
    after: Seen
    content: bytes


@dataclass
class _Copy:
    """One file there, and what is here of it."""

    there: str
    here: Path
    inode: int = -1
    offset: int = 0
    """Up to which byte it is here."""
    begun: int = 0
    """At which byte the copy begins: what stands before is a hole."""
    written_at: int = -1
    settled_at: float = 0.0
    """When its last bytes came, monotonic seconds."""
    is_cut: bool = False
    """Whether no more of it is copied."""
    is_gone: bool = False
    """Whether it was not there at the last look."""


_numbers = count()
"""Of mirrors: several may have one connection, whose shell knows the files of each by a name of its own."""


class Mirror:
    """Copies of the files below one path."""

    def __init__(
        self,
        folder: Path,
        root: str,
        wanted: Callable[[str], bool],
        *,
        documents: Callable[[str], bool] = lambda _: False,
        deepest: int = DEEPEST,
        last_bytes: Callable[[str], int | None] = lambda _: None,
        named: Callable[[str], bool] = lambda _: False,
        always: str = "",
        listing: int = LISTING,
        most: int = MOST,
    ) -> None:
        """Nothing is copied yet.

        Args:
            folder: where the copies are to be; made, for this user alone.
            root: the path there: of a folder, or of one file, whose copy has its name.
            wanted: of which files, by their paths below `root` (a single file's name), copies are to be made.
            documents: which of them are written anew as a whole; they are copied as a whole, too.
            deepest: folders below `root` that are looked into, itself among them.
            last_bytes: of which files only so many bytes at their end are wanted.
            named: of which the name alone is wanted: an empty file with their time stands for them.
            always: the path there of a file that is wanted, however many stand before it in the list.
            listing: bytes that the list of names may have.
            most: bytes of all copies.
        """
        self.folder = folder
        self.lags = True
        """Whether more is there than here, as of the last look."""
        self.rest = 0
        """How many bytes, at the least."""
        self.is_there = True
        """Whether there was anything at the last look at which files there are."""
        self._root = root
        self._wanted = wanted
        self._documents = documents
        self._deepest = deepest
        self._last_bytes = last_bytes
        self._named = named
        self._always = always
        self._listing = listing
        self._stand_ins: dict[str, Path] = {}
        """Those of which the name alone is here."""
        self._most = most
        self._copies: dict[str, _Copy] = {}
        self._taken = 0
        """Bytes that came."""
        self._piece = PIECE
        self._next_list = 0.0
        self._function = f"g{next(_numbers)}"
        """Of the far shell's: how these files stand."""
        self._looked_at: tuple[Connection, list[str]] | None = None
        """What it knows by that name."""
        self._flaws: dict[str, None] = {}
        self._aside = folder.with_name(f"{folder.name}.new")
        """Where copies are begun: readers may take whatever lies in the folder itself."""
        for made in (folder, self._aside):
            made.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)

    @property
    def flaws(self) -> list[str]:
        """What of the files is not here, and why; each in words."""
        return list(self._flaws)

    def look(self, connection: Connection) -> int:
        """See what is new, and fetch a piece of each file that has more; how many bytes came.

        Raises:
            Lost: the connection is. What came whole is here.
            OSError: the copies cannot be written.
        """
        if time.monotonic() >= self._next_list:
            self._list(connection)
            self._next_list = time.monotonic() + LIST_EVERY_S
        before = self._taken
        self.lags, self.rest = False, 0
        copies = [copy for copy in self._copies.values() if not (copy.is_cut or copy.is_gone)]
        for copy, seen in zip(copies, self._see(connection, copies), strict=True):
            if seen is None:
                copy.is_gone = True
                continue
            if (seen.inode, seen.size, seen.written_at) == (copy.inode, copy.offset, copy.written_at):
                continue
            if self._documents(below_root(self._root, copy.there) or ""):
                self._fetch_whole(connection, copy, seen)
            elif seen.inode != copy.inode and copy.inode != -1:
                self._replace(connection, copy)
            else:
                self._fetch(connection, copy, seen)
            if copy.offset < seen.size and not copy.is_cut:
                self.lags = True
                self.rest += seen.size - copy.offset
        return self._taken - before

    def _list(self, connection: Connection) -> None:
        answer = connection.ask("l", self._root, self._deepest, self._listing, most=self._listing)
        *names, _ = answer.content.split(b"\0")
        self.is_there = bool(names)
        paths = [*map(os.fsdecode, names), *([self._always] if self._always else [])]
        self._name(connection, paths)
        for path in paths:
            below = below_root(self._root, path)
            if path in self._copies:
                self._copies[path].is_gone = False
                continue
            if below is None or not self._wanted(below):
                continue
            if len(self._copies) >= MOST_FILES:
                self._flaws[say("remote.too_many_files", count=f"{MOST_FILES:,}")] = None
                break
            here = self.folder.joinpath(*below.split("/"))
            here.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._copies[path] = _Copy(path, here)

    def _name(self, connection: Connection, paths: list[str]) -> None:
        """Have those here of which the name alone is wanted, and no others."""
        there = {path: below for path in paths if (below := below_root(self._root, path)) and self._named(below)}
        for path in self._stand_ins.keys() - there.keys():
            here = self._stand_ins.pop(path)
            here.unlink(missing_ok=True)
            with suppress(OSError):  # others lie there
                here.parent.rmdir()
        new = [path for path in there if path not in self._stand_ins][: MOST_FILES - len(self._stand_ins)]
        for path, answer in zip(new, connection.ask_all([("s", path) for path in new]), strict=True):
            if (seen := Seen.of(answer.content)) is None:
                continue
            here = self.folder.joinpath(*there[path].split("/"))
            here.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            if not here.exists():
                _make(here)
            for each in (here, here.parent):
                os.utime(each, (seen.written_at, seen.written_at))
            self._stand_ins[path] = here

    def _see(self, connection: Connection, copies: list[_Copy]) -> list[Seen | None]:
        """How each stands; None of what is not there."""
        if not copies:
            return []
        paths = [copy.there for copy in copies]
        if self._looked_at is None or self._looked_at[0] is not connection or self._looked_at[1] != paths:
            connection.ask("eval", f"{self._function}() {{ s {' '.join(map(quoted, paths))}; }}")
            self._looked_at = connection, paths
        answer = connection.ask(self._function, most=64 * len(copies))
        lines = answer.content.split(b"\n")[: -1 if answer.content.endswith(b"\n") else None]
        if len(lines) != len(copies):  # some are gone: which, is asked one by one
            each = connection.ask_all([("s", copy.there) for copy in copies])
            lines = [answer.content for answer in each]
        return [Seen.of(line) for line in lines]

    def _fetch(self, connection: Connection, copy: _Copy, seen: Seen, *, there: str = "") -> None:
        """The next piece of a file."""
        if copy.inode == -1:
            last = self._last_bytes(below_root(self._root, copy.there) or "")
            copy.offset = copy.begun = max(0, seen.size - last) if last is not None else 0
            copy.inode = seen.inode
            empty = self._aside / "new"
            _make(empty)
            os.truncate(empty, copy.begun)  # a hole, that takes no room
            empty.replace(copy.here)  # another file, as its readers may see
        if seen.size < copy.offset:
            self._begin_anew(copy)
            return
        if self._is_too_much(copy):
            return
        head = min(HEAD, copy.offset) if copy.begun == 0 else 0
        piece = self._ask(connection, there or copy.there, seen.inode, copy.offset, head)
        if piece is None:
            return  # it became another one, or went, in between: the next look sees it
        if piece.after.size < copy.offset or piece.content[:head] != _head(copy.here, head):
            self._begin_anew(copy)
            return
        new = piece.content[head:]
        _write(copy.here, copy.offset, new)
        if new:
            copy.offset += len(new)
            copy.settled_at = time.monotonic()
            self._taken += len(new)
        if copy.offset == piece.before.size:
            self._stamp(connection, copy, piece.before)

    def _fetch_whole(self, connection: Connection, copy: _Copy, seen: Seen) -> None:
        """A document as it stands, or nothing where it is written at this moment."""
        if self._is_too_much(copy):
            return
        new = self._aside / "new"
        _make(new)
        try:
            offset = 0
            while offset < seen.size:
                piece = self._ask(connection, copy.there, seen.inode, offset, 0)
                if piece is None or not piece.content or not seen == piece.before == piece.after:
                    return
                _write(new, offset, piece.content)
                offset += len(piece.content)
                self._taken += len(piece.content)
            new.replace(copy.here)
        finally:
            new.unlink(missing_ok=True)
        copy.inode, copy.offset = seen.inode, seen.size
        self._stamp(connection, copy, seen)
        if seen.size <= SMALLEST and time.time() + connection.ahead - seen.written_at < CLOCKS_DIFFER_S:
            copy.written_at = -1  # it may be written once more in this second, which only its content would show

    def _ask(self, connection: Connection, there: str, inode: int, offset: int, head: int) -> _Piece | None:
        """What stands behind an offset, and so many bytes of the beginning; None where it is another file."""
        began = time.monotonic()
        answer = connection.ask("f", there, inode, offset + 1, head, self._piece, most=head + self._piece)
        before, _, rest = answer.content.partition(b"\n")
        content, _, after = rest.removesuffix(b"\n").rpartition(b"\n")
        piece = Seen.of(before), Seen.of(after), content[: head + self._piece]
        self._pace(time.monotonic() - began)
        if piece[0] is None or piece[1] is None or not piece[0].inode == piece[1].inode == inode:
            return None
        return _Piece(piece[0], piece[1], piece[2])

    def _replace(self, connection: Connection, copy: _Copy) -> None:
        """Another file has its name: take what the old one still had, if it is there by another, then begin anew."""
        folder = copy.there.rpartition("/")[0] or "/"
        renamed = connection.ask("r", folder, copy.inode, most=5000).content.partition(b"\0")[0]
        there = os.fsdecode(renamed)
        if renamed and below_root(folder, there) is not None:
            rest = Seen.of(connection.ask("s", there).content)
            if rest is not None and rest.inode == copy.inode and rest.size > copy.offset:
                offset = copy.offset
                self._fetch(connection, copy, rest, there=there)
                if copy.offset != offset:
                    self.lags = True
                    return
        if time.monotonic() - copy.settled_at < SETTLED_S:
            self.lags = True
            return
        self._begin_anew(copy)

    def _begin_anew(self, copy: _Copy) -> None:
        copy.inode, copy.offset, copy.begun, copy.written_at = -1, 0, 0, -1
        self.lags = True

    def _stamp(self, connection: Connection, copy: _Copy, seen: Seen) -> None:
        """The copy is whole: it was written when the file was, by the clock of this machine."""
        copy.written_at = seen.written_at
        if seen.written_at:
            ahead = connection.ahead if abs(connection.ahead) > CLOCKS_DIFFER_S else 0.0
            moment = seen.written_at - ahead
            os.utime(copy.here, (moment, moment))

    def _is_too_much(self, copy: _Copy) -> bool:
        if self._taken < self._most and shutil.disk_usage(self.folder).free > ROOM:
            return False
        copy.is_cut = True
        self._flaws[say("remote.too_large", file=plain(copy.here.name), size=f"{self._most >> 20:,} MiB")] = None
        return True

    def _pace(self, seconds: float) -> None:
        if seconds > 1.0:
            self._piece = max(SMALLEST, self._piece // 2)
        elif seconds < 0.25:
            self._piece = min(LARGEST, self._piece * 2)


def below_root(root: str, path: str) -> str | None:
    """Which file below `root` a path of the far side's means, by its path from there; of `root` itself its name.

    None where it is no such path, or could lead anywhere else here: what the far side says is not believed.
    """
    if path == root:
        below = root.rpartition("/")[2]
    elif path.startswith(root.rstrip("/") + "/"):
        below = path[len(root.rstrip("/")) + 1 :]
    else:
        return None
    parts = below.split("/")
    if any(part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > 255 for part in parts):
        return None
    return below


def _make(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE))


def _write(path: Path, offset: int, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        while content:
            written = os.pwrite(fd, content, offset)
            offset, content = offset + written, content[written:]
    finally:
        os.close(fd)


def _head(path: Path, length: int) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return os.pread(fd, length, 0)
    finally:
        os.close(fd)
