"""A run that was stopped anywhere goes on exactly where it stood."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from tests.engine import tiny as t
from tests.engine.test_control import ME, send_on, switch
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.commands import AnyCommand, SetPace, Stop
from tui_trainer.engine import checkpoints, datasets
from tui_trainer.engine.checkpoints import BEST, LAST, LAST_BUT_ONE, BadCheckpoint
from tui_trainer.events import (
    Alert,
    AnyEvent,
    CallsMade,
    EpochEnded,
    MetricsLogged,
    PlanMade,
    PresetSwitched,
    RunConfigured,
    RunEnded,
    StepsTaken,
)
from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.records.history import History

ADAM = '[optimizer]\nname = "Adam"\nlr = 0.01\n'
WARM_COSINE = ADAM + '[scheduler]\nname = "CosineAnnealingLR"\n[warmup]\nepochs = 1\n'
EPOCHS = 3
STEPS = EPOCHS * BATCHES


def stop_after(tiny: TinyRun, step: int, *before: AnyCommand) -> None:
    """Ask for a stop so that it is obeyed right after a step."""

    def reached(event: AnyEvent) -> bool:
        # Calls are followed, so that every batch reports before the run attends to commands.
        return isinstance(event, StepsTaken) and event.step + len(event.losses) - 1 == step

    for command in (SetPace(by=ME, seconds_a_call=1e-9), *before):
        tiny.control.send(command)
    tiny.when.append((reached, lambda: tiny.control.send(Stop(by=ME))))


class Killed(BaseException):
    """Nothing is done behind it, as behind a signal that cannot be caught."""


def kill_after(tiny: TinyRun, step: int) -> None:
    """Have the process end right after a step."""

    def reached(event: AnyEvent) -> bool:
        return isinstance(event, StepsTaken) and event.step + len(event.losses) - 1 == step

    def end() -> None:
        raise Killed

    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-9))
    tiny.when.append((reached, end))


def forget_what_was_not_saved(tiny: TinyRun) -> int:
    """Leave the events up to the last checkpoint, as a record does that goes on from there; its step."""
    saved: int = checkpoints.load(tiny.folder / LAST)["step"]
    later = (place for place, event in enumerate(tiny.events) if isinstance(event, StepsTaken) and event.step > saved)
    del tiny.events[next(later) :]
    return saved


def numbers(tiny: TinyRun) -> dict[str, object]:
    """All that a run came to, without the times."""
    columns: dict[str, list[float | None]] = {}
    for event in tiny.of(StepsTaken):
        for name, values in event.metrics.items():
            columns.setdefault(name, []).extend(values)
    state = checkpoints.load(tiny.folder / LAST)
    of_average = {
        f"{kind}.{name}": value
        for kind in ("ema", "swa")
        for name, value in state.get(kind, {}).get("model", {}).items()
    }
    return {
        "losses": tiny.losses,
        "lrs": tiny.lrs,
        "epochs": [
            (e.epoch, e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy, e.lr) for e in tiny.of(EpochEnded)
        ],
        "of steps": columns,
        "of epochs": [
            {name: value for name, value in e.values.items() if name == "clipped_share" or name.endswith("_raw")}
            for e in tiny.of(MetricsLogged)
        ],
        "weights": {k: v.clone() for k, v in (state["model"] | of_average).items()},
    }


def older(file: Path) -> None:
    """Make a checkpoint one as it was before it had checksums, and told the loss of the best epoch."""
    state = {key: value for key, value in checkpoints.load(file).items() if key not in ("best_val_loss", "best_epoch")}
    torch.save({**state, "schema": 1}, file)


def assert_equal(one: dict[str, object], other: dict[str, object]) -> None:
    for key in one.keys() - {"weights"}:
        assert one[key] == other[key]
    for name, weight in one["weights"].items():
        assert torch.equal(weight, other["weights"][name]), name


@pytest.mark.parametrize("step", range(1, STEPS))
@pytest.mark.parametrize("text", [t.ONE_CYCLE, t.PLATEAU, WARM_COSINE], ids=["onecycle", "plateau", "warm-up"])
def test_stopped_after_any_step_it_goes_on_bit_for_bit(tiny: TinyRun, text: str, step: int) -> None:
    tiny.train(text, EPOCHS)
    whole = numbers(tiny)
    tiny.events.clear()
    stop_after(tiny, step)
    assert tiny.train(text, EPOCHS).step == step
    tiny.when.clear()
    assert tiny.train(text, EPOCHS, resume=True).status == "finished"
    assert_equal(numbers(tiny), whole)


@pytest.mark.parametrize("step", [1, BATCHES - 1, BATCHES, BATCHES + 1, 2 * BATCHES])
def test_a_switch_of_presets_in_between_changes_nothing_of_that(tiny: TinyRun, step: int) -> None:
    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-9))
    send_on(tiny, StepsTaken, switch())
    tiny.train(WARM_COSINE, EPOCHS)
    whole = numbers(tiny)
    tiny.events.clear()
    tiny.when.clear()
    send_on(tiny, StepsTaken, switch())
    stop_after(tiny, step)
    assert tiny.train(WARM_COSINE, EPOCHS).step == step
    tiny.when.clear()
    tiny.train(WARM_COSINE, EPOCHS, resume=True)
    assert_equal(numbers(tiny), whole)


def test_after_a_switch_it_goes_on_as_what_it_switched_to(tiny: TinyRun) -> None:
    send_on(tiny, StepsTaken, switch())
    stop_after(tiny, 2 * BATCHES + 1)
    tiny.train(WARM_COSINE, EPOCHS)
    (switched,) = tiny.of(PresetSwitched)
    before = len(tiny.events)
    tiny.when.clear()
    tiny.train(WARM_COSINE, EPOCHS, resume=True)
    (resolved,) = [event for event in tiny.events[before:] if isinstance(event, RunConfigured)]
    assert resolved.recipe == switched.recipe
    assert [event.steps[0] for event in tiny.events[before:] if isinstance(event, PlanMade)] == [switched.step]
    history = History()
    for event in tiny.events:
        history.apply(event)
    assert history.recipe == switched.recipe


def test_the_end_of_an_epoch_is_made_up_for_where_the_stop_came_before_it(tiny: TinyRun) -> None:
    stop_after(tiny, BATCHES)
    tiny.train(t.STEP, EPOCHS)
    assert tiny.of(EpochEnded) == []
    tiny.events.clear()
    tiny.train(t.STEP, EPOCHS, resume=True)
    first = tiny.of(CallsMade)[0]
    assert (first.epoch, first.batch, first.calls) == (1, None, ["validate", "scheduler.step"])


@pytest.fixture
def stopped(tiny: TinyRun) -> TinyRun:
    """A run that was stopped in its second epoch: it has a last checkpoint, one before it, and a best one."""
    stop_after(tiny, BATCHES + 1)
    assert isinstance(tiny.train(t.STEP, EPOCHS), RunEnded)
    return tiny


def test_a_checkpoint_cut_anywhere_is_not_loaded_and_the_one_before_it_serves(stopped: TinyRun) -> None:
    last = stopped.folder / LAST
    whole = last.read_bytes()
    for size in [*range(0, len(whole), len(whole) // 97), len(whole) - 1]:
        last.write_bytes(whole[:size])
        with pytest.raises(BadCheckpoint):
            checkpoints.load(last)
        assert newest(stopped.folder) == (LAST_BUT_ONE, BATCHES)
    last.unlink()
    assert newest(stopped.folder) == (LAST_BUT_ONE, BATCHES)


def newest(folder: Path) -> tuple[str, int]:
    found = checkpoints.load_newest(folder, {}, lambda state: state["step"])
    assert found is not None
    return found.file.name, found.taken


def test_checkpoints_are_private_and_leave_no_drafts(stopped: TinyRun) -> None:
    files = sorted(stopped.folder.iterdir())
    assert [file.name for file in files] == [BEST, LAST_BUT_ONE, LAST]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_checkpoint_of_another_run_says_which_field_was_what(
    stopped: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadCheckpoint, match="seed was 0 and is 1"):
        stopped.train(t.STEP, EPOCHS, seed=1, resume=True)
    with pytest.raises(BadCheckpoint, match=r"preset\.scheduler\.step_size was 2 and is 3") as refused:
        stopped.train(t.STEP.replace("step_size = 2", "step_size = 3"), EPOCHS, resume=True)
    assert "gamma" not in str(refused.value)
    with pytest.raises(BadCheckpoint, match=r"preset\.optimizer\.name was Adam and is RMSprop"):
        stopped.train(t.PLATEAU, EPOCHS, resume=True)
    with pytest.raises(BadCheckpoint, match="model was mlp and is cnn"):
        stopped.train(t.STEP, EPOCHS, model="cnn", resume=True)
    others = dataclasses.replace(t.images(), digest="0123456789abcdef" * 4)
    monkeypatch.setattr(datasets, "load", lambda spec, device, progress: others)
    with pytest.raises(BadCheckpoint, match=r"data \(its SHA-256\) was .* and is 0123456789ab…"):
        stopped.train(t.STEP, EPOCHS, resume=True)


def test_a_checkpoint_that_does_not_tell_of_its_data_is_taken(stopped: TinyRun) -> None:
    for name in (LAST, LAST_BUT_ONE):
        state = checkpoints.load(stopped.folder / name)
        del state["data"]
        torch.save({**state, "schema": 1}, stopped.folder / name)
    assert stopped.train(t.STEP, EPOCHS, resume=True).status == "finished"


def test_without_a_whole_checkpoint_one_is_told_so(stopped: TinyRun) -> None:
    for name in (LAST, LAST_BUT_ONE, BEST):
        (stopped.folder / name).write_bytes(b"torn")
    with pytest.raises(BadCheckpoint, match="no whole checkpoint") as refused:
        stopped.train(t.STEP, resume=True)
    assert all(f"{stopped.folder / name} is not a whole" in str(refused.value) for name in (LAST, LAST_BUT_ONE, BEST))


def test_where_none_was_saved_a_run_goes_on_from_its_beginning(tiny: TinyRun) -> None:
    tiny.train(t.STEP, EPOCHS)
    whole = numbers(tiny)
    for file in tiny.folder.iterdir():
        file.unlink()
    tiny.events.clear()
    assert tiny.train(t.STEP, EPOCHS, resume=True).status == "finished"
    assert_equal(numbers(tiny), whole)


def test_a_switch_that_was_promised_is_in_a_checkpoint_at_once(tiny: TinyRun) -> None:
    send_on(tiny, StepsTaken, switch())
    stop_after(tiny, BATCHES - 1)
    tiny.train(t.STEP, EPOCHS)
    assert checkpoints.load(tiny.folder / LAST_BUT_ONE)["switch"] is not None


SGD, MOMENTUM = '[optimizer]\nname = "SGD"\nlr = 0.01\n', "momentum = 0.9\n"
BY_STEPS = '[scheduler]\nname = "StepLR"\nstep_size = 1\n'
SCHEDULERS = {
    "none": "",
    "ConstantLR": "factor = 0.5\ntotal_iters = 2\n",
    "LinearLR": "start_factor = 0.5\n",
    "StepLR": "step_size = 1\n",
    "MultiStepLR": "milestones = [1, 2]\n",
    "ExponentialLR": "gamma = 0.9\n",
    "PolynomialLR": "power = 2.0\n",
    "CosineAnnealingLR": 'interval = "step"\n',
    "CosineAnnealingWarmRestarts": 'T_0 = 2\ninterval = "step"\n',
    "CyclicLR": "base_lr = 0.001\nmax_lr = 0.1\nstep_size_up = 3\n",
    "OneCycleLR": "max_lr = 0.1\n",
    "LambdaLR": 'formula = "triangle"\npeak = 0.3\n',
    "PiecewiseLinear": "points = [[0, 0.1], [1, 0.2], [3, 0]]\n",
    "SequentialLR": """interval = "step"
