"""Which record lies at an address: of ours, or another tool's, recognised here by the first bytes of files there."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import msgspec

from tui_trainer.errors import UserError
from tui_trainer.files.safe_open import PRIVATE_FOLDER
from tui_trainer.foreign_records import forms
from tui_trainer.records import range_tests
from tui_trainer.remote.address import Address
from tui_trainer.remote.connection import Connection
from tui_trainer.remote.mirror import DEEPEST, LISTING, Seen, below_root
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import listed
from tui_trainer.text.plain import plain

OURS = ("run.json", "events.jsonl")
"""What makes a folder a record of ours."""

MOST_LOOKED_AT = 300
"""Files whose first bytes are fetched, those that were written last."""

HEAD, DOCUMENT_HEAD = 16 << 10, 64 << 10
"""First bytes that are fetched, and those of a document of Hugging Face's, in which its rows come late."""

SEEN_AT_ONCE = 100
"""Files that one request asks after."""

NAMED_AT_MOST = 4

_NO_RECORDS = frozenset(
    {".bin", ".ckpt", ".gz", ".jpeg", ".jpg", ".npy", ".npz", ".parquet", ".pdf", ".pickle", ".pkl", ".png"}
    | {".pt", ".pth", ".py", ".pyc", ".safetensors", ".so", ".tar", ".zip"}
)
"""How the names of files end that are no records."""

_DATABASE = b"SQLite format 3\0"


class IsRangeTest(UserError):
    """At an address lies an LR range test, which is no run.

    Attributes:
        address: its own.
        content: what its file says.
    """

    def __init__(self, address: Address, content: bytes) -> None:
        super().__init__(say("remote.range_test", address=plain(str(address))))
        self.address, self.content = address, content


class FarRecord(NamedTuple):
    """A record on another machine."""

    path: str
    """There: of a folder, or of a file."""
    tool: str
    """Whose it is; empty: ours."""
    is_file: bool
    written_at: int
    """By its machine's clock, Unix time in seconds."""
    size: int = 0
    """Bytes of its journal, of a record of ours."""
    tables: Sequence[str] = ()
    """Files in its folder that are other forms of it, by name."""


def find_record(
    connection: Connection, address: Address, work: Path, warn: Callable[[str], None], *, named: bool = False
) -> FarRecord:
    """The record that an address means; of several in a folder that which was written last.

    Args:
        connection: to its machine.
        address: where to look. A name alone, `ssh://host/night`, may be that of a run in the folder of runs there.
        work: a folder of ours to recognise forms in; what is left in it is of no use.
        warn: told where there are several records.
        named: whether a folder that holds several, and is none itself, is refused instead, but for the machine's own.

    Raises:
        IsRangeTest: an LR range test is there, and no run.
        UserError: nothing is there, or nothing known; or several are.
        Lost: the connection is.
    """
    root = path_of(connection, address)
    names = _names(connection, root)
    if not names and "/" not in root.strip("/") and (called := _called(connection, root.strip("/"))):
        root, names = called, _names(connection, called)
    if not names:
        raise UserError(say("remote.nothing", address=plain(str(address))))
    found = _of_ours(connection, names)
    ours = [record.path for record in found]
    others = [name for name in names if not any(name.startswith(f"{run}/") for run in ours)]
    found += _of_others(connection, root, others, work)
    if not found:
        raise _none(connection, address, names)
    found.sort(key=lambda record: record.written_at, reverse=True)
    if named and (itself := next((record for record in found if record.path == root), None)) is not None:
        return itself
    if named and len(found) > 1 and address.path:
        addresses = listed([plain(str(address.at(record.path))) for record in found], NAMED_AT_MOST)
        raise UserError(say("foreign.which", path=plain(str(address)), names=addresses))
    if len(found) > 1:
        shown = [plain(below_root(root, record.path) or record.path) for record in found]
        said = listed(shown[1:], NAMED_AT_MOST)
        folder = plain(str(address))
        warn(say("foreign.several", count=f"{len(found):,}", folder=folder, name=shown[0], others=said))
    return found[0]


def path_of(connection: Connection, address: Address) -> str:
    """The absolute path that an address means on its machine."""
    if not address.path:
        return connection.runs
    if address.path == "~" or address.path.startswith("~/"):
        return (connection.home.rstrip("/") + address.path[1:]).rstrip("/") or "/"
    return address.path.rstrip("/") or "/"


def runs_of(connection: Connection, folder: str) -> list[FarRecord]:
    """The records of ours in a folder of runs, in no order.

    Raises:
        Lost: the connection is.
    """
    return _of_ours(connection, _names(connection, folder, 2))


def _names(connection: Connection, root: str, deepest: int = DEEPEST) -> list[str]:
    """The files at a path and below that."""
    *names, _ = connection.ask("l", root, deepest, LISTING, most=LISTING).content.split(b"\0")
    return [path for path in map(os.fsdecode, names) if below_root(root, path) is not None]


