"""Several processes train as one does, and are steered and lost together."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch

from tests import preloaded
from tests.own_code import LOSSES, OwnModule
from tests.ssh.together import done, history_of, run_named, together
from tests.waiting import until
from tui_trainer.commands import Continue, OneBatch, Pause, Stop, SwitchPreset
from tui_trainer.presets.catalogue import load
from tui_trainer.records.history import History
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

TINY = ["--model", "mlp", "--limit-train", "143", "--limit-val", "31", "--batch-size", "20", "--device", "cpu"]
TINY += ["--threads", "1"]
"""8 batches an epoch, the last of 3 images."""

ME = "test"


def assert_alike(one: History, other: History) -> None:
    """The same training, up to the order in which floats were added."""
    assert list(one.losses) == pytest.approx(list(other.losses), rel=1e-4, abs=1e-5)
    assert list(one.lrs) == list(other.lrs)
    assert len(one.epochs) == len(other.epochs)
    for a, b in zip(one.epochs, other.epochs, strict=True):
        assert (a.train_loss, a.val_loss) == pytest.approx((b.train_loss, b.val_loss), rel=1e-4)
        assert (a.train_accuracy, a.val_accuracy) == (b.train_accuracy, b.val_accuracy)


def test_two_ranks_give_the_losses_of_one(runs: Path, tmp_path: Path) -> None:
    for ranks in (1, 2):
        options = [*TINY, "--preset", "plateau", "--epochs", "4", "--name", f"of {ranks}"]
        said = done(ranks, "run", *options, log=tmp_path)
        assert "finished: all epochs done" in said[0]
        assert not any(said[1:])
    one = history_of(runs, "of 1")
    assert one.steps == 32
    two = history_of(runs, "of 2")
    assert two.resolved is not None
    assert two.resolved.ranks == 2
    assert_alike(two, one)


CLIPPED = """[training]
augmentation = [{name = "RandomCrop", padding = 2}, {name = "RandomRotation", degrees = 20}, "RandomErasing"]
accumulate = 3
label_smoothing = 0.1
ema_decay = 0.5
clip_grad_norm = 0.8
early_stopping = {patience = 1, min_delta = 100}
[optimizer]
name = "SGD"
lr = 0.05
momentum = 0.9
[[optimizer.groups]]
match = "bias"
lr_scale = 2.0
weight_decay = 0.1
[scheduler]
interval = "step"
[[scheduler.stages]]
name = "LinearLR"
start_factor = 0.5
steps = 2
[[scheduler.stages]]
name = "none"
"""


def test_two_ranks_clip_the_gradients_of_the_whole_step_have_the_same_groups_and_end_early_together(
    runs: Path, tmp_path: Path
) -> None:
    preset = tmp_path / "clipped.toml"
    preset.write_text(CLIPPED)
    for ranks in (1, 2):
        done(ranks, "run", *TINY, "--preset", str(preset), "--epochs", "4", "--name", f"of {ranks}", log=tmp_path)
    one, two = history_of(runs, "of 1"), history_of(runs, "of 2")
    assert_alike(two, one)
    for name in ("grad_norm", "clipped_share", "val_loss_raw"):
        assert list(two.series[name].values) == pytest.approx(list(one.series[name].values), rel=1e-3)
    assert len(one.series["grad_norm"].values) == 6  # 3 steps an epoch, of 3, 3 and 2 batches
    of_biases = list(one.series["lr-SGD/pg2"].values)
    assert list(two.series["lr-SGD/pg2"].values) == of_biases
    assert of_biases == pytest.approx([0.05, 0.075, 0.1, 0.1, 0.1, 0.1])
    assert 0 < one.series["clipped_share"].values[0] <= 1


DROPS = """[optimizer]
name = "SGD"
lr = 0.05
[model]
dropout = 0.5
"""


def test_what_dropout_leaves_out_is_drawn_by_each_rank_and_all_else_is_as_of_one(runs: Path, tmp_path: Path) -> None:
    preset = tmp_path / "drops.toml"
    preset.write_text(DROPS)
    for ranks, name in ((1, "one"), (2, "two"), (2, "again")):
        done(ranks, "run", *TINY, "--preset", str(preset), "--epochs", "2", "--name", name, log=tmp_path)
    one, two, again = (history_of(runs, name) for name in ("one", "two", "again"))
    assert two.losses.tobytes() == again.losses.tobytes()
    assert two.losses[0] != one.losses[0]
    assert list(two.lrs) == list(one.lrs)
    assert one.resolved is not None
    assert two.resolved is not None
    assert (two.resolved.digests.weights, two.resolved.digests.order) == (
        one.resolved.digests.weights,
        one.resolved.digests.order,
    )


OF_ONES_OWN = """[optimizer]
name = "SGD"
lr = 0.05
[[optimizer.groups]]
match = "matrix"
optimizer = "Muon"
lr = 0.01
"""


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_two_ranks_make_the_steps_of_muon_and_of_an_optimizer_of_a_persons_own(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset, module = tmp_path / "own.toml", OwnModule(tmp_path, LOSSES)
    preset.write_text(OF_ONES_OWN)
    monkeypatch.chdir(module.folder)
    for ranks in (1, 2):
        code = ["--optimizer", module.of("sgd"), "--allow-code", "--name", f"of {ranks}"]
        done(ranks, "run", *TINY, "--preset", str(preset), "--epochs", "2", *code, log=tmp_path)
    one, two = history_of(runs, "of 1"), history_of(runs, "of 2")
    assert list(two.losses) == pytest.approx(list(one.losses), rel=1e-2)  # Muon reckons in bfloat16
    assert len(set(two.losses)) == 16


AVERAGED = """[model]
width = 8
[training]
swa_start = 2
swa_lr = 0.0005
swa_anneal_epochs = 1
clip_grad_value = 0.05
[optimizer]
name = "SGD"
momentum = 0.9
weight_decay = 0.1
weight_decay_norm = 0
[scheduler]
name = "CyclicLR"
base_lr = 0.001
max_lr = 0.002
step_size_up = 2
"""
"""A momentum that moves, then an LR of SWALR's."""