[[scheduler.stages]]
name = "LinearLR"
steps = 2
[[scheduler.stages]]
name = "MultiStepLR"
milestones = [1, 2]
steps = 3
[[scheduler.stages]]
name = "CosineAnnealingLR"
eta_min = 0.001
""",
    "ReduceLROnPlateau": "patience = 0\nthreshold = 0.9\n",
}


WARMUPS = (f"steps = {BATCHES + 3}\nstart_factor = 0\n", f'steps = {BATCHES + 1}\nmethod = "constant"\n')
"""Within them, and right behind, a run is stopped."""

TRAINING = (
    "label_smoothing = 0.2",
    "accumulate = 2",
    "ema_decay = 0.7",
    "swa_start = 1",
    "swa_start = 2\nswa_lr = 0.05\nswa_anneal_epochs = 2",
    "clip_grad_norm = 17",
    "clip_grad_value = 2",
    "early_stopping = {patience = 1}",
    'augmentation = [{name = "RandomCrop", padding = 3}, {name = "RandomRotation", degrees = 90}, "RandomErasing"]',
)

BIASES = '[[optimizer.groups]]\nmatch = "bias"\nweight_decay = 0\n'
LAST_LAYER = '[[optimizer.groups]]\nname = "3.*"\n'
GROUPS = {
    "groups": f"{ADAM}{BIASES}lr_scale = 2.0\n{LAST_LAYER}lr = 0.1\n{BY_STEPS}[warmup]\nsteps = 2\n",
    "groups in stages": f"{SGD}{MOMENTUM}{BIASES}lr_scale = 2.0\n"
    f'[scheduler]\nname = "SequentialLR"\n{SCHEDULERS["SequentialLR"]}',
    "groups on points": f'[optimizer]\nname = "SGD"\n{MOMENTUM}{BIASES}lr_scale = 2.0\n'
    '[scheduler]\nname = "PiecewiseLinear"\npoints = [[0, 0.01], [1, 0.1], [3, 0]]\n',
    "a list for groups": f'[optimizer]\nname = "SGD"\n{MOMENTUM}{BIASES}{LAST_LAYER}'
    '[scheduler]\nname = "OneCycleLR"\nmax_lr = [0.1, 0.2, 0.01]\n',
    "dropout": f"{SGD}{BY_STEPS}[model]\nwidth = 20\ndropout = 0.5\n",
    "dropout and a mean": f"swa_start = 1\n{SGD}{BY_STEPS}[model]\ndropout = 0.5\n",
    "shortcuts": f"{SGD}weight_decay = 0.1\nweight_decay_bias = 0\n"
    '[scheduler]\nname = "ReduceLROnPlateau"\npatience = 0\nthreshold = 0.9\nmin_lr = [0.001]\n',
}


@pytest.mark.parametrize(
    "text",
    [
        *(
            f'[optimizer]\nname = "{name}"\nlr = 0.01\n[scheduler]\nname = "StepLR"\nstep_size = 1\n'
            for name in OPTIMIZERS
        ),
        *(f'{SGD}{MOMENTUM}[scheduler]\nname = "{name}"\n{options}' for name, options in SCHEDULERS.items()),
        *(f"{SGD}{BY_STEPS}[warmup]\n{options}" for options in WARMUPS),
        *(f"{key}\n{SGD}{BY_STEPS}" for key in TRAINING),
        *GROUPS.values(),
    ],
    ids=[*OPTIMIZERS, *SCHEDULERS, *WARMUPS, *TRAINING, *GROUPS],
)
def test_every_optimizer_and_scheduler_goes_on_from_the_middle_of_an_epoch(tiny: TinyRun, text: str) -> None:
    tiny.train(text, EPOCHS)
    whole = numbers(tiny)
    tiny.events.clear()
    stop_after(tiny, BATCHES + 2)
    tiny.train(text, EPOCHS)
    tiny.when.clear()
    tiny.train(text, EPOCHS, resume=True)
    assert_equal(numbers(tiny), whole)


KEYS = {
    "stages": f'{SGD}{MOMENTUM}[scheduler]\nname = "SequentialLR"\n{SCHEDULERS["SequentialLR"]}',
    **{options: f"{SGD}{BY_STEPS}[warmup]\n{options}" for options in WARMUPS},
    **{key: f"{key}\n{SGD}{BY_STEPS}" for key in TRAINING},
    **GROUPS,
}


@pytest.mark.parametrize("text", KEYS.values(), ids=KEYS)
def test_killed_within_an_epoch_it_comes_out_as_if_it_had_not_been(tiny: TinyRun, text: str) -> None:
    whole_run = tiny.train(text, EPOCHS)
    whole = numbers(tiny)
    tiny.events.clear()
    kill_after(tiny, whole_run.step - 1)
    with pytest.raises(Killed):
        tiny.train(text, EPOCHS)
    assert 0 < forget_what_was_not_saved(tiny) < whole_run.step - 1
    tiny.when.clear()
    tiny.train(text, EPOCHS, resume=True)
    assert_equal(numbers(tiny), whole)


def test_a_checkpoint_holds_data_alone(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "touched",))

    torch.save({"schema": 1, "x": Evil()}, tmp_path / LAST)
    with pytest.raises(BadCheckpoint):
        checkpoints.load(tmp_path / LAST)
    assert not (tmp_path / "touched").exists()


def test_no_room_for_a_checkpoint_is_told_and_training_goes_on(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ended = tiny.train(t.STEP, EPOCHS)
    assert (ended.status, ended.exit_code) == ("finished", 1)
    assert [e.text for e in tiny.of(Alert)] == [
        f"no checkpoint of epoch {epoch} was saved: No space left on device" for epoch in range(1, EPOCHS + 1)
    ]
    assert list(tiny.folder.iterdir()) == []
