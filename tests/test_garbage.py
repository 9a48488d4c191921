"""What is imported is kept from the garbage collector, and nothing else is."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from tui_trainer import garbage


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "made_for_this_test.py").write_text("things = [[] for _ in range(100)]\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "made_for_this_test", raising=False)
    return "made_for_this_test"


def test_what_is_imported_is_kept_from_the_collector_once(module: str) -> None:
    before = gc.get_freeze_count()
    with garbage.none_in_imports():
        assert not gc.isenabled()
        __import__(module)
    assert gc.isenabled()
    after = gc.get_freeze_count()
    assert after > before
    with garbage.none_in_imports():
        __import__(module)
    assert gc.isenabled()
    assert gc.get_freeze_count() <= after  # and not what was made since


def test_a_collector_that_is_off_is_left_off_and_nothing_is_kept_from_it(module: str) -> None:
    before = gc.get_freeze_count()
    gc.disable()
    try:
        with garbage.none_in_imports():
            __import__(module)
        assert not gc.isenabled()
        assert gc.get_freeze_count() <= before
    finally:
        gc.enable()


def test_it_looks_again_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), garbage.none_in_imports():
        __import__("there_is_no_such_module")
    assert gc.isenabled()


def test_while_much_is_on_show_what_stays_is_not_looked_at_and_afterwards_as_usual() -> None:
    before = gc.get_threshold()
    one, other = garbage.SeldomLooks(), garbage.SeldomLooks()
    one.begin()
    one.begin()
    assert gc.get_threshold() == (*before[:2], garbage.SeldomLooks.NEVER)
    other.begin()
    one.end()
    assert gc.get_threshold()[2] == garbage.SeldomLooks.NEVER
    other.end()
    other.end()
    assert gc.get_threshold() == before


@pytest.mark.parametrize("collects", [True, False])
def test_nothing_is_looked_at_meanwhile_and_then_as_before(collects: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        with garbage.none_meanwhile():
            assert not gc.isenabled()
        assert gc.isenabled() == collects
    finally:
        (gc.enable if was else gc.disable)()
