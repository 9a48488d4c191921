"""What is typed to a watched command goes through a pipe in its run's folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tui_trainer.watching.host import keyboard
from tui_trainer.watching.host.keyboard import Keyboard


def test_what_is_typed_and_sizes_come_in_order(tmp_path: Path) -> None:
    assert not keyboard.takes_input(tmp_path)
    side = Keyboard(tmp_path)
    assert keyboard.takes_input(tmp_path)
    assert keyboard.type_to(tmp_path, b"one\n")
    assert keyboard.resize(tmp_path, 120, 40)
    assert keyboard.type_to(tmp_path, b"\x03")
    assert list(side.read()) == [b"one\n", (120, 40), b"\x03"]
    assert list(side.read()) == []


def test_more_than_fits_into_one_piece_comes_whole(tmp_path: Path) -> None:
    side = Keyboard(tmp_path)
    text = os.urandom(20_000)
    assert keyboard.type_to(tmp_path, text)
    assert b"".join(piece for piece in side.read() if isinstance(piece, bytes)) == text


def test_a_command_that_reads_nothing_is_waited_for_by_nobody(tmp_path: Path) -> None:
    Keyboard(tmp_path)
    taken = 0
    while keyboard.type_to(tmp_path, b"x" * 4000):
        taken += 1
        assert taken < 1000, "it never fills"


def test_nobody_else_can_open_it_and_no_other_file_is_written_to(tmp_path: Path) -> None:
    side = Keyboard(tmp_path)
    assert stat.S_IMODE((tmp_path / keyboard.PIPE).stat().st_mode) == 0o600
    os.close(side.fd)
    keyboard.remove(tmp_path)
    keyboard.remove(tmp_path)
    assert not keyboard.type_to(tmp_path, b"to nobody")
    file = tmp_path / "file"
    file.write_text("kept")
    (tmp_path / keyboard.PIPE).symlink_to(file)
    assert not keyboard.type_to(tmp_path, b"through a link")
    (tmp_path / keyboard.PIPE).unlink()
    file.rename(tmp_path / keyboard.PIPE)
    assert not keyboard.takes_input(tmp_path)
    assert not keyboard.type_to(tmp_path, b"to a file")
    assert (tmp_path / keyboard.PIPE).read_text() == "kept"
