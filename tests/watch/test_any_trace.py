"""Whatever stands in a trace: no exception, nothing that a record could not hold, and the same however it is cut."""

from __future__ import annotations

from math import inf, isfinite, nan
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.streams import state_of
from tests.watch.made_traces import START, Frame, MadeTrace, interpreted, mnist, replayed
from tui_trainer.events import AnyEvent, CallsTimed, EpochEnded, StepsTaken, decode, encode
from tui_trainer.watching import trace
from tui_trainer.watching.interpreter.interpreter import Interpreter
from tui_trainer.watching.trace import CALLS, Options, Rows

ids = st.integers(0, 6)
strange_ids = ids | st.integers(-(2**63), 2**63)
names = st.sampled_from(["", "loss", "val_loss", "lr", "train_loss", "x" * 1500, "加"])
numbers = st.floats() | st.sampled_from([0.0, 1.0, -1.0, nan, inf, 1e300])
whole = st.integers(-(2**63), 2**63) | st.integers(0, 5)
plain: Any = st.dictionaries(
    st.sampled_from(
        ["last_epoch", "step_size", "gamma", "T_max", "eta_min", "best", "total_steps", "base_lrs", "epochs"]
    ),
    st.none() | numbers | whole | names | st.lists(numbers, max_size=3),
    max_size=6,
)
classes = st.sampled_from(
    ["StepLR", "OneCycleLR", "ReduceLROnPlateau", "CosineAnnealingLR", "Mine", "SequentialLR", ""]
)
groups = st.builds(trace.Group, parameters=whole, tensors=whole, lr=st.none() | numbers, options=plain, name=names)
DEFINITIONS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        trace.Site,
        id=strange_ids,
        call=st.sampled_from([*CALLS, "what"]),
        file=names,
        lineno=whole,
        function=names,
        name=names,
        text=st.sampled_from(["", "loss.backward()", "val_loss += loss.item()", "scheduler.step(val_loss)"]),
        target=strange_ids,
        part=ids,
    ),
    st.builds(
        trace.OptimizerSeen,
        id=ids,
        class_name=names,
        module=names,
        name=names,
        groups=st.lists(groups, max_size=3),
        wraps=ids,
    ),
    st.builds(
        trace.SchedulerSeen,
        id=ids,
        class_name=classes,
        module=st.sampled_from(["torch.optim.lr_scheduler", "mine"]),
        name=names,
        optimizer=ids,
        state=plain,
    ),
    st.builds(trace.SchedulerState, id=ids, state=plain, metric=st.none() | numbers),
    st.builds(
        trace.Planned,
        scheduler=ids,
        from_count=whole,
        lrs=st.lists(st.lists(numbers, max_size=4), max_size=2),
        length=st.none() | whole,
    ),
    st.builds(
        trace.LoaderSeen,
        id=ids,
        class_name=names,
        name=names,
        batches=st.none() | whole,
        batch_size=st.none() | whole,
        dataset=names,
        samples=st.none() | whole,
        sampler=names,
        map_style=st.booleans(),
        shuffles=st.none() | st.booleans(),
    ),
    st.builds(
        trace.ModelSeen,
        id=ids,
        class_name=names,
        name=names,
        parameters=whole,
        trainable=whole,
        in_optimizer=whole,
        device=names,
        device_name=names,
        dtype=names,
        modules=whole,
        mode_matters=st.booleans(),
        threads=whole,
    ),
    st.builds(
        trace.Logged,
        by=names,
        values=st.dictionaries(names, st.none() | numbers | st.just(10**400), max_size=3),
        step=st.none() | whole,
        clock=numbers,
    ),
    st.builds(
        trace.Observed, fact=st.just("divided"), site=ids, values=st.dictionaries(st.just("by"), numbers | whole)
    ),
    st.builds(
        trace.Obeyed,
        serial=whole,
        what=st.sampled_from(["pause", "run", "one", "pace", "lr"]),
        step=whole,
        clock=numbers,
        pace=numbers,
    ),
    st.builds(trace.Saved, file=names, size=whole, by=names, clock=numbers),
    st.builds(trace.Goodbye, clock=numbers),
)
rows = st.lists(
    st.tuples(ids.map(float) | numbers, numbers | st.floats(100, 101), numbers | st.floats(101, 102), numbers),
    min_size=1,
    max_size=12,
).map(lambda each: np.array(each, "<f8"))
frames = st.lists(rows | DEFINITIONS, max_size=40)
lines = st.sampled_from(["val loss: 0.41", "Accuracy: 12/10", "nan", "loss 1e999", "\x1b[2J test acc 0.5"])


def told(trace_of: list[Frame], printed: list[str], ticks: bool) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    interpreter = Interpreter(events.append, Options(), lambda: START)
    for number, frame in enumerate(trace_of):
        interpreter.take("1-1", frame)
        if number < len(printed):
            interpreter.printed(printed[number], 100.0 + number / 40)
        if ticks:
            interpreter.tick()
    interpreter.finish()
    return events


