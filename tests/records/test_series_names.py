"""What names of series say, with those that say something else than they seem to."""

from __future__ import annotations

import pytest

from tui_trainer.events import Goal
from tui_trainer.records.series_names import Role, goal, role

LESS = """loss train/loss val_loss valLoss eval_loss loss_epoch train_loss_step dice_loss iou_loss mean_squared_error
    error_top1 top1_error val/accuracy_error mse val.rmse perplexity wer FID nll map_loss error_rate"""
MORE = """acc val_acc accuracy train/accuracy top1 metrics/mAP50-95(B) f1 val/f1-score LRAP lrap inception_score dice
    val_iou bleu episode/reward auroc acc_epoch"""
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
