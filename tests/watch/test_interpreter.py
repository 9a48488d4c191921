"""What the interpreter makes of traces of some shapes."""

from __future__ import annotations

from math import isfinite, isnan

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.watch.made_traces import START, MadeTrace, interpreted, mnist, replayed
from tui_trainer.events import AnyEvent, CallFollowed, EpochEnded, LoopFound, RunConfigured, StepsTaken
from tui_trainer.watching.interpreter.interpreter import Interpreter
from tui_trainer.watching.trace import Obeyed, Observed, OptimizerSeen, Options, Saved, Site


def test_a_loop_over_epochs_is_told_with_its_losses_its_lrs_and_its_epochs() -> None:
    _, history = interpreted(mnist(epochs=3, batches=4).end())
    assert list(history.losses) == pytest.approx([2.0 / step for step in range(1, 13)])
    assert list(history.lrs) == [1.0] * 4 + [0.7] * 4 + [0.7 * 0.7] * 4
    assert history.epoch_starts == [1, 5, 9]
    assert [ended.epoch for ended in history.epochs] == [1, 2, 3]
    assert [ended.step for ended in history.epochs] == [4, 8, 12]
    assert history.epochs[0].train_loss == pytest.approx(sum(2.0 / step for step in range(1, 5)) / 4)
    assert [ended.lr for ended in history.epochs] == [1.0, 0.7, 0.7 * 0.7]


def test_what_a_run_came_to_is_told_as_far_as_it_is_known() -> None:
    _, history = interpreted(mnist(epochs=3, batches=4).end())
    configured = history.resolved
    assert configured is not None
    assert (configured.model, configured.parameters, configured.device) == ("Net", 1000, "cpu")
    assert (configured.dataset, configured.train_images, configured.val_images) == ("MNIST", 32, None)
    assert (configured.seed, configured.precision) == (1, "")
    recipe = history.recipe
    assert recipe is not None
    assert (recipe.optimizer, recipe.scheduler, recipe.batch_size) == ("Adadelta", "StepLR", 8)
    assert (recipe.epochs, recipe.batches_per_epoch, recipe.total_steps) == (3, 4, 12)


@pytest.mark.parametrize(
    ("size", "samples", "ranks", "told"),
    [
        (8, 32, 1, 24 / 3.0),
        (8, 30, 1, 22 / 3.0),  # the last batch is smaller
        (8, None, 1, 24 / 3.0),
        (None, None, 1, None),
        (8, 32, 2, None),
    ],
)
def test_images_a_second_are_those_of_the_epochs_steps(
    size: int | None, samples: int | None, ranks: int, told: float | None
) -> None:
    made = MadeTrace()
    made.frames[0] = msgspec.structs.replace(made.frames[0], world_size=ranks)  # type: ignore[type-var]
    optimizer, loader = made.optimizer(), made.loader(batches=4, batch_size=size, samples=samples)
    data, step = made.site("data", "train_loader", loader), made.site("optimizer.step", "optimizer", optimizer)
    for _ in range(2):
        for _ in made.batches(data, 4):
            made.step(step, optimizer)
            made.now += 1.0 - 0.002
        made.now += 100.0  # of a validation
    _, history = interpreted(made.end())
    speeds = [ended.images_per_second for ended in history.epochs]
    assert speeds == ([pytest.approx(told, abs=0.05)] * 2 if told else [pytest.approx(float("nan"), nan_ok=True)] * 2)