def test_batches_are_normalised_as_a_whole_though_a_share_be_empty(runs: Path, tmp_path: Path) -> None:
    options = ["--model", "resnet9", "--limit-train", "7", "--limit-val", "3", "--batch-size", "5", "--device", "cpu"]
    preset = tmp_path / "averaged.toml"
    preset.write_text(AVERAGED)
    for ranks in (1, 3):  # the last batch has 2 images: 3 ranks cannot all have one
        named = [*options, "--threads", "1", "--preset", str(preset), "--epochs", "3", "--name", f"of {ranks}"]
        done(ranks, "run", *named, log=tmp_path)
    one, three = history_of(runs, "of 1"), history_of(runs, "of 3")
    assert list(three.lrs) == list(one.lrs)
    assert one.lrs[-1] == 0.0005
    assert list(three.series["momentum"].values) == list(one.series["momentum"].values)
    assert len(set(one.series["momentum"].values)) > 1
    assert list(three.losses) == pytest.approx(list(one.losses), rel=5e-3)
    assert [e.val_loss for e in three.epochs] == pytest.approx([e.val_loss for e in one.epochs], rel=5e-3)


def test_stopped_with_two_it_goes_on_with_one_and_with_two_again(runs: Path, tmp_path: Path) -> None:
    options = [*TINY, "--preset", "cosine", "--epochs", "40"]
    with together(2, "run", *options, "--name", "stopped", log=tmp_path) as first:
        run = run_named(runs, "stopped")
        host = JournalSource(run)
        until(lambda: bool(host.poll()) and host.history.steps > 20)
        host.send(Stop(by=ME, reason="enough"))
        assert first.wait() == [0, 0]
    host.poll()
    assert host.history.ended is not None
    assert 20 < host.history.steps == host.history.ended.step < 320
    with together(1, "resume", run.name, log=tmp_path) as second:
        stopped_at = host.history.steps
        until(lambda: bool(host.poll()) and host.history.steps > stopped_at)
        second.send(signal.SIGTERM)
        assert second.wait() == [143]
    done(2, "resume", run.name, log=tmp_path)
    done(1, "run", *options, "--name", "whole", log=tmp_path)
    assert_alike(replay(run), history_of(runs, "whole"))


