"""Streams of events made up by hypothesis, and what a history holds in a form that can be compared."""

from __future__ import annotations

from array import array
from collections import deque
from typing import Any

import msgspec
from hypothesis import strategies as st

from tests.scripted import START, float32, scripted_run
from tui_trainer import events as ev
from tui_trainer.events import CALLS, AnyEvent, Event, StepsTaken
from tui_trainer.records.history import History

MOST_STEPS = 500

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
moments = st.floats(START, START + 1e6)
measures = st.floats(0, 1e6) | st.sampled_from([float("nan"), float("inf")])
fractions = st.floats(0, 1)
lrs = st.floats(0, 10)
steps = st.integers(1, MOST_STEPS)
epochs = st.integers(1, 20)
calls = st.sampled_from(CALLS)
metric_names = st.sampled_from(["loss", "val/acc", "lr-SGD/pg1", "train_loss", "加", ""])
groups = st.sampled_from(["", "", "layer4.*"])
numbers = st.floats() | st.integers(-(2**70), 2**70)
preset_names = st.sampled_from(["steplr", "onecycle", "plateau", "none"])

recipes = st.builds(
    ev.ResolvedConfig,
    preset=preset_names,
    title=words,
    optimizer=st.just("SGD"),
    scheduler=st.just("StepLR"),
    interval=st.sampled_from(["step", "epoch", None]),
    monitor=st.sampled_from(["val_loss", None]),
    warmup_epochs=st.integers(0, 2),
    epochs=epochs,
    batch_size=st.integers(1, 128),
    batches_per_epoch=st.integers(1, 50),
    total_steps=steps,
)


@st.composite
def steps_taken(draw: st.DrawFn) -> StepsTaken:
    """A line of steps whose numbers fit each other, anywhere in the run."""
    count = draw(st.integers(1, 8))
    step = draw(steps)
    losses = st.lists(st.none() | st.floats(0, 100, width=32).map(float32), min_size=count, max_size=count)
    rates = draw(st.sampled_from([0, 1, count]))
    seen = draw(st.sampled_from([True, True, False]))
    return StepsTaken(
        at=draw(moments),
        step=step,
        epoch=draw(st.integers(1, min(step, 20))),
        batch=draw(st.integers(1, step)),
        losses=draw(losses) if seen else [None] * count,
        losses_seen=seen,
        lrs=draw(st.lists(lrs, min_size=rates, max_size=rates)),
        elapsed=draw(st.lists(st.floats(0, 1e5), min_size=count, max_size=count)),
        metrics=draw(st.dictionaries(st.sampled_from(["grad_norm", "加"]), losses, max_size=2)),
    )


@st.composite
def metric_columns(draw: st.DrawFn) -> ev.MetricColumns:
    """Columns that are as long as each other."""
    at = draw(st.lists(st.integers(0, MOST_STEPS), min_size=1, max_size=8, unique=True).map(sorted))
    whole: dict[str, int] = {"min_size": len(at), "max_size": len(at)}
    return ev.MetricColumns(
        at=draw(moments),
        steps=at,
        values=draw(st.dictionaries(metric_names, st.lists(numbers, **whole), max_size=3)),
        epochs=draw(st.just([]) | st.lists(epochs, **whole)),
        elapsed=draw(st.just([]) | st.lists(st.floats(0, 1e5), **whole)),
    )


@st.composite
def plans_made(draw: st.DrawFn) -> ev.PlanMade:
    """A curve of some points."""
    begins = draw(st.lists(steps, max_size=5, unique=True).map(sorted))
    return ev.PlanMade(
        at=draw(moments),
        steps=begins,
        lrs=draw(st.lists(lrs, min_size=len(begins), max_size=len(begins))),
        last_step=draw(steps),
        exact=draw(st.booleans()),
        note=draw(words),
        open_ended=draw(st.booleans()),
        groups=draw(st.dictionaries(metric_names, group_plans(), max_size=2)),
    )


@st.composite
def group_plans(draw: st.DrawFn) -> ev.GroupPlan:
    """The curve of a group of parameters."""
    begins = draw(st.lists(steps, max_size=3, unique=True).map(sorted))
    return ev.GroupPlan(
        steps=begins, lrs=draw(st.lists(lrs, min_size=len(begins), max_size=len(begins))), label=draw(words)
    )


def _of(kind: type[Event], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, at=moments, **fields)


