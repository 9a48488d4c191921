"""Networks that are trained one after the other are one run; optimizers that step in turn stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watch.made_traces import START, Frame, MadeTrace, interpreted, mnist
from tests.watch.test_findings_of_traces import codes
from tui_trainer.events import Alert, AnyEvent, EpochEnded, PlanMade, RunConfigured
from tui_trainer.records.history import History
from tui_trainer.watching.interpreter.hand_over import HandOvers, TakenOver
from tui_trainer.watching.interpreter.interpreter import Interpreter
from tui_trainer.watching.trace import Obeyed, Observed, Options, Planned

TAKES_OVER = "took over at step"


class Network:
    """One that is trained, with an optimizer that is new as it steps first."""

    def __init__(self, made: MadeTrace, name: str = "optimizer", class_name: str = "SGD", lr: float = 0.1) -> None:
        self.made, self.name, self.class_name, self.lr = made, name, class_name, lr
        self.optimizer = self.site = self.backward = 0
        self.losses: list[float] = []

    def steps(self, loss: float) -> None:
        """Its loss goes backward, and it steps."""
        made = self.made
        self.backward = self.backward or made.site("backward", "loss")
        made.call(self.backward, loss)
        if not self.site:
            self.optimizer = made.optimizer(self.name, self.class_name, [self.lr])
            made.call(made.site("lr", "", self.optimizer), self.lr, 0)
            self.site = made.site("optimizer.step", self.name, self.optimizer)
        made.step(self.site, self.optimizer)
        self.losses.append(loss)

    def trains(self, data: int, epochs: int, batches: int, loss: float = 2.0, val_data: int = 0) -> None:
        """Epochs of it, each followed by a validation if there is a loader for one."""
        for _ in range(epochs):
            for _ in self.made.batches(data, batches):
                loss *= 0.9
                self.steps(round(loss, 6))
            if val_data:
                for _ in self.made.batches(val_data, 2):
                    pass
                self.made.logged({"val_loss": loss})


def a_loader(made: MadeTrace, batches: int = 4) -> int:
    return made.site("data", "train_loader", made.loader(batches=batches))


def folds(made: MadeTrace, number: int, epochs: int, batches: int = 4) -> list[Network]:
    """A cross-validation: for each fold a network, an optimizer and loaders of its own."""
    networks = []
    for _ in range(number):
        data, val = a_loader(made, batches), made.site("data", "val_loader", made.loader("val_loader", 2))
        networks.append(Network(made))
        networks[-1].trains(data, epochs, batches, val_data=val)
    return networks


def in_parts(made: MadeTrace, first: int = 2, second: int = 3) -> list[Network]:
    """The head first, and then the whole net, over the same data."""
    data = a_loader(made, 25)
    head, whole = Network(made, "head_optimizer", "Adam", 0.01), Network(made, "optimizer", "SGD", 0.1)
    head.trains(data, first, 25)
    whole.trains(data, second, 25, loss=9.0)
    return [head, whole]


def without_loader(made: MadeTrace) -> list[Network]:
    """Several runs over the whole data, a step each."""
    networks = [Network(made) for _ in range(3)]
    for network in networks:
        for step in range(40):
            network.steps(2.0 / (1 + step))
    return networks


def before_a_gan(made: MadeTrace) -> list[Network]:
    """A generator is trained alone, and then in turn with another network."""
    data = a_loader(made, 30)
    alone, one, other = Network(made, "pretraining"), Network(made, "optD"), Network(made, "optG", "Adam")
    alone.trains(data, 2, 30)
    for _ in range(2):
        for _ in made.batches(data, 30):
            one.steps(3.0)
            other.steps(4.0)
    return [alone, one]


AFTER_EACH_OTHER: dict[str, Callable[[MadeTrace], list[Network]]] = {
    "the folds of a cross-validation": lambda made: folds(made, 3, 2),
    "folds of one epoch": lambda made: folds(made, 4, 1),
    "two folds of one epoch": lambda made: folds(made, 2, 1),
    "the head, and then the whole net": in_parts,
    "a first part of one epoch": lambda made: in_parts(made, 1, 2),
    "runs without a loader": without_loader,
    "alone, and then a GAN": before_a_gan,
}


def gan(made: MadeTrace) -> Network:
    data, one, other = a_loader(made, 30), Network(made, "optD"), Network(made, "optG")
    for _ in range(2):
        for _ in made.batches(data, 30):
            one.steps(1.0)
            other.steps(2.0)
    return one


def with_a_critic(made: MadeTrace) -> Network:
    """Of a generator that stepped first, and waits for a hundred steps of its critic at first."""
    data, one, critic = a_loader(made, 400), Network(made, "optG"), Network(made, "optC")
    each = iter([100, 100, *[5] * 60])
    for number in made.batches(data, 400):
        if number % 100 == 0:
            one.steps(1.0)
        critic.steps(2.0)
    for _ in made.batches(data, 200):
        if not next(each, 5) % 5:
            one.steps(1.0)
        critic.steps(2.0)
    return one


def epoch_by_epoch(made: MadeTrace) -> Network:
    data, one, other = a_loader(made, 30), Network(made, "one"), Network(made, "other")
    for _ in range(4):
        one.trains(data, 1, 30)
        other.trains(data, 1, 30)
    one.trains(data, 1, 30)
    return one


def actor_and_critic(made: MadeTrace) -> Network:
    actor, critic = Network(made, "pi"), Network(made, "v")
    for _ in range(3):
        for network in (actor, critic):
            for _ in range(80):
                network.steps(1.0)
    actor.steps(1.0)
    return actor


def with_batches_of_its_own(made: MadeTrace) -> Network:
    """`next(iter(loader))` for each step of each."""
    data, one, other = a_loader(made, 30), Network(made, "one"), Network(made, "other")
    for _ in range(25):
        for network in (one, other):
            for _ in made.batches(data, 1, stops=False):
                network.steps(1.0)
    return one


IN_TURN: dict[str, Callable[[MadeTrace], Network]] = {
    "a GAN": gan,
    "a critic that makes many steps": with_a_critic,
    "epoch by epoch": epoch_by_epoch,
    "eighty steps each": actor_and_critic,
    "each with batches of its own": with_batches_of_its_own,
}


def said(history: History) -> list[str]:
    return [alert.text for alert in history.notices if TAKES_OVER in alert.text]


@pytest.mark.says("notice.taken_over")
@pytest.mark.parametrize("shape", AFTER_EACH_OTHER)
def test_networks_that_are_trained_one_after_the_other_are_one_run(shape: str) -> None:
    made = MadeTrace()
    networks = AFTER_EACH_OTHER[shape](made)
    _, history = interpreted(made.end())
    assert list(history.losses) == pytest.approx([loss for network in networks for loss in network.losses])
    assert list(history.lrs) == [network.lr for network in networks for _ in network.losses]
    firsts = np.cumsum([len(network.losses) for network in networks])[:-1] + 1
    assert [text.split(":")[0].rpartition(" ")[2] for text in said(history)] == [str(first) for first in firsts]
    assert not codes(made.frames)


@pytest.mark.never_says("notice.taken_over")
@pytest.mark.parametrize("shape", IN_TURN)
def test_optimizers_that_step_in_turn_stay_as_they_are(shape: str, captions_said: set[str]) -> None:
    made = MadeTrace()
    first = IN_TURN[shape](made)
    _, history = interpreted(made.end())
    assert list(history.losses) == pytest.approx(first.losses)
    assert "notice.taken_over" not in captions_said
    assert [event for event in codes(made.frames) if event != "steps_not_counted"] == []


def test_each_fold_has_its_epochs_and_their_validation() -> None:
    made = MadeTrace(arguments={"epochs": 2})
    networks = folds(made, 3, 2)
    events, history = interpreted(made.end())
    assert history.epoch_starts == [1, 5, 9, 13, 17, 21]
    assert [(ended.epoch, ended.step) for ended in history.epochs] == [(n, 4 * n) for n in range(1, 7)]
    assert [ended.val_loss for ended in history.epochs] == pytest.approx(
        [loss for network in networks for loss in network.losses[3::4]], abs=1e-5
    )
    recipes = [event.recipe for event in events if isinstance(event, RunConfigured)]
    assert recipes[0].epochs == 2
    assert [recipe.took_over_at for recipe in recipes][-1] == 17
    assert all(recipe.epochs is recipe.total_steps is None for recipe in recipes if recipe.took_over_at)


@pytest.mark.says("why.taken_over")
@pytest.mark.never_says("why.taken_over")
def test_why_the_lr_is_another_is_told_where_it_is(captions_said: set[str]) -> None:
    made = MadeTrace()
    folds(made, 3, 2)
    _, history = interpreted(made.end())
    assert not history.lr_changes
    assert "why.taken_over" not in captions_said
    made = MadeTrace()
    in_parts(made)
    _, history = interpreted(made.end())
    assert [(change.step, change.reason) for change in history.lr_changes] == [(50, "taken over by SGD, 0.01 → 0.1")]


@pytest.mark.says("health.another_optimizer")
@pytest.mark.never_says("health.another_optimizer")
def test_a_loss_that_begins_anew_does_not_diverge(captions_said: set[str]) -> None:
    def trained(second: bool, rises: bool = False) -> History:
        made = MadeTrace()
        data = a_loader(made, 100)
        one, other = Network(made), Network(made)
        one.trains(data, 3, 100, loss=30.0)
        if rises:
            for _ in made.batches(data, 100):
                one.steps(40.0)
        for _ in range(2):
            for _ in made.batches(data, 100):
                (other if second else one).steps(25.0)
        return interpreted(made.end())[1]

    def words(history: History) -> str:
        return history.health.finding.word if history.health.finding is not None else ""

    assert words(trained(second=False)) == "diverging"
    assert words(trained(second=True)) == ""
    assert "health.another_optimizer" not in captions_said
    risen = trained(second=True, rises=True)
    assert words(risen) == ""
    assert risen.health.over("diverging") == "another optimizer has taken over"


def test_what_was_planned_beyond_the_first_networks_end_is_planned_no_more() -> None:
    made = MadeTrace()
    data = a_loader(made, 25)
    head, whole = Network(made, "head", lr=0.1), Network(made, "whole", lr=0.02)
    head.steps(1.0)
    scheduler = made.scheduler(head.optimizer, "LambdaLR", state={"last_epoch": 0})
    plan = {"lrs": [[0.1] * 400], "length": 400, "length_from": "total_steps"}
    made.define(Planned(scheduler=scheduler, from_count=0, **plan))  # type: ignore[arg-type]
    scheduled = made.site("scheduler.step", "scheduler", scheduler)
    made.call(scheduled, 0.1)
    for _ in range(2):
        for _ in made.batches(data, 25):
            head.steps(1.0)
            made.call(scheduled, 0.1)
    whole.trains(data, 2, 25)
    events, history = interpreted(made.end())
    plans = [event for event in events if isinstance(event, PlanMade)]
    assert [(plan.steps[0], plan.lrs[0], plan.open_ended) for plan in plans[1:]] == [(52, 0.02, True)]
    assert history.planned_end == 0


def test_a_scheduler_of_the_second_network_is_planned_from_its_first_step_on() -> None:
    made = MadeTrace()
    data = a_loader(made, 25)
    head, whole = Network(made, "head", lr=0.1), Network(made, "whole", lr=0.5)
    head.trains(data, 2, 25)
    scheduler = scheduled = 0
    for epoch in range(3):
        for batch in made.batches(data, 25):
            whole.steps(1.0)
            if not epoch and not batch:
                scheduler = made.scheduler(whole.optimizer, state={"step_size": 1, "gamma": 0.1, "last_epoch": 0})
                plan = {"lrs": [[0.5, 0.05, 0.005]], "length": 3, "length_from": "epochs"}
                made.define(Planned(scheduler=scheduler, from_count=0, **plan))  # type: ignore[arg-type]
                made.model()
        scheduled = scheduled or made.site("scheduler.step", "scheduler", scheduler)
        lr = 0.5 * 0.1 ** (epoch + 1)
        made.call(scheduled, lr)
        made.call(made.site("lr", "", whole.optimizer), lr, 0)
    events, history = interpreted(made.end())
    plan_told = next(event for event in events if isinstance(event, PlanMade))
    assert (plan_told.steps, plan_told.lrs, plan_told.last_step) == ([51, 76, 101], [0.5, 0.05, 0.005], 125)
    assert [change.step for change in history.lr_changes] == [50, 75, 100, 125]


def test_it_is_said_some_times_and_not_of_a_hundred_folds() -> None:
    made = MadeTrace()
    folds(made, 50, 1)
    _, history = interpreted(made.end())
    assert (history.steps, len(said(history))) == (200, 20)


def test_a_network_that_is_trained_on_after_another_one_is_one_run_with_it() -> None:
    made = MadeTrace()
    data = a_loader(made, 25)
    one, other = Network(made, "one"), Network(made, "other", lr=0.3)
    one.trains(data, 2, 25)
    other.trains(data, 2, 25)
    one.trains(data, 2, 25)
    _, history = interpreted(made.end())
    assert list(history.lrs) == [0.1] * 50 + [0.3] * 50 + [0.1] * 50
    assert len(said(history)) == 2


def test_an_epoch_that_another_network_follows_without_a_loader_ends_before_it() -> None:
    made = mnist(epochs=2, batches=4)
    other = Network(made)
    for _ in range(600):
        other.steps(1.0)
    events, history = interpreted(made.end())
    assert [(ended.epoch, ended.step) for ended in events if isinstance(ended, EpochEnded)] == [(1, 4), (2, 8)]
    assert (history.steps, history.epoch_starts) == (608, [1, 5, 9])


def test_while_it_is_not_known_whether_another_one_took_over_the_program_is_seen_to_go_on() -> None:
    made = MadeTrace()
    data, now = a_loader(made, 25), START
    one, other = Network(made), Network(made)
    one.trains(data, 1, 25)
    for _ in made.batches(data, 25):
        other.steps(2.0)
    made.define(Obeyed(serial=1, what="pause", step=25, clock=made.now, pace=0.0))
    events: list[AnyEvent] = []
    interpreter = Interpreter(events.append, Options(), lambda: now)
    for frame in made.frames:
        interpreter.take("1-1", frame)
    now += 1.0
    interpreter.tick()
    assert interpreter.step == 25
    before = len(events)
    interpreter.tick()
    assert len(events) == before
    now += 6.0
    interpreter.tick()
    assert len(events) == before + 1
    (obeyed,) = [frame for frame in made.frames if isinstance(frame, Obeyed)]
    assert interpreter.step_of(obeyed) == 50
    interpreter.finish()
    assert interpreter.step == 50
    assert len([event for event in events if isinstance(event, Alert)]) == 1


# Whatever comes

NETWORKS = ("a", "b", "c")


@st.composite
def programs(draw: st.DrawFn) -> list[Frame]:
    """Blocks of steps of some networks, in passes or not, in any order."""
    made = MadeTrace()
    networks = [Network(made, name) for name in NETWORKS]
    loaders = [a_loader(made, 6) for _ in range(2)]
    for _ in range(draw(st.integers(1, 12))):
        network = draw(st.sampled_from(networks))
        batches = draw(st.integers(1, 25))
        if draw(st.booleans()):
            for _ in range(batches):
                network.steps(1.0)
        else:
            network.trains(draw(st.sampled_from(loaders)), draw(st.integers(1, 3)), min(batches, 6))
        if draw(st.booleans()):
            made.define(Observed(fact="epochs", values={"epochs": 3}))
    return made.end() if draw(st.booleans()) else [*made.frames, np.array([[nan] * 4])]


@given(programs(), st.data())
@settings(max_examples=40, deadline=None)
def test_all_is_given_on_in_its_order_with_the_same_hand_overs_however_it_is_cut(
    frames: list[Frame], data: st.DataObject
) -> None:
    def given_on(pieces: list[Frame]) -> tuple[list[object], list[int]]:
        hand_overs, told, marks = HandOvers(), list[object](), list[int]()
        for piece in pieces:
            for each in [*hand_overs.take(piece)]:
                keep(each, told, marks)
        for each in hand_overs.finish():
            keep(each, told, marks)
        return told, marks

    def keep(each: object, told: list[object], marks: list[int]) -> None:
        if isinstance(each, TakenOver):
            marks.append(len(told))
        elif isinstance(each, np.ndarray):
            told.extend(map(tuple, each.tolist()))
        else:
            told.append(each)

    pieces: list[Frame] = []
    for frame in frames:
        cut = data.draw(st.integers(0, len(frame))) if isinstance(frame, np.ndarray) else 0
        pieces += [frame[:cut], frame[cut:]] if isinstance(frame, np.ndarray) else [frame]
    whole: list[object] = []
    for frame in frames:
        keep(frame, whole, [])
    told, marks = given_on(frames)
    assert repr(told) == repr(whole)
    assert (repr(told), marks) == (repr(given_on(pieces)[0]), given_on(pieces)[1])