@pytest.mark.parametrize("arrives", ["with its step", "before its step", "a step late"])
@pytest.mark.parametrize("seen", [False, True])
def test_a_printed_loss_is_told_where_none_is_seen_of_the_step_it_was_printed_after(seen: bool, arrives: str) -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    events: list[AnyEvent] = []
    interpreter = Interpreter(events.append, Options(), lambda: START)
    lines: list[tuple[int, float, str]] = []
    took_in = 0

    def take_in(until: int) -> None:
        nonlocal took_in
        for frame in made.frames[took_in:until]:
            interpreter.take("1-1", frame)
        took_in = max(took_in, until)

    for number in range(1, 42):
        if seen:
            made.call(backward, 0.5)
        made.step(step, optimizer)
        made.flush()
        if number % 10 == 0:
            lines.append((number, made.now, f"step {number} train loss: {4 / number:.2f}, lr 0.1"))
            lines.append((number, made.now, "val loss: 9.25"))
            made.now += 0.001
        take_in(len(made.frames) - (arrives == "before its step"))
        while lines and lines[0][0] <= number - (arrives == "a step late"):
            _, at, line = lines.pop(0)
            interpreter.printed(line, at)
        interpreter.tick()
    take_in(len(made.frames))
    interpreter.finish()
    series = replayed(events).series
    called = "train loss (read from the output)"
    if seen:
        assert called not in series
        return
    assert list(zip(series[called].steps, series[called].values, strict=True)) == [(20, 0.2), (30, 0.13), (40, 0.1)]
    assert series.kind(called) == "train"


def test_a_loop_without_a_loader_counts_no_epochs() -> None:
    made = MadeTrace()
    optimizer = made.optimizer(class_name="AdamW", lrs=[3e-4])
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for number in range(5):
        made.call(backward, 4.0 - number)
        made.step(step, optimizer)
    events, history = interpreted(made.end())
    assert list(history.losses) == [4.0, 3.0, 2.0, 1.0, 0.0]
    assert history.epoch_starts == [1]
    assert not [event for event in events if isinstance(event, EpochEnded)]
    assert history.recipe is not None
    assert (history.recipe.epochs, history.recipe.batches_per_epoch, history.recipe.total_steps) == (None, None, None)


def test_an_epoch_that_a_loop_leaves_early_is_one_as_the_next_begins() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(), made.loader(batches=100)
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for _ in range(3):
        for _ in made.batches(data, 5, stops=False):
            made.call(backward, 1.0)
            made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert history.epoch_starts == [1, 6, 11]
    assert [ended.step for ended in history.epochs] == [5, 10], "whether the third is over nobody knows"


def test_a_loader_that_is_read_a_batch_ahead_has_its_last_step_in_its_epoch() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(), made.loader(batches=3)
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for _ in range(2):
        made.call(data, -1.0)
        made.call(data)
        for batch in range(3):
            made.call(data, 0.0 if batch < 2 else 1.0)
            made.call(backward, 1.0)
            made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert history.epoch_starts == [1, 4]
    assert [ended.step for ended in history.epochs] == [3, 6]


def test_one_batch_of_a_new_iterator_for_each_step_is_no_epoch() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(), made.loader(batches=100)
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for _ in range(5):
        made.call(data, -1.0)
        made.call(data)
        made.call(backward, 1.0)
        made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert history.epoch_starts == [1]
    assert not history.epochs