KINDS: dict[type, st.SearchStrategy[Any]] = {
    ev.RunStarted: _of(
        ev.RunStarted,
        run=words,
        schema=st.just(1),
        pid=st.integers(1, 2**22),
        host=words,
        resumed_from_step=st.none() | st.integers(0, MOST_STEPS),
    ),
    ev.PhaseStarted: _of(ev.PhaseStarted, phase=words, detail=words),
    ev.RunConfigured: _of(
        ev.RunConfigured,
        dataset=words,
        model=words,
        parameters=st.none() | st.integers(0, 10**9),
        device=words,
        device_name=words,
        threads=st.none() | st.integers(1, 64),
        precision=st.sampled_from(["fp32", "bf16"]),
        seed=st.none() | st.integers(0, 2**63 - 1),
        train_images=st.none() | st.integers(1, 60_000),
        val_images=st.none() | st.integers(1, 10_000),
        recipe=recipes,
        versions=st.dictionaries(words, words, max_size=2),
        arithmetic=st.dictionaries(words, words, max_size=2),
    ),
    ev.PlanMade: plans_made(),
    ev.StepsTaken: steps_taken(),
    ev.MetricDeclared: _of(
        ev.MetricDeclared,
        name=metric_names,
        goal=st.sampled_from(["min", "max", "none"]),
        unit=words,
        kind=st.sampled_from(["train", "val", "lr", "system", "other"]),
        group=words,
        shown_as=words,
        objective=st.booleans(),
    ),
    ev.MetricsLogged: _of(
        ev.MetricsLogged,
        step=st.integers(0, MOST_STEPS),
        values=st.dictionaries(metric_names, numbers, max_size=4),
        epoch=st.none() | epochs,
        batch=st.none() | st.integers(1, 50),
        elapsed=st.none() | st.floats(0, 1e5),
    ),
    ev.MetricColumns: metric_columns(),
    ev.CallsMade: _of(
        ev.CallsMade,
        step=steps,
        epoch=epochs,
        batch=st.none() | st.integers(1, 50),
        calls=st.lists(calls, max_size=7),
    ),
    ev.CallsTimed: _of(
        ev.CallsTimed,
        counts=st.dictionaries(calls, st.integers(0, 100)),
        seconds=st.dictionaries(calls, st.floats(0, 10)),
        running=calls,
    ),
    ev.CallFollowed: _of(
        ev.CallFollowed,
        step=steps,
        epoch=epochs,
        batch=st.none() | st.integers(1, 50),
        call=calls,
        value=st.none() | words,
    ),
    ev.LRChanged: _of(ev.LRChanged, step=steps, epoch=epochs, old=lrs, new=lrs, reason=words, group=groups),
    ev.LRUnchanged: _of(ev.LRUnchanged, step=steps, epoch=epochs, lr=lrs, reason=words, group=groups),
    ev.PlateauCounted: _of(
        ev.PlateauCounted,
        epoch=epochs,
        monitor=st.just("val_loss"),
        value=measures,
        best=measures,
        best_epoch=st.integers(0, 20),
        bad_epochs=st.integers(0, 20),
        patience=st.integers(0, 20),
        cooldown=st.integers(0, 20),
    ),
    ev.EpochEnded: _of(
        ev.EpochEnded,
        epoch=epochs,
        step=steps,
        train_loss=measures,
        train_accuracy=fractions | st.just(float("nan")),
        val_loss=measures,
        val_accuracy=fractions | st.just(float("nan")),
        validated=st.booleans(),
        lr=lrs | st.just(float("nan")),
        images_per_second=st.floats(0, 1e6) | st.just(float("nan")),
        elapsed=st.floats(0, 1e5),
    ),
    ev.ConfusionCounted: _of(
        ev.ConfusionCounted,
        epoch=epochs,
        step=steps,
        classes=st.just(["a", "b"]),
        counts=st.lists(st.lists(st.integers(0, 100), min_size=2, max_size=2), min_size=2, max_size=2),
    ),
    ev.ProgramWatched: _of(
        ev.ProgramWatched, command=st.lists(words, max_size=3), cwd=words, pid=st.integers(0, 2**22)
    ),
    ev.LoopFound: _of(
        ev.LoopFound,
        sites=st.lists(
            st.builds(
                ev.CallSite, id=words, call=calls, text=words, file=words, lineno=st.integers(0, 1000), within=words
            ),
            max_size=3,
        ),
    ),
    ev.MistakeFound: _of(
        ev.MistakeFound,
        mistake=words,
        step=steps,
        file=words,
        lineno=st.integers(0, 1000),
        values=st.dictionaries(words, st.booleans() | st.integers(0, 100) | words, max_size=2),
    ),
    ev.SwitchPlanned: _of(ev.SwitchPlanned, epoch=epochs, preset=preset_names),
    ev.EpochsChanged: _of(ev.EpochsChanged, step=steps, epoch=epochs, old=epochs, recipe=recipes, by=words, then=words),
    ev.PresetSwitched: _of(ev.PresetSwitched, step=steps, epoch=epochs, old=preset_names, recipe=recipes),
    ev.SettingChanged: _of(ev.SettingChanged, setting=words, old=words, new=words, reason=words),
    ev.CheckpointSaved: _of(ev.CheckpointSaved, step=steps, epoch=epochs, file=words, best=st.booleans()),
    ev.Paused: _of(ev.Paused, step=steps, by=words),
    ev.Continued: _of(ev.Continued, step=steps, by=words, one_batch=st.booleans()),
    ev.PaceChanged: _of(ev.PaceChanged, seconds_a_call=st.floats(0, 5), by=words),
    ev.CommandAnswered: _of(
        ev.CommandAnswered, id=words, command=words, by=words, accepted=st.booleans(), answer=words
    ),
    ev.Alert: _of(ev.Alert, kind=words, text=words, over=words, rule=words),
    ev.RunEnded: _of(
        ev.RunEnded,
        status=st.sampled_from(["finished", "stopped", "diverged", "crashed"]),
        reason=words,
        step=steps,
        epoch=epochs,
        exit_code=st.integers(0, 143),
    ),
}
"""A strategy for each kind of event."""

