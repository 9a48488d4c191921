"""How ranks agree on what was asked of them, without the ranks: what the leader said is played back to a follower."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tui_trainer.commands import AnyCommand, Continue, OneBatch, Pause, SetEpochs, SetLR, SetPace, Stop, SwitchPreset
from tui_trainer.engine import distributed
from tui_trainer.engine.clock import TrainingClock
from tui_trainer.engine.control import CommandHandler, CommandQueue, RunStopped
from tui_trainer.engine.distributed import ManyRanks
from tui_trainer.events import AnyEvent, CommandAnswered, Continued, PaceChanged, Paused
from tui_trainer.torchrun import Rank

BATCHES, EPOCHS = 4, 6
ME = "test"

COMMANDS = st.one_of(
    st.just(Pause(by=ME)),
    st.just(Continue(by=ME)),
    st.just(OneBatch(by=ME)),
    st.sampled_from([0.0, 1e-9]).map(lambda seconds: SetPace(by=ME, seconds_a_call=seconds)),
    st.just(Stop(by=ME)),
)
"""Equal values are one command asked again: their ids are of no interest here."""


class Asked(CommandQueue):
    """Has something to take at some of the looks that a leader takes at it, and something for each pause."""

    def __init__(self, looks: list[list[AnyCommand]], in_pauses: list[AnyCommand]) -> None:
        super().__init__()
        self._looks, self._in_pauses = deque(looks), deque(in_pauses)

    def take(self) -> AnyCommand | None:
        if not self._waiting and self._looks:
            self._waiting.extend(self._looks.popleft())
        return super().take()

    def wait(self, seconds: float) -> None:
        self.send(self._in_pauses.popleft() if self._in_pauses else Continue(by=ME))


class OneRank:
    """The loop of one rank, less the training.

    Attributes:
        told: what it did and at which step: events, meetings, and batches with whether they were followed.
    """

    last_step = BATCHES * EPOCHS
    unit = "batch"

    def __init__(self, ranks: ManyRanks, own: CommandQueue) -> None:
        self.step = self.batch = 0
        self.told: list[tuple[int, str]] = []
        self._ranks = ranks
        self._command_handler = CommandHandler(ranks.lead(own), TrainingClock(), self._emit)

    @property
    def before_epoch_end(self) -> bool:
        return self.batch == BATCHES

    def train(self) -> None:
        try:
            self._command_handler.handle_commands(self)
            for _ in range(EPOCHS):
                self._epoch()
        except RunStopped:
            self._tell("stopped")

    def _epoch(self) -> None:
        for self.batch in range(1, BATCHES + 1):
            self.step += 1
            self._tell("followed" if self._command_handler.following else "trained")
            if self._ranks.sync_due(at_once=self._command_handler.following):
                self._tell("met")
                self._command_handler.handle_commands(self)
        self.batch = 0
        self._tell("validated")
        self._command_handler.handle_commands(self)

    def flush(self, *, wait: bool = False) -> None:
        self._tell("flushed")

    def set_epochs(self, command: SetEpochs) -> str:
        raise NotImplementedError

    def set_lr(self, command: SetLR) -> str:
        raise AssertionError("nobody asked")

    def switch_to(self, command: SwitchPreset) -> str:
        raise AssertionError("nobody asked")

    def save_checkpoint(self) -> str:
        raise AssertionError("nobody asked")

    def _emit(self, event: AnyEvent) -> None:
        match event:
            case Paused():
                self._tell("paused")
            case Continued():
                self._tell("went on")
            case PaceChanged(seconds_a_call=pace):
                self._tell(f"pace {pace}")
            case CommandAnswered(command=command):
                self._tell(f"answered {command}")

    def _tell(self, what: str) -> None:
        self.told.append((self.step, what))


@contextmanager
def broadcasting(broadcast: Callable[[Tensor], None], steps_take: list[float]) -> Iterator[None]:
    """In place of the processes' network, and of their clock."""
    clock = SimpleNamespace(seconds=0.0)
    taken = cycle(steps_take)

    def perf_counter() -> float:
        clock.seconds += next(taken)
        seconds: float = clock.seconds
        return seconds

    with (
        patch.object(distributed.dist, "broadcast", lambda tensor, src: broadcast(tensor)),
        patch.object(distributed, "time", SimpleNamespace(perf_counter=perf_counter)),
    ):
        yield


def leader_of(own: Asked, steps_take: list[float]) -> tuple[OneRank, deque[Tensor]]:
    """A leader that was asked something, at the end of its run, and all that it said."""
    said: deque[Tensor] = deque()
    leader = OneRank(ManyRanks(Rank(rank=0, ranks=2, local_rank=0, local_ranks=2)), own)
    with broadcasting(lambda tensor: said.append(tensor.clone()), steps_take):
        leader.train()
    return leader, said


LOOKS = st.lists(st.lists(COMMANDS, max_size=3), max_size=20)
STEPS_TAKE = st.lists(st.floats(1e-6, 2.0), min_size=1, max_size=9)


@given(LOOKS, st.lists(COMMANDS, max_size=20), STEPS_TAKE)
def test_a_follower_does_what_the_leader_does_at_the_same_step(
    looks: list[list[AnyCommand]], in_pauses: list[AnyCommand], steps_take: list[float]
) -> None:
    leader, said = leader_of(Asked(looks, in_pauses), steps_take)

    def hear(tensor: Tensor) -> None:
        tensor.copy_(said.popleft())

    follower = OneRank(ManyRanks(Rank(rank=1, ranks=2, local_rank=1, local_ranks=2)), CommandQueue())
    with broadcasting(hear, steps_take):
        follower.train()
    assert follower.told == leader.told
    assert not said


@given(st.integers(1, BATCHES * EPOCHS), STEPS_TAKE)
def test_one_batch_is_one_batch_wherever_the_run_was_paused(batches: int, steps_take: list[float]) -> None:
    one_by_one: list[AnyCommand] = [OneBatch(by=ME)] * batches
    leader, _ = leader_of(Asked([[Pause(by=ME)]], [*one_by_one, Stop(by=ME)]), steps_take)
    assert [step for step, what in leader.told if what == "paused"] == list(range(batches + 1))
    assert [step for step, what in leader.told if what == "followed"] == list(range(1, batches + 1))
    assert [step for step, what in leader.told if what == "validated"] == list(range(BATCHES, batches + 1, BATCHES))
