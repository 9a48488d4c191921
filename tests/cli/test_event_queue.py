"""What is not read yet waits, but not without bound."""

from __future__ import annotations

from tests.scripted import scripted_run
from tui_trainer.cli.console import MOST_WAITING, EventQueue
from tui_trainer.events import AnyEvent, EpochEnded, MetricsLogged, RunEnded, StepsTaken
from tui_trainer.records.history import History


def taken(coming: EventQueue) -> list[AnyEvent]:
    """All that waits, up to the end of the run."""
    found = [coming.get(None)]
    while not isinstance(found[-1], RunEnded):
        found.append(coming.get(None))
    return found


def test_what_is_read_in_time_comes_whole_and_in_order() -> None:
    coming, events = EventQueue(), scripted_run(epochs=3)
    for event in events:
        coming.put(event)
    assert taken(coming) == events


def test_of_what_nobody_reads_the_ends_of_epochs_are_kept_and_steps_are_not() -> None:
    coming, events = EventQueue(), scripted_run(epochs=40, batches=100, steps_a_line=1)
    for event in events:
        coming.put(event)
    found = taken(coming)
    assert sum(isinstance(event, StepsTaken) for event in found) < MOST_WAITING
    ends = [event for event in events if isinstance(event, EpochEnded)]
    assert [event for event in found if isinstance(event, EpochEnded)] == ends
    history = History(forgets=True)
    for event in found:
        history.apply(event)
    assert history.epochs[-1] == ends[-1]
    assert history.ended is not None


def test_numbers_that_nobody_reads_do_not_pile_up() -> None:
    coming = EventQueue()
    for step in range(2 * MOST_WAITING):
        coming.put(MetricsLogged(at=1e9, step=step, values={"norm": 1.0}))
    end = scripted_run(epochs=1)[-1]
    coming.put(end)
    found = taken(coming)
    assert len(found) == MOST_WAITING + 1
    assert found[-1] == end