anything = st.lists(st.one_of(*KINDS.values()), max_size=40)
"""Events of every kind in any order, as a damaged record may have them."""


@st.composite
def runs(draw: st.DrawFn) -> list[AnyEvent]:
    """A plausible run, cut off at any point, and perhaps gone on with from an earlier one."""
    epochs, batches = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    total = epochs * batches
    switch_at = draw(st.none() | st.integers(2, 5))
    events = scripted_run(
        epochs=epochs,
        batches=batches,
        scheduler=draw(st.sampled_from(["StepLR", "OneCycleLR", "ReduceLROnPlateau", "none"])),
        steps_a_line=draw(st.integers(1, 9)),
        slow_batch=draw(st.none() | st.integers(1, total)),
        pause_after=draw(st.none() | st.integers(1, total)),
        switch_at=switch_at,
        not_finite_at=draw(st.none() | st.integers(1, total)),
        seed=draw(st.integers(0, 3)),
    )
    cut = events[: draw(st.integers(0, len(events)))]
    if draw(st.booleans()):
        begun = events[: draw(st.integers(0, min(6, len(cut))))]
        again = events[draw(st.integers(len(begun), max(len(begun), len(cut)))) :]
        return cut + begun + again
    return cut


@st.composite
def runs_with_metrics(draw: st.DrawFn) -> list[AnyEvent]:
    """A plausible run that logs series of its own, anywhere, declares some of them, and may have been resumed."""
    events = draw(runs())
    names = draw(st.lists(metric_names | words, min_size=1, max_size=4, unique=True))
    logged = st.one_of(
        _of(
            ev.MetricsLogged,
            step=st.integers(0, 60),
            values=st.dictionaries(st.sampled_from(names), numbers, min_size=1, max_size=3),
            epoch=st.none() | epochs,
            elapsed=st.none() | st.floats(0, 1e5),
        ),
        metric_columns(),
        _of(
            ev.MetricDeclared,
            name=st.sampled_from([*names, "val_loss", "train_loss", "grad_norm"]),
            goal=st.sampled_from(["min", "max", "none"]),
            objective=st.booleans(),
        ),
    )
    told: list[AnyEvent] = []
    for event in events:
        told += draw(st.lists(logged, max_size=2)) if draw(st.integers(0, 4)) == 0 else []
        if isinstance(event, StepsTaken) and draw(st.integers(0, 3)) == 0:
            values = draw(st.lists(st.none() | st.floats(0, 100, width=32), min_size=1, max_size=1)) * len(event.losses)
            event = msgspec.structs.replace(event, metrics={draw(st.sampled_from(["grad_norm", *names])): values})
        told.append(event)
    return told


@st.composite
def tables(draw: st.DrawFn) -> list[AnyEvent]:
    """Rows of one table, as most lines of a foreign record are, with here and there something else among them: another
    event, a row with fewer numbers, one that goes back, one without an epoch, a clock that falls."""
    names = draw(st.lists(metric_names | words, min_size=1, max_size=3, unique=True))
    few = st.sampled_from([0.5, 1e-9, -3.25, 7, 2**60 + 1, 2**70, float("nan"), float("inf"), float("-inf")])
    with_epoch, with_clock = draw(st.booleans()), draw(st.booleans())
    step, told = draw(st.integers(0, 50)), list[AnyEvent]()
    for index in range(draw(st.integers(8, 20))):
        odd = draw(st.integers(0, 30))
        step = step + draw(st.integers(1, 3)) if odd != 1 else max(0, step - 3)
        told.append(
            ev.MetricsLogged(
                at=START + (index if odd != 2 else 0.5),
                step=step,
                values={name: draw(few) for name in (names if odd != 3 else names[:-1])},
                epoch=step // 10 if with_epoch and odd != 4 else None,
                elapsed=float(index if odd != 5 else 0) if with_clock else None,
            )
        )
        if odd == 6:
            told.append(draw(st.one_of(*(KINDS[kind] for kind in (ev.Alert, ev.MetricDeclared, ev.MetricColumns)))))
    return told


def fold(events: list[AnyEvent]) -> History:
    """The history of these events."""
    history = History()
    for event in events:
        history.apply(event)
    return history


def state_of(thing: Any) -> Any:
    """All that a history holds, private parts too, in a form in which nan equals nan."""
    match thing:
        case array():
            return thing.typecode, thing.tobytes()
        case list() | deque() | tuple():
            return [state_of(each) for each in thing]
        case dict():
            return {str(key): state_of(each) for key, each in thing.items()}
        case None | bool() | int() | float() | str() | msgspec.Struct():
            return repr(thing)
        case _ if hasattr(thing, "__slots__"):
            return [state_of(getattr(thing, name)) for name in thing.__slots__]
        case _:
            return state_of(vars(thing))
