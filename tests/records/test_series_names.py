"""What names of series say, with those that say something else than they seem to."""

from __future__ import annotations

import pytest

from tui_trainer.events import Goal
from tui_trainer.records.series_names import Role, goal, objective_among, our_name, role

LESS = """loss train/loss val_loss valLoss eval_loss loss_epoch train_loss_step dice_loss iou_loss mean_squared_error
    IoULoss LPIPS error_top1 top1_error val/accuracy_error mse val.rmse perplexity wer FID nll map_loss error_rate"""
MORE = """acc val_acc accuracy train/accuracy top1 metrics/mAP50-95(B) f1 val/f1-score LRAP lrap inception_score dice
    val_iou miou mIoU val/mIoU bboxIoU rollout/ep_rew_mean val_r2 bleu episode/reward auroc acc_epoch"""
NEITHER = """lr lr-SGD/pg1 learning_rate grad_norm loss_D/gan gan/d_loss generator_loss discriminator_loss policy_loss
    value_loss critic_loss errD lossD epoch step time gpu_temp foo scale mapping placeholder lossless accent kl_loss"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [(name, meant) for names, meant in ((LESS, "min"), (MORE, "max"), (NEITHER, "none")) for name in names.split()],
)
def test_goals(name: str, expected: Goal) -> None:
    assert goal(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train/loss", "train"),
        ("val_loss", "held out"),
        ("eval/loss", "held out"),
        ("testAccuracy", "held out"),
        ("lr-SGD/pg1", "lr"),
        ("learning_rate", "lr"),
        ("lrap", ""),
        ("train/lr", "lr"),
        ("gpu_temp", "system"),
        ("epoch", "axis"),
        ("global_step", ""),
        ("train_loss_epoch", "train"),
        ("contest", ""),
        ("loss", ""),
        ("", ""),
        ("加", ""),
    ],
)
def test_roles(name: str, expected: Role) -> None:
    assert role(name) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("train/loss val/loss val/acc lr", "val/acc"),
        ("loss accuracy val_loss", "val_loss"),
        ("train_loss_step val_f1 val_loss", "val_loss"),
        ("epoch metrics/mAP50(B) train/box_loss", "metrics/mAP50(B)"),
        ("train/acc train/loss", "train/loss"),
        ("loss grad_norm", "loss"),
        ("lr grad_norm epoch gan/d_loss", None),
        ("", None),
    ],
)
def test_what_a_run_is_judged_by(names: str, expected: str | None) -> None:
    assert objective_among(names.split()) == expected


@pytest.mark.parametrize("name", ["lr-SGD-momentum", "lr-AdamW-weight_decay", "lr_scheduler/calls"])
def test_what_stands_beside_an_lr_is_none(name: str) -> None:
    assert role(name) != "lr"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train/loss", "train_loss"),
        ("loss", "train_loss"),
        ("Loss/train", "train_loss"),
        ("train_loss_epoch", "train_loss"),
        ("eval_loss", "val_loss"),
        ("validation/epoch_loss", "val_loss"),
        ("val/acc", "val_accuracy"),
        ("valAccuracy", "val_accuracy"),
        ("learning_rate", "lr"),
        ("train/lr", "lr"),
        ("lr-SGD/pg1", None),
        ("accuracy", None),
        ("test_loss", None),
        ("val/box_loss", None),
        ("train/dice_loss", None),
        ("loss_scale", None),
        ("eval/runtime", None),
        ("", None),
    ],
)
def test_what_a_run_of_ours_calls_it(name: str, expected: str | None) -> None:
    assert our_name(name) == expected