def test_losses_of_several_names_are_told_beside_the_main_one() -> None:
    made = MadeTrace()
    one, two = made.optimizer("optimizerD", "Adam", [2e-4]), made.optimizer("optimizerG", "Adam", [1e-4])
    loader = made.loader(batches=6)
    data = made.site("data", "dataloader", loader)
    real, fake, errg = (made.site("backward", name) for name in ("errD_real", "errD_fake", "errG"))
    step_d = made.site("optimizer.step", "optimizerD", one)
    step_g = made.site("optimizer.step", "optimizerG", two)
    for batch in made.batches(data, 6):
        made.call(real, 1.0 + batch)
        made.call(fake, 2.0 + batch)
        made.step(step_d, one)
        made.call(errg, 3.0 + batch)
        made.step(step_g, two)
    events, history = interpreted(made.end())
    assert list(history.losses) == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert list(history.series["errD_real"].values) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert list(history.series["errG"].values) == [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert history.steps == 6
    declared = history.series.declared("train_loss")
    assert declared is not None
    assert declared.shown_as == "errD_fake"
    assert any(isinstance(event, StepsTaken) and "errG" in event.metrics for event in events)


def test_losses_of_one_name_that_several_optimizers_step_by_are_told_apart() -> None:
    """A loop over networks, each with its optimizer: `loss.backward(); opt.step()` is one line for all of them."""
    made = MadeTrace()
    optimizers = [made.optimizer("opt", name) for name in ("SGD", "Adam", "Adam")]
    loader = made.loader(batches=3)
    backward = made.site("backward", "loss")
    steps = [made.site("optimizer.step", "opt", optimizer) for optimizer in optimizers]
    data = made.site("data", "dataloader", loader)
    for batch in made.batches(data, 3):
        rows = []
        for step, optimizer in zip(steps, optimizers, strict=True):
            rows.append(made.call(backward, float("nan")))  # as on a GPU, where losses come late
            made.step(step, optimizer)
        for place, row in enumerate(rows):
            made.late(row, float(place + batch))
    _, history = interpreted(made.end())
    assert list(history.losses) == [0.0, 1.0, 2.0]
    assert list(history.series["loss-Adam"].values) == [1.0, 2.0, 3.0]
    assert list(history.series["loss-opt"].values) == [2.0, 3.0, 4.0]
    assert "loss" not in history.series


def test_a_loss_that_comes_late_is_waited_for() -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    waiting = []
    for number in range(6):
        waiting.append((made.call(backward, float("nan")), 1.0 + number))
        made.step(step, optimizer)
        if len(waiting) > 2:
            made.late(*waiting.pop(0))
    for row in waiting:
        made.late(*row)
    _, history = interpreted(made.end())
    assert list(history.losses) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_a_loss_that_is_not_finite_and_one_that_was_not_seen_are_told_apart() -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    one, other = made.site("backward", "loss"), made.site("backward")
    step = made.site("optimizer.step", "optimizer", optimizer)
    made.call(one, 1.0)
    made.step(step, optimizer)
    made.late(made.call(other, float("nan")), float("nan"))
    made.step(step, optimizer)
    made.call(other, float("nan"))
    made.step(step, optimizer)
    made.call(one, float("inf"))
    made.step(step, optimizer)
    made.call(one, float("nan"))
    made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert history.losses[0] == 1.0
    assert all(not isfinite(loss) for loss in history.losses[1:])
    assert [history.series["train_loss"].is_missing(step) for step in range(1, 6)] == [False, False, True, False, False]


def test_an_lr_that_is_not_known_is_no_number() -> None:
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[None])
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for _ in range(2):
        made.call(backward, 1.0)
        made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert all(isnan(lr) for lr in history.lrs)
    assert history.series["lr"].is_missing(1)


def test_the_loop_is_listed_in_its_order_and_nested_by_its_passes() -> None:
    events, history = interpreted(mnist().end())
    assert history.loop is not None
    by_id = {site.id: site for site in history.loop.sites}
    listed = [(site.call, by_id[site.within].call if site.within else "") for site in history.loop.sites]
    assert listed == [
        ("data", ""),
        ("zero_grad", "data"),
        ("backward", "data"),
        ("optimizer.step", "data"),
        ("data", ""),
        ("scheduler.step", ""),
    ]
    assert [site.text for site in history.loop.sites][1:4] == [
        "optimizer.zero_grad()",
        "loss.backward()",
        "optimizer.step()",
    ]
    told = [event for event in events if isinstance(event, LoopFound)]
    assert len(told) <= 2


def test_calls_are_counted_and_timed_by_their_sites() -> None:
    _, history = interpreted(mnist(epochs=2, batches=4).end())
    assert history.loop is not None
    steps = next(site.id for site in history.loop.sites if site.call == "optimizer.step")
    assert history.calls[steps].count == 8
    assert history.calls[steps].seconds == pytest.approx(0.008)


def test_what_is_told_is_configured_before_its_first_step() -> None:
    events, _ = interpreted(mnist().end())
    kinds = [type(event) for event in events]
    assert kinds.index(RunConfigured) < kinds.index(StepsTaken)