@given(frames, st.lists(lines, max_size=5), st.booleans())
@settings(max_examples=75, deadline=None)
def test_whatever_a_trace_holds_a_record_can_hold_what_is_told_of_it(
    trace_of: list[Frame], printed: list[str], ticks: bool
) -> None:
    events = told(trace_of, printed, ticks)
    for event in events:
        assert held_alike(decode(encode(event)), event)
    assert state_of(replayed(events)) == state_of(replayed([decode(encode(event)) for event in events]))
    assert not replayed(events).known.flaws.in_words(), "what is told fits together"
    steps = [row for frame in trace_of if isinstance(frame, np.ndarray) for row in frame]
    taken = sum(len(event.losses) for event in events if isinstance(event, StepsTaken))
    assert taken <= len(steps), "no step was told that no row tells of"


def held_alike(one: AnyEvent, other: AnyEvent) -> bool:
    return encode(one) == encode(other)


@st.composite
def damaged(draw: st.DrawFn) -> list[Frame]:
    """A sound trace of which frames are lost, told twice or exchanged, and rows hold other numbers."""
    frames = draw(loops())
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(frames) - 1))
        frame = frames[place]
        match draw(st.sampled_from(["lose", "repeat", "move", "row", "row", "row"])):
            case "lose" if len(frames) > 1:
                del frames[place]
            case "repeat":
                frames.insert(place, frame)
            case "move":
                frames.insert(draw(st.integers(0, len(frames) - 1)), frames.pop(place))
            case "row" if isinstance(frame, np.ndarray):
                other = frame.copy()
                row, column = draw(st.integers(0, len(frame) - 1)), draw(st.integers(0, 3))
                other[row, column] = draw(numbers | st.floats(90, 110) | st.integers(0, 20).map(float))
                frames[place] = other
            case _:
                pass
    return frames


@given(damaged(), st.booleans())
@settings(max_examples=75, deadline=None)
def test_a_damaged_trace_tells_nothing_that_contradicts_itself(trace_of: list[Frame], ticks: bool) -> None:
    events = told(trace_of, [], ticks)
    for event in events:
        assert held_alike(decode(encode(event)), event)
    assert not replayed(events).known.flaws.in_words()


@st.composite
def loops(draw: st.DrawFn) -> list[Frame]:
    """Loops of a common shape, with things that some have."""
    made = mnist(draw(st.integers(1, 3)), draw(st.integers(1, 4)), lambda step: 2.0 / step)
    if draw(st.booleans()):
        made.logged({"val/loss": 0.5})
    return made.end()


@given(loops(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_trace_that_is_read_in_pieces_tells_the_same(trace_of: list[Frame], data: st.DataObject) -> None:
    _, in_one_go = interpreted(trace_of)
    events: list[AnyEvent] = []
    interpreter = Interpreter(events.append, Options(), lambda: START)
    for frame in trace_of:
        for piece in pieces(frame, data):
            interpreter.take("1-1", piece)
            if data.draw(st.booleans()):
                interpreter.tick()
    interpreter.finish()
    history = replayed(events)
    assert list(history.losses) == list(in_one_go.losses)
    assert list(history.lrs) == list(in_one_go.lrs)
    assert list(history.elapsed) == list(in_one_go.elapsed)
    assert history.epoch_starts == in_one_go.epoch_starts
    assert {name: (list(s.steps), list(s.values)) for name, s in history.series.items()} == {
        name: (list(s.steps), list(s.values)) for name, s in in_one_go.series.items()
    }
    assert [without_time(event) for event in history.epochs] == [without_time(event) for event in in_one_go.epochs]
    assert history.loop is not None
    assert in_one_go.loop is not None
    assert history.loop.sites == in_one_go.loop.sites
    assert {call: tally.count for call, tally in history.calls.items()} == {
        call: tally.count for call, tally in in_one_go.calls.items()
    }
    assert [order.calls for order in history.orders] == [order.calls for order in in_one_go.orders]
    assert [event.reason for event in history.lr_changes] == [event.reason for event in in_one_go.lr_changes]


def pieces(frame: Frame, data: st.DataObject) -> list[Frame]:
    if not isinstance(frame, np.ndarray) or len(frame) < 2:
        return [frame]
    cut = data.draw(st.integers(0, len(frame)))
    parts: list[Rows] = [frame[:cut], frame[cut:]]
    return [part for part in parts if len(part)]


def without_time(event: EpochEnded) -> tuple[Any, ...]:
    shown = (event.epoch, event.step, event.train_loss, event.val_loss, event.lr, event.elapsed)
    return tuple(each if isfinite(each) else "not finite" for each in shown)


def test_live_and_replayed_histories_are_the_same() -> None:
    events, live = interpreted(mnist().end())
    assert state_of(live) == state_of(replayed([decode(encode(event)) for event in events]))
    assert any(isinstance(event, CallsTimed) for event in events)


def test_a_trace_of_nothing_tells_nothing() -> None:
    events, _ = interpreted(MadeTrace().end())
    assert not events
