"""A run of ours makes its calls in an order that the check has nothing against, whatever happens to it."""

from __future__ import annotations

import pytest

from tests.engine import tiny as t
from tests.engine.tiny import TinyRun
from tui_trainer.call_order import check
from tui_trainer.commands import Stop, SwitchPreset
from tui_trainer.events import AnyEvent, CallsMade, EpochEnded, PresetSwitched, RunConfigured

WARMUP = "[warmup]\nepochs = 2\nstart_factor = 0.1\n"
IN_STEPS = "[warmup]\nsteps = 4\nstart_factor = 0\n"
COSINE_BY_BATCH = '[optimizer]\nname = "SGD"\nlr = 0.01\n[scheduler]\nname = "CosineAnnealingLR"\ninterval = "step"\n'
CYCLIC = (
    '[optimizer]\nname = "SGD"\nlr = 0.01\nmomentum = 0.9\n'
    '[scheduler]\nname = "CyclicLR"\nbase_lr = 0.001\nmax_lr = 0.01\nstep_size_up = 3\n'
)
BY_BATCH = {"onecycle": t.ONE_CYCLE, "cosine": COSINE_BY_BATCH, "cyclic": CYCLIC}
BY_EPOCH = {"steplr": t.STEP, "plateau": t.PLATEAU}
TEXTS = {**BY_BATCH, **BY_EPOCH, "none": t.NONE}
TEXTS |= {
    f"{name} after a warm-up": text + WARMUP for name, text in TEXTS.items() if name not in ("cyclic", "onecycle")
}
TEXTS |= {f"{name} after a warm-up in steps": TEXTS[name] + IN_STEPS for name in ("cosine", "steplr")}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_whole_run_is_in_order(tiny: TinyRun, text: str) -> None:
    tiny.train(text, epochs=4)
    (resolved,) = tiny.of(RunConfigured)
    orders = tiny.of(CallsMade)
    assert len(orders) == 4 * 3
    assert check(resolved.recipe, orders) == []


@pytest.mark.parametrize("text", [t.STEP + WARMUP, COSINE_BY_BATCH + WARMUP], ids=["epochs", "batches"])
def test_so_is_one_that_was_stopped_and_gone_on_with(tiny: TinyRun, text: str) -> None:
    tiny.when.append((lambda event: isinstance(event, EpochEnded) and event.epoch == 1, lambda: stop(tiny)))
    tiny.train(text, epochs=4)
    tiny.when.clear()
    tiny.train(text, epochs=4, resume=True)
    assert max(order.epoch for order in tiny.of(CallsMade)) == 4
    assert check(tiny.of(RunConfigured)[0].recipe, tiny.of(CallsMade)) == []


def stop(tiny: TinyRun) -> None:
    tiny.control.send(Stop(by="test"))


def test_and_one_that_follows_another_preset_from_the_middle_on(tiny: TinyRun) -> None:
    other = t.preset(t.STEP + WARMUP).model_dump(mode="json")
    begun: list[AnyEvent] = []

    def switch() -> None:
        if not begun:
            tiny.control.send(SwitchPreset(by="test", name="other", preset=other))
        begun.append(tiny.events[-1])

    tiny.when.append((lambda event: isinstance(event, CallsMade), switch))
    tiny.train(t.ONE_CYCLE, epochs=5)
    (switched,) = tiny.of(PresetSwitched)
    before = [order for order in tiny.of(CallsMade) if order.epoch < switched.epoch]
    after = [order for order in tiny.of(CallsMade) if order.epoch >= switched.epoch]
    assert before
    assert check(tiny.of(RunConfigured)[0].recipe, before) == []
    assert check(switched.recipe, after, switched.epoch) == []
    assert [finding.mistake for finding in check(switched.recipe, after)] != []  # its warm-up began with the switch