def followed(what: str, pace: float, *, then: str = "", then_pace: float = 0.0) -> list[tuple[int, str]]:
    """The steps and calls that are told one by one, of a loop that this is asked of before its third step."""
    made = MadeTrace()
    optimizer = made.optimizer()
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for number in range(1, 6):
        if number in (3, 4) and (asked := what if number == 3 else then):
            seconds = pace if number == 3 else then_pace
            if seconds or what == "pace":  # as the observer tells it: the pace, and then what is to be done
                made.define(Obeyed(serial=number, what="pace", step=number - 1, clock=made.now, pace=seconds))
            asked = "run" if asked == "pace" else asked
            made.define(Obeyed(serial=number, what=asked, step=number - 1, clock=made.now, pace=seconds))
        made.call(backward, 0.5)
        made.step(step, optimizer)
    events, history = interpreted(made.end())
    names = {site.id: site.call for site in history.loop.sites} if history.loop is not None else {}
    told = [event for event in events if isinstance(event, CallFollowed) and event.value is not None]
    return [(event.step, names[event.call]) for event in told]


def test_in_slow_motion_calls_are_told_of_the_step_that_they_are_part_of() -> None:
    made = [(number, call) for number in (3, 4, 5) for call in ("backward", "optimizer.step")]
    assert followed("pace", 0.5) == made
    assert followed("pace", 0.5, then="pace") == made[:2]
    assert followed("run", 0.0) == []


def test_of_one_batch_too() -> None:
    assert followed("one", 0.0, then="run") == [(3, "backward"), (3, "optimizer.step")]
    assert [step for step, _ in followed("one", 0.0, then="run", then_pace=0.5)] == [3, 3, 4, 4, 5, 5]


@given(
    seconds=st.lists(st.floats(0.001, 0.1), min_size=2, max_size=8),
    held=st.lists(st.floats(0.0, 60.0), min_size=2, max_size=8),
)
def test_time_that_it_is_held_is_none_of_the_run(seconds: list[float], held: list[float]) -> None:
    """Neither of its clock nor of the call around, be it slow motion or a pause."""

    def trained(holds: bool) -> tuple[list[float], float, float]:
        made = MadeTrace()
        optimizer = made.optimizer()
        scaler, step = made.site("scaler.step", "scaler"), made.site("optimizer.step", "optimizer", optimizer)
        hold = made.site("held")
        for number, (took, stands) in enumerate(zip(seconds, held, strict=False), 1):
            began = made.now
            made.call(step, number, took)
            if holds:
                made.call(hold, 0.0, stands)
            made.ended(scaler, began)
        _, history = interpreted(made.end())
        listed = [site.call for site in history.loop.sites] if history.loop is not None else []
        assert sorted(listed) == ["optimizer.step", "scaler.step"]
        return [*history.elapsed], history.calls[str(scaler)].seconds, history.calls[str(step)].seconds

    (clock, around, within), (clock_held, around_held, within_held) = trained(holds=False), trained(holds=True)
    assert clock_held == pytest.approx(clock, abs=2e-4)
    assert around_held == pytest.approx(around, abs=1e-5)
    assert within_held == within


def test_a_closures_time_is_that_of_its_calls_and_not_the_steps() -> None:
    made = MadeTrace()
    optimizer = made.optimizer(class_name="LBFGS")
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for number in range(1, 4):
        began = made.now
        for _ in range(2):
            made.call(backward, 1.0, 0.3)
        made.now += 0.1
        made.ended(step, began, number)
        made.flush()
    _, history = interpreted(made.end())
    assert history.calls[str(step)].seconds == pytest.approx(0.3)
    assert history.calls[str(backward)].seconds == pytest.approx(1.8)
    assert list(history.losses) == [1.0] * 3


def test_losses_that_were_all_divided_by_their_number_are_summed() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(), made.loader(batches=8)
    data, backward = made.site("data", "train_loader", loader), made.site("backward", "loss")
    step = made.site("optimizer.step", "optimizer", optimizer)
    made.define(Observed(fact="divided", site=backward, values={"by": 4}))
    for batch in made.batches(data, 8):
        made.call(backward, 0.25 * (batch + 1))
        if batch % 4 == 3:
            made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert list(history.losses) == [0.25 + 0.5 + 0.75 + 1.0, 1.25 + 1.5 + 1.75 + 2.0]
    for value in (0.5, 0.75):  # what is left at an epoch's end
        made.call(backward, value)
    made.step(step, optimizer)
    assert list(interpreted(made.end())[1].losses)[2:] == [1.25]
    assert history.recipe is not None
    assert (history.recipe.batch_size, history.recipe.batches_per_epoch) == (4 * 8, 2)


