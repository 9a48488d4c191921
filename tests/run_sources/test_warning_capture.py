"""What Python warns of, in the logs of the runs that go on meanwhile, one after the other or at once."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tui_trainer.run_sources.monitoring import WarningCapture


@pytest.fixture
def seen() -> Iterator[list[str]]:
    """What reaches whoever showed warnings before us."""
    seen: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_, **__: seen.append(str(message))
        yield seen


def run(folder: Path) -> WarningCapture:
    folder.mkdir()
    return WarningCapture(lambda: folder, lambda: (folder / "log.txt").open("ab"))


def log(folder: Path) -> list[str]:
    """The warnings in it, without where they came from."""
    file = folder / "log.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.partition("UserWarning: ")[2] for line in lines if "UserWarning: " in line]


def warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=1)


def elsewhere(act: Callable[[], Any]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def test_after_runs_that_overlapped_warnings_go_where_they_went_before(tmp_path: Path, seen: list[str]) -> None:
    before = warnings.showwarning
    first, second = run(tmp_path / "first"), run(tmp_path / "second")
    first.__enter__()
    second.__enter__()
    first.__exit__()
    warn("of the second alone")
    second.__exit__()
    assert warnings.showwarning is before
    warn("of none")
    assert log(tmp_path / "first") == []
    assert log(tmp_path / "second") == ["of the second alone"]
    assert seen == ["of the second alone", "of none"]


def test_a_run_after_another_has_its_own_warnings_once(tmp_path: Path, seen: list[str]) -> None:
    for name in ("first", "second", "third"):
        with run(tmp_path / name):
            warn(f"of the {name}")
        assert log(tmp_path / name) == [f"of the {name}"]
    assert len(seen) == 3


def test_of_two_at_once_each_has_its_own_and_both_what_is_nobodys(tmp_path: Path, seen: list[str]) -> None:
    def train(name: str, then: Callable[[], None]) -> None:
        with run(tmp_path / name):
            warn(f"of the {name}")
            then()

    elsewhere(lambda: train("first", lambda: elsewhere(lambda: train("second", lambda: elsewhere(lambda: warn("?"))))))
    assert log(tmp_path / "first") == ["of the first", "?"]
    assert log(tmp_path / "second") == ["of the second", "?"]
    assert seen == ["of the first", "of the second", "?"]


def test_who_puts_a_hook_of_ours_back_late_harms_nobody(tmp_path: Path, seen: list[str]) -> None:
    """As `warnings.catch_warnings` of a library does, in which one run ends and the next begins."""
    first, second = run(tmp_path / "first"), run(tmp_path / "second")
    first.__enter__()
    late = warnings.catch_warnings()
    late.__enter__()
    first.__exit__()
    late.__exit__(None, None, None)
    warn("between them")
    with second:
        warn("of the second")
    warn("after them")
    assert log(tmp_path / "first") == []
    assert log(tmp_path / "second") == ["of the second"]
    assert seen == ["between them", "of the second", "after them"]


def test_a_hook_of_somebody_else_around_ours_tells_once(tmp_path: Path, seen: list[str]) -> None:
    heard: list[str] = []
    first, second = run(tmp_path / "first"), run(tmp_path / "second")
    with first:
        inner = warnings.showwarning

        def theirs(message: Warning | str, *rest: Any) -> None:
            heard.append(str(message))
            inner(message, *rest)

        warnings.showwarning = theirs  # type: ignore[assignment]
        with second:
            elsewhere(lambda: warn("of both"))
    assert (log(tmp_path / "first"), log(tmp_path / "second")) == (["of both"], ["of both"])
    assert heard == seen == ["of both"]
