"""A range test trains as the preset would, but for the LR, and leaves what it copies as it was."""

from __future__ import annotations

import copy
from math import nan

import pytest
import torch
from torch.nn import functional

from tests.engine import tiny as t
from tui_trainer.engine import datasets, models, reproducibility
from tui_trainer.engine.datasets import Images
from tui_trainer.engine.lr_range_test import RangeTest
from tui_trainer.engine.prepare import Prepared, prepare
from tui_trainer.lr_suggestions import LRCurve, raised
from tui_trainer.run_spec import RunSpec

ADAM = '[optimizer]\nname = "Adam"\nlr = 0.01\nweight_decay = 0.01\n'
CYCLED = '[optimizer]\nname = "SGD"\nmomentum = 0.7\n[scheduler]\nname = "OneCycleLR"\nmax_lr = 0.1\n'
SHORT = RangeTest(1e-4, 0.01, steps=30)


def prepared(text: str = ADAM, data: Images | None = None, **options: object) -> Prepared:
    """The tiny data, or some other."""
    spec = RunSpec.of("tiny", t.preset(text), **{"model": "mlp", "threads": 1, "device": "cpu", **options})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", lambda *_: data or t.images())
        return prepare(spec, lambda _: None)


def by_hand(
    there: Prepared,
    optimizer: torch.optim.Optimizer,
    model: torch.nn.Module,
    seed: int = 0,
    parts: tuple[float, ...] = (1.0,),
) -> list[float]:
    """The same written out, over as many epochs as it takes; the loss of each step."""
    losses: list[float] = []
    lrs, training = raised(1e-4, 0.01, 30), there.spec.preset.training
    for epoch in range(1, 16):
        of_epoch = [*datasets.batches(there.images.train, t.BATCH_SIZE, seed, epoch)]
        for first in range(0, len(of_epoch), training.accumulate):
            of_step = of_epoch[first : first + training.accumulate]
            if len(losses) == 30:
                return losses
            for group, part in zip(optimizer.param_groups, parts, strict=True):
                group["lr"] = lrs[len(losses)] * part
            optimizer.zero_grad()
            of_all = torch.zeros(())
            for images, labels in of_step:  # full ones, or a single one that is left
                loss = functional.cross_entropy(model(images), labels, label_smoothing=training.label_smoothing)
                loss = loss / len(of_step)
                loss.backward()
                of_all += loss.detach()
            if training.clip_grad_norm is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), training.clip_grad_norm)
            optimizer.step()
            losses.append(of_all.item())
    return losses


def digest(there: Prepared) -> tuple[str, str, str, int]:
    """Weights, the optimizer's state and options, and torch's random numbers."""
    state = there.train_state
    return (
        reproducibility.of_weights(state.model),
        reproducibility.of_text(repr(state.optimizer.state_dict())),
        reproducibility.of_tensors([torch.get_rng_state()]),
        torch.get_num_threads(),
    )


@pytest.mark.parametrize("augmented", [False, True])
@pytest.mark.parametrize("seed", [0, 5])
def test_losses_are_those_of_the_loop_written_by_hand(seed: int, augmented: bool) -> None:
    data = t.images()
    there = prepared(f"augmentation = {['RandomErasing', 'RandomErasing'] if augmented else []}\n{ADAM}", data)
    model = models.build("mlp", data.shape, seed)
    optimizer = torch.optim.Adam(model.parameters(), weight_decay=0.01, fused=True)
    curve = SHORT.run(there, seed)
    assert curve.losses == by_hand(there, optimizer, model, seed)
    assert curve.lrs == raised(1e-4, 0.01, 30)
    assert curve.ended == "all_steps"


def test_groups_of_parameters_keep_their_part_of_the_lr_and_their_weight_decay() -> None:
    group = '[[optimizer.groups]]\nmatch = "bias"\nlr_scale = 0.5\nweight_decay = 0.0\n'
    there = prepared(ADAM + group)
    model = copy.deepcopy(there.train_state.model)
    biases = [weight for name, weight in model.named_parameters() if name.endswith("bias")]
    weights = [weight for name, weight in model.named_parameters() if not name.endswith("bias")]
    optimizer = torch.optim.Adam(
        [{"params": weights}, {"params": biases, "weight_decay": 0.0}], weight_decay=0.01, fused=True
    )
    assert SHORT.run(there, 0).losses == by_hand(there, optimizer, model, parts=(1.0, 0.5))