def test_the_calls_of_all_batches_of_a_step_are_told_together() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(), made.loader(batches=6)
    data, backward = made.site("data", "train_loader", loader), made.site("backward", "loss")
    step = made.site("optimizer.step", "optimizer", optimizer)
    for batch in made.batches(data, 6):
        made.call(backward, 1.0)
        if batch % 2:
            made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert [order.calls for order in history.orders] == [["backward", "backward", "optimizer.step"]] * 2


@pytest.mark.parametrize("by", [None, 2, 4, 64])
def test_losses_of_several_backwards_that_were_not_divided_by_their_number_are_not_added(by: float | None) -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    if by is not None:
        made.define(Observed(fact="divided", site=backward, values={"by": by}))
    for value in (3.0, 2.0, 1.0):
        made.call(backward, value)
    made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert list(history.losses) == [1.0]


def test_a_step_that_the_scaler_skipped_leaves_no_loss_to_the_next() -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scaled, scale = made.site("scaler.step", "scaler"), made.site("scale", "scaler")
    made.call(scale, 65536.0, 0)
    for number, value in enumerate((5.0, 4.0, 3.0), 1):
        made.call(backward, value)
        began = made.now
        if number != 2:
            made.step(step, optimizer)
        made.ended(scaled, began, float(number == 2))
        if number == 2:
            made.call(scale, 32768.0, 0)
    _, history = interpreted(made.end())
    assert list(history.losses) == [5.0, 3.0]
    assert list(history.series["loss_scale"].values) == [65536.0, 32768.0]
    assert list(history.series["skipped_steps"].values) == [1.0]
    assert "loss" not in history.series


def test_a_wrapper_of_an_optimizer_makes_no_steps_of_its_own() -> None:
    made = MadeTrace()
    inner = made.number()
    outer = made.optimizer(class_name="AcceleratedOptimizer", wraps=inner)
    made.define(OptimizerSeen(id=inner, class_name="AdamW", module="torch.optim.adamw", name="", groups=[]))
    backward = made.site("backward", "loss")
    outside, inside = (made.site("optimizer.step", "optimizer", which) for which in (outer, inner))
    for _ in range(3):
        made.call(backward, 1.0)
        began = made.now
        made.step(inside, inner)
        made.ended(outside, began, 1.0)
    _, history = interpreted(made.end())
    assert history.steps == 3
    assert history.recipe is not None
    assert history.recipe.optimizer == "AdamW"


def test_a_loader_that_is_made_anew_for_each_epoch_is_one_line_and_its_passes_are_epochs() -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for _ in range(3):
        loader = made.loader(batches=2)
        data = made.site("data", "loader", loader, lineno=7, text="for x in loader:")
        for _ in made.batches(data, 2):
            made.call(backward, 1.0)
            made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert history.epoch_starts == [1, 3, 5]
    assert history.loop is not None
    assert [site.call for site in history.loop.sites].count("data") == 1
    (data_id,) = [site.id for site in history.loop.sites if site.call == "data"]
    assert history.calls[data_id].count == 6


def test_a_file_that_the_program_saves_is_told_at_its_step() -> None:
    made = mnist(epochs=1, batches=3)
    made.define(Saved(file="/home/somebody/mnist_cnn.pt", size=100, by="torch.save", clock=made.now))
    _, history = interpreted(made.end())
    saved = history.latest_checkpoint
    assert saved is not None
    assert (saved.file, saved.step, saved.epoch) == ("/home/somebody/mnist_cnn.pt", 3, 1)


