"""One connection: how ssh is called, what its shell answers, and what is said where it is none."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.remote.far_side import SHELLS, fake_ssh
from tests.waiting import until
from tui_trainer.errors import UserError
from tui_trainer.remote.address import Address
from tui_trainer.remote.connection import Connection, Lost
from tui_trainer.remote.mirror import Mirror, Seen

BOX = Address("box")


@contextmanager
def connected(**options: bool) -> Iterator[Connection]:
    connection = Connection(BOX, **options)  # type: ignore[arg-type]
    try:
        yield connection
    finally:
        connection.close()


def copied(connection: Connection, here: Path, there: Path) -> dict[str, bytes]:
    """What a mirror of all that lies there has, once it has caught up."""
    mirror = Mirror(here, str(there), lambda _: True)

    def looks() -> bool:
        mirror.look(connection)
        return not mirror.lags

    until(looks)
    return {path.relative_to(here).as_posix(): path.read_bytes() for path in here.rglob("*") if path.is_file()}


BSD_STAT = """#!/bin/sh
[ "$1 $2 $3" = "-L -f %i %z %m" ] || {{ echo "stat: illegal option" >&2; exit 1; }}
shift 3
[ "$1" != -- ] || shift
exec {stat} -L -c "%i %s %Y" -- "$@"
"""
"""Takes BSD's options and no others, as macOS' does."""


@pytest.mark.parametrize(
    ("shell", "tools"), [*((shell, tools) for shell in SHELLS for tools in ("all", "no stat")), ("sh", "BSD's stat")]
)
def test_any_shell_brings_files_of_any_name_and_leaves_them_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, tools: str
) -> None:
    fake_ssh(tmp_path, monkeypatch, shell, without=() if tools == "all" else ("stat",))
    if tools == "BSD's stat":
        (tmp_path / "tools" / "stat").write_text(BSD_STAT.format(stat=shutil.which("stat")))
        (tmp_path / "tools" / "stat").chmod(0o700)
    there = tmp_path / "far"
    names = ["plain", "a b", "it's", 'say "$(id)" `id` \\', "two\nlines", "-n", "*", "häß", "deep/er/one"]
    content = {name: os.urandom(place * 1000) + b"\n\n" for place, name in enumerate(names)}
    content["large"] = os.urandom(700_000)
    for name, each in content.items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(each)
    os.mkfifo(there / "pipe")
    (there / "link").symlink_to("plain")
    (there / "round").symlink_to(".")
    os.utime(there / "plain", (1e9, 1e9))
    with connected() as connection:
        here = tmp_path / "here"
        assert copied(connection, here, there) == content | {"link": content["plain"]}
    assert stat.S_IMODE(here.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in here.iterdir() if path.is_file()} == {0o600}
    if tools != "no stat":
        assert (here / "plain").stat().st_mtime == 1e9
    assert sorted(path.name for path in there.iterdir()) == sorted(
        {name.partition("/")[0] for name in content} | {"pipe", "link", "round"}
    )


def test_a_name_that_is_no_text_is_brought_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(tmp_path, monkeypatch)
    there = tmp_path / "far"
    there.mkdir()
    (there / os.fsdecode(b"\xff\xfe.csv")).write_bytes(b"1")
    with connected() as connection:
        assert copied(connection, tmp_path / "here", there) == {os.fsdecode(b"\xff\xfe.csv"): b"1"}


def test_ssh_is_asked_for_no_more_than_is_needed_and_asks_only_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = fake_ssh(tmp_path, monkeypatch)
    said: list[str] = []
    address = Address("box", "me", 2222)
    Connection(address, asks=said.append).close()
    first = given.read_text().splitlines()
    place = first.index("--")
    assert first[place + 1] == "box"
    assert first[place - 4 : place] == ["-p", "2222", "-l", "me"]
    assert {"-T", "-a", "-x"} <= set(first[:place])
    assert "BatchMode=yes" not in first
    assert "-C" not in first
    given.unlink()
    Connection(address, compressed=True).close()
    again = given.read_text().splitlines()
    assert {"BatchMode=yes", "-C"} <= set(again[: again.index("--")])
    assert said == []


def test_what_a_login_shell_prints_is_passed_over_and_what_ssh_says_is_shown_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch, first="printf 'hello there\\n'; printf 'a \\033[31mbanner\\n' >&2; sleep 0.1")
    said: list[str] = []
    connection = Connection(BOX, asks=said.append)
    assert connection.home == str(tmp_path)
    connection.close()
    assert said == ["a [31mbanner"]


@pytest.mark.says("remote.no_shell", "remote.silent", "remote.ended")
@pytest.mark.never_says("remote.no_shell", "remote.silent", "remote.ended", "remote.no_ssh")
def test_where_there_is_no_connection_it_is_said_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    for first, why, caption in (
        ("echo 'ssh: connect to host box: No route to host' >&2; exit 255", "ssh: connect to host box: No route", ""),
        ("exec sleep 60", "box has not answered for too long", "remote.silent"),
        ("exec yes", "box does not answer as a POSIX shell", "remote.no_shell"),
        ("exit 1", "the connection to box ended without a word", "remote.ended"),
    ):
        captions_said.clear()
        folder = tmp_path / f"{len(first)}"
        folder.mkdir()
        fake_ssh(folder, monkeypatch, first=first)
        with pytest.raises(Lost, match=why):
            Connection(BOX, patience=0.5)
        assert captions_said == {caption} - {""}


@pytest.mark.says("remote.no_ssh")
def test_without_ssh_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="ssh is not installed here"):
        Connection(BOX)


def test_a_file_that_holds_what_an_answer_ends_with_is_only_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch)
    there = tmp_path / "far"
    there.mkdir()
    content = b"".join(b"\ntui-trainer-%024x %d 0\n" % (number, number) for number in range(100))
    (there / "file").write_bytes(content)
    with connected() as connection:
        assert copied(connection, tmp_path / "here", there) == {"file": content}
        assert Seen.of(b"1 2") is None
        assert Seen.of(b"-1 2 3") is None
