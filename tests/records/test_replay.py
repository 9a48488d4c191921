"""The history of a live run equals the history replayed from its journal, whatever happened and wherever it is cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records.streams import KINDS, anything, fold, runs, state_of
from tests.scripted import scripted_run
from tests.text.test_reasons import reasons
from tui_trainer.events import AnyEvent, LRUnchanged, decode, encode
from tui_trainer.records.history import History
from tui_trainer.records.journal import Journal
from tui_trainer.records.tail import Tail
from tui_trainer.text.reasons import WORDS, word

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_there_is_a_strategy_for_every_kind_of_event() -> None:
    assert set(KINDS) == set(AnyEvent.__args__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_each_kind_survives_the_disk(kind: type, data: st.DataObject) -> None:
    event = data.draw(KINDS[kind])
    line = encode(event)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert repr(decode(line)) == repr(event)


@pytest.mark.parametrize("code", WORDS)
@settings(max_examples=20)  # of each code, and there are fifty
@given(data=st.data())
def test_a_reason_survives_the_disk(code: str, data: st.DataObject) -> None:
    """With all that may stand beside it: an LR, and that no epoch is left to use it."""
    reason = data.draw(reasons(code))
    event = LRUnchanged(at=1.0, step=1, epoch=1, lr=0.1, reason=word(reason), because=reason)
    assert decode(encode(event)) == event


@same_folder
@given(events=st.one_of(runs(), anything))
def test_live_equals_replayed(tmp_path: Path, events: list[AnyEvent]) -> None:
    path = tmp_path / "events.jsonl"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    for event in events:
        journal.emit(event)
    journal.close()
    assert state_of(_replay(path)) == state_of(fold(events))


@same_folder
@given(events=runs(), data=st.data())
def test_followed_while_it_grows_in_pieces_of_any_size(
    tmp_path: Path, events: list[AnyEvent], data: st.DataObject
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"")
    content = b"".join(map(encode, events))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    followed = History()
    with Tail(path) as tail, path.open("ab", buffering=0) as file:
        for begin, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
            file.write(content[begin:end])
            for event in tail:
                followed.apply(event)
            whole = content[:end].count(b"\n")
            assert tail.lines == whole
            assert state_of(followed) == state_of(fold(events[:whole]))


@pytest.mark.slow
def test_cut_at_every_byte_of_its_last_kilobyte(tmp_path: Path) -> None:
    events = scripted_run(epochs=2, batches=6, scheduler="OneCycleLR", slow_batch=9, pause_after=5, switch_at=2)
    content = b"".join(map(encode, events))
    assert len(content) < 11_000  # each of the cuts is read from its beginning
    path = tmp_path / "events.jsonl"
    expected: dict[int, object] = {}
    for cut in range(len(content) - 1024, len(content) + 1):
        path.write_bytes(content[:cut])
        whole = content[:cut].count(b"\n")
        if whole not in expected:
            expected[whole] = state_of(fold(events[:whole]))
        with Tail(path) as tail:
            replayed = fold(list(tail))
            assert tail.skipped == 0
            assert tail.lines == whole
        assert state_of(replayed) == expected[whole]


def _replay(path: Path) -> History:
    history = History()
    with Tail(path) as tail:
        for event in tail:
            history.apply(event)
    return history