def _of_ours(connection: Connection, names: list[str]) -> list[FarRecord]:
    folders = dict.fromkeys(folder for folder, _, name in (path.rpartition("/") for path in names) if name in OURS)
    journals = [f"{folder}/events.jsonl" for folder in folders]
    seen = _seen(connection, journals)
    return [
        FarRecord(run, "", False, at.written_at if at else 0, at.size if at else 0)
        for run, at in zip(folders, seen, strict=True)
    ]


def _seen(connection: Connection, paths: list[str]) -> list[Seen | None]:
    seen: list[Seen | None] = []
    for begin in range(0, len(paths), SEEN_AT_ONCE):
        some = paths[begin : begin + SEEN_AT_ONCE]
        lines = connection.ask("s", *some, most=64 * len(some)).content.splitlines()
        if len(lines) != len(some):  # some are not there: which, is asked one by one
            lines = [answer.content for answer in connection.ask_all([("s", path) for path in some])]
        seen += map(Seen.of, lines)
    return seen


def _called(connection: Connection, name: str) -> str:
    """The folder of what goes by a name on a machine: a run, or an LR range test; empty where nothing does."""
    return _run_called(connection, name) or _test_called(connection, name)


def _run_called(connection: Connection, name: str) -> str:
    """The folder of a run of ours, by its id, its name or the start of its id; empty where there is none."""
    runs = [record.path for record in sorted(runs_of(connection, connection.runs), key=lambda run: -run.written_at)]
    ids = [PurePosixPath(run).name for run in runs]
    if name in ids:
        return runs[ids.index(name)]
    for run in runs:
        content = _head(connection, f"{run}/run.json", HEAD)
        try:
            facts = msgspec.json.decode(content)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
        if isinstance(facts, dict) and facts.get("name") == name:
            return run
    begun = [run for run, id in zip(runs, ids, strict=True) if id.startswith(name)]
    return begun[0] if len(begun) == 1 else ""


def _test_called(connection: Connection, name: str) -> str:
    """The folder of an LR range test, by its id or the start of its id; empty where there is none."""
    names = _names(connection, f"{connection.runs}/{range_tests.FOLDER}", 2)
    tests = [str(PurePosixPath(path).parent) for path in names if PurePosixPath(path).name == range_tests.FILE]
    begun = [test for test in tests if PurePosixPath(test).name.startswith(name)]
    exact = [test for test in begun if PurePosixPath(test).name == name]
    return (exact or begun)[0] if exact or len(begun) == 1 else ""


def _of_others(connection: Connection, root: str, names: list[str], work: Path) -> list[FarRecord]:
    """What other tools have recorded there: a copy of the tree with the first bytes of its files shows it."""
    wanted = [name for name in names if PurePosixPath(name).suffix.lower() not in _NO_RECORDS]
    stood = dict(zip(wanted, _seen(connection, wanted), strict=True))
    seen = sorted(((at, name) for name, at in stood.items() if at is not None), key=lambda pair: -pair[0].written_at)
    for at, name in seen[:MOST_LOOKED_AT]:
        below = below_root(root, name) or ""
        head = _head(connection, name, DOCUMENT_HEAD if below.endswith(".json") else HEAD, at.inode)
        if head.startswith(_DATABASE):
            continue
        here = work.joinpath(*below.split("/"))
        here.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        here.write_bytes(head)
        os.utime(here, (at.written_at, at.written_at))
    top = work / PurePosixPath(root).name if root in names else work
    return [_far(record, root, work, is_file=root in names) for record in forms.records_in(top)]


def _far(record: forms.Record, root: str, work: Path, *, is_file: bool) -> FarRecord:
    below = record.path.relative_to(work).as_posix()
    path = root if is_file or below == "." else f"{root.rstrip('/')}/{below}"
    is_a_file = record.path.is_file()
    return FarRecord(path, record.kind.tool, is_a_file, int(record.written_at), tables=record.tables)


def _head(connection: Connection, path: str, most: int, inode: int = -1) -> bytes:
    if inode == -1:
        at = _seen(connection, [path])[0]
        inode = at.inode if at is not None else -1
    answer = connection.ask("f", path, inode, 1, 0, most, most=most)
    content, _, _ = answer.content.partition(b"\n")[2].removesuffix(b"\n").rpartition(b"\n")
    return content[:most]


def _none(connection: Connection, address: Address, names: list[str]) -> UserError:
    """What is to be raised where no run is: what there is."""
    tests = [name for name in names if PurePosixPath(name).name == range_tests.FILE]
    if tests:
        written = [at.written_at if at is not None else 0 for at in _seen(connection, tests)]
        newest = tests[written.index(max(written))]
        at = address.at(str(PurePosixPath(newest).parent))
        return IsRangeTest(at, _head(connection, newest, range_tests.LARGEST))
    for name in names[:MOST_LOOKED_AT]:
        if _head(connection, name, len(_DATABASE)) == _DATABASE:
            there, path = plain(str(address.at(name))), plain(name)
            return UserError(say("remote.database", address=there, host=address.place, path=path))
    return UserError(say("foreign.none", path=plain(str(address)), tools=", ".join(["tui-trainer", *forms.TOOLS])))