def test_the_speed_of_each_rank_is_told() -> None:
    first, second = mnist(epochs=1, batches=4), MadeTrace()
    optimizer = second.optimizer()
    step = second.site("optimizer.step", "optimizer", optimizer)
    second.define(msgspec.structs.replace(second.frames[0], rank=1))
    events: list[AnyEvent] = []
    interpreter = Interpreter(events.append, Options(), lambda: START)
    for frame in first.end():
        interpreter.take("1-1", frame)
    hold = second.site("held")
    for _ in range(9):
        second.step(step, optimizer)
        second.call(hold, 0.0, 2.0)
        second.now += 0.499
    for frame in second.end():
        interpreter.take_other_rank("2-1", frame)
    interpreter.tick()
    interpreter.tick()
    interpreter.finish()
    series = replayed(events).series
    assert list(series["steps_per_second/rank 1"].values) == [pytest.approx(2.0)]
    assert series.kind("steps_per_second/rank 1") == "system"


def test_a_call_that_is_followed_tells_what_it_made() -> None:
    made = mnist(epochs=1, batches=2)
    made.define(Obeyed(serial=1, what="pace", step=2, clock=made.now, pace=0.5))
    backward = next(frame for frame in made.frames if isinstance(frame, Site) and frame.call == "backward")
    made.call(backward.id, 0.4127)
    _, history = interpreted(made.end())
    assert [(event.call, event.value) for event in history.followed] == [
        (str(backward.id), None),
        (str(backward.id), "loss 0.4127"),
    ]


def test_a_program_that_trains_beyond_what_was_said_loses_no_step() -> None:
    _, history = interpreted(mnist(4, 3).end(), Options(epochs=2))
    assert (history.steps, len(history.epochs)) == (12, 4)


def test_batches_that_come_out_of_the_blue_bring_no_step_into_doubt() -> None:
    """A row that no observer writes: that its loader gave a batch is not said, and two steps seem to share one."""
    frames = mnist(2, 2).end()
    damaged = [frame.copy() if isinstance(frame, np.ndarray) else frame for frame in frames]
    rows = next(frame for frame in damaged if isinstance(frame, np.ndarray))
    rows[5, 3] = 2.0
    _, history = interpreted(damaged)
    assert list(history.losses) == pytest.approx([2.0, 1.0, 2 / 3, 0.5])


def test_what_is_logged_within_a_step_is_of_that_step_and_behind_one_of_that_one() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(), made.loader(batches=3)
    data, step = made.site("data", "loader", loader), made.site("optimizer.step", "optimizer", optimizer)
    backward = made.site("backward", "loss")
    count = 0
    for _ in range(2):
        for _ in made.batches(data, 3):
            count += 1
            made.logged({"within": 10.0 * count}, by="tui_trainer")  # by the loss, say
            made.logged({"counted": -1.0 * count}, step=count, by="tui_trainer")
            made.call(backward, 1.0)
            made.step(step, optimizer)
            made.logged({"behind": 100.0 * count}, by="tui_trainer")
            made.logged({"numbered": 1.0 * count}, step=count, by="tui_trainer")
        made.logged({"of the epoch": 1.0 * count}, by="tui_trainer")
    for _ in made.batches(data, 1, stops=False):
        made.logged({"last word": 7.0}, by="tui_trainer")  # no step comes any more
    _, history = interpreted(made.end())
    told = {name: (list(series.steps), list(series.values)) for name, series in history.series.items()}
    every = [1, 2, 3, 4, 5, 6]
    assert told["within"] == (every, [10.0 * each for each in every])
    assert told["counted"] == (every, [-1.0 * each for each in every])
    assert told["behind"] == (every, [100.0 * each for each in every])
    assert told["numbered"] == (every, [1.0 * each for each in every])
    assert told["of the epoch"] == ([3, 6], [3.0, 6.0])
    assert told["last word"] == ([6], [7.0])


def test_without_a_loader_what_is_logged_behind_a_backward_is_of_the_step_to_come() -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    step, backward = made.site("optimizer.step", "optimizer", optimizer), made.site("backward", "loss")
    for count in range(1, 5):
        made.call(backward, 1.0)
        made.logged({"norm": 1.0 * count}, by="tui_trainer")
        made.step(step, optimizer)
    _, history = interpreted(made.end())
    assert list(history.series["norm"].values) == [1.0, 2.0, 3.0, 4.0]