def test_commands_are_obeyed_by_all_at_the_same_step(runs: Path, tmp_path: Path) -> None:
    with together(2, "run", *TINY, "--preset", "none", "--epochs", "4000", "--name", "led", log=tmp_path) as led:
        host = JournalSource(run_named(runs, "led"))

        def answered(count: int) -> bool:
            host.poll()
            return len(host.history.answers) >= count

        until(lambda: bool(host.poll()) and host.history.steps > 0)
        host.send(Pause(by=ME))
        until(lambda: answered(1))
        assert host.history.paused is not None
        assert host.history.paused.step == host.history.steps
        host.send(SwitchPreset(by=ME, name="exponential", preset=load("exponential").model_dump(mode="json")))
        until(lambda: answered(2))
        host.send(Continue(by=ME))
        until(lambda: bool(host.poll()) and bool(host.history.switches))
        led.send(signal.SIGINT)  # ctrl+c reaches all of them, and torchrun passes it on once more
        led.send(signal.SIGINT)
        assert led.wait() == [130, 130]
    host.poll()
    assert [answer.accepted for answer in host.history.answers][:3] == [True] * 3
    assert host.history.status == "stopped"


def test_one_batch_is_trained_by_all_and_can_be_followed(runs: Path, tmp_path: Path) -> None:
    with together(2, "run", *TINY, "--preset", "none", "--epochs", "4000", "--name", "led", log=tmp_path):
        host = JournalSource(run_named(runs, "led"))
        until(lambda: bool(host.poll()) and host.history.steps > 0)
        host.send(Pause(by=ME))
        until(lambda: bool(host.poll()) and len(host.history.answers) == 1)
        if host.history.batch == host.history.batches_in_epoch - 1:  # else the epoch's end would be what is followed
            host.send(OneBatch(by=ME))
            until(lambda: bool(host.poll()) and len(host.history.answers) == 2 and host.history.paused is not None)
        paused_at, answered = host.history.steps, len(host.history.answers)
        host.send(OneBatch(by=ME))
        until(lambda: bool(host.poll()) and len(host.history.answers) > answered and host.history.paused is not None)
        assert host.history.steps == paused_at + 1
        calls = {event.call: event.value for event in host.history.followed if event.value is not None}
        assert list(calls)[:5] == ["zero_grad", "forward", "loss", "backward", "optimizer.step"]
        assert float((calls["loss"] or "").split()[1]) == pytest.approx(host.history.losses[-1], abs=1e-4)


def test_a_lost_rank_ends_the_run_and_another_number_of_them_goes_on(runs: Path, tmp_path: Path) -> None:
    options = [*TINY, "--preset", "none", "--epochs", "30"]
    with together(2, "run", *options, "--name", "lost", log=tmp_path) as both:
        run = run_named(runs, "lost")
        until(lambda: replay(run).steps > 0)
        both.send(signal.SIGKILL, 1)
        assert both.wait() == [1, -signal.SIGKILL]
    lost = replay(run)
    assert lost.ended is not None
    assert (lost.status, lost.ended.exit_code) == ("crashed", 1)
    assert "another of the 2 processes was lost; resume goes on from the checkpoint" in lost.ended.reason
    assert lost.ended.reason in both.said[0]
    done(1, "resume", run.name, log=tmp_path)
    done(1, "run", *options, "--name", "whole", log=tmp_path)
    assert_alike(replay(run), history_of(runs, "whole"))


def test_a_lost_leader_ends_the_others_and_its_run_has_crashed(runs: Path, tmp_path: Path) -> None:
    with together(2, "run", *TINY, "--preset", "none", "--epochs", "4000", "--name", "lost", log=tmp_path) as both:
        run = run_named(runs, "lost")
        host = JournalSource(run)
        until(lambda: bool(host.poll()) and host.history.steps > 0)
        both.send(signal.SIGKILL, 0)
        assert both.wait() == [-signal.SIGKILL, 1]
    until(lambda: bool(host.poll()) and host.history.ended is not None)
    assert host.history.status == "crashed"


def test_bad_input_leaves_nothing_behind(runs: Path, tmp_path: Path) -> None:
    with together(2, "run", "--preset", "none", "--device", "cuda:7", log=tmp_path) as both:
        assert both.wait() == [2, 2]
        assert "each of several processes has a device of its own" in both.said[0]
    assert not runs.exists()


def test_under_torchrun_itself(runs: Path) -> None:
    launcher = "torch.distributed.run"
    start = ["--standalone", "--nproc-per-node", "2", "-m", "tui_trainer"]
    options = [*TINY, "--preset", "none", "--epochs", "2", "--name", "real"]
    ended = preloaded.run(*start, "run", *options, module=launcher)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("finished: all epochs done") == 1
    assert history_of(runs, "real").steps == 16