def test_what_dropout_leaves_out_follows_from_the_seed() -> None:
    there = prepared(ADAM + "[model]\ndropout = 0.5\n")
    first = SHORT.run(there, 0).losses
    torch.rand(7)
    assert SHORT.run(there, 0).losses == first
    assert SHORT.run(prepared(ADAM), 0).losses != first


def test_a_scheduler_that_cycles_the_momentum_has_no_say() -> None:
    there = prepared(CYCLED)
    assert there.train_state.optimizer.param_groups[0]["momentum"] == 0.95
    model = copy.deepcopy(there.train_state.model)
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.7, fused=True)
    assert SHORT.run(there, 0).losses == by_hand(there, optimizer, model)


@pytest.mark.parametrize("key", [{"label_smoothing": 0.2}, {"clip_grad_norm": 0.5}, {"accumulate": 2}])
def test_losses_are_smoothed_and_gradients_clipped_and_added_up_as_the_preset_has_it(key: dict[str, float]) -> None:
    spec = RunSpec.of("tiny", t.preset(ADAM), model="mlp", threads=1, device="cpu")
    training = spec.preset.training.model_copy(update=key)
    asked = spec.model_copy(update={"preset": spec.preset.model_copy(update={"training": training})})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", lambda *_: t.images())
        there = prepare(asked, lambda _: None)
    model = copy.deepcopy(there.train_state.model)
    optimizer = torch.optim.Adam(model.parameters(), weight_decay=0.01, fused=True)
    assert SHORT.run(there, 0).losses == by_hand(there, optimizer, model)


@pytest.mark.parametrize("text", [ADAM, t.ONE_CYCLE, t.PLATEAU])
def test_weights_optimizer_and_random_numbers_stay_as_they_are(text: str) -> None:
    there = prepared(text)
    state = there.train_state
    for images, labels in datasets.batches(there.images.train, t.BATCH_SIZE, 0, 1):
        functional.cross_entropy(state.model(images), labels).backward()
        state.optimizer.step()
    before = digest(there)
    grads = [parameter.grad.clone() for parameter in state.model.parameters()]
    trained = SHORT.run(there, 0)
    assert digest(there) == before
    SHORT.run(there, 7)
    assert digest(there) == before
    assert all(torch.equal(a, b.grad) for a, b in zip(grads, state.model.parameters(), strict=True))
    assert trained.losses == SHORT.run(there, 0).losses  # and it goes from where the original stands
    assert trained.losses != SHORT.run(prepared(text), 0).losses


def test_norms_over_batches_keep_what_they_have_seen() -> None:
    data = t.images()
    there = prepared(ADAM, data, model="resnet9-slim")
    before = digest(there)
    RangeTest(1e-4, 1e-2, steps=3).run(there, 0)
    assert digest(there) == before


def test_a_batch_of_one_image_has_a_curve_and_no_suggestion_where_images_differ_by_more_than_is_learned() -> None:
    curve = RangeTest(1e-6, 1.0, steps=100).run(prepared(ADAM, batch_size=1), 0)
    assert len(curve.losses) > 50
    assert curve.none_because == "never_fell"


def test_losses_that_are_not_finite_end_it_at_once() -> None:
    data = t.images()
    data.train.images.fill_(nan)
    curve = SHORT.run(prepared(ADAM, data), 0)
    assert (curve.ended, len(curve.losses), curve.none_because) == ("not_finite", 1, "too_short")


def test_it_is_told_after_every_step_and_stops_when_asked() -> None:
    told: list[int] = []

    def tell(curve: LRCurve) -> None:
        told.append(len(curve.losses))

    curve = SHORT.run(prepared(), 0, tell, stopped=lambda: len(told) == 4)
    assert (told, curve.ended) == ([1, 2, 3, 4], None)
