"""What the observer finds out about networks, schedulers, plans, scalers, files and loggers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.optim import lr_scheduler

from tests.watch.watched import Watched, run
from tui_trainer.presets.schedulers import MultiStepLR
from tui_trainer.watching.injected._tui_trainer_observer.schedulers import state_of
from tui_trainer.watching.interpreter.known_schedulers import config_of
from tui_trainer.watching.trace import (
    Fault,
    Hello,
    Loaded,
    Logged,
    ModelSeen,
    Observed,
    OptimizerSeen,
    Options,
    Planned,
    Saved,
    SchedulerSeen,
    SchedulerState,
    Site,
)

SEVERAL = """
    import argparse
    import torch
    from torch import nn
    from torch.nn.utils import clip_grad_norm_
    from torch.optim.lr_scheduler import (
        CosineAnnealingLR, LambdaLR, LinearLR, LRScheduler, OneCycleLR, ReduceLROnPlateau, SequentialLR, StepLR,
    )

    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--api-key", default="xyzzy")
    parser.add_argument("--betas", default=[0.9, 0.99])
    args = parser.parse_args()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
            self.unused = nn.Linear(4, 4)
            self.frozen = nn.Linear(2, 2).requires_grad_(False)
        def forward(self, images):
            return self.frozen(self.body(images))

    class Halve(LRScheduler):
        def get_lr(self):
            return [group["lr"] * (0.5 if self.last_epoch else 1) for group in self.optimizer.param_groups]

    net = Net()
    ema = nn.Linear(3, 3)
    opt = torch.optim.AdamW(
        [{"params": net.body.parameters(), "lr": 0.25, "name": "body"}, {"params": net.frozen.parameters()}], lr=0.5
    )
    def made(make):
        return make(torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1))
    own = Halve(opt)
    warmup = made(lambda o: SequentialLR(o, [LinearLR(o, 0.1, total_iters=3), CosineAnnealingLR(o, 7)], [3]))
    cycle = made(lambda o: OneCycleLR(o, 0.4, total_steps=12))
    long = made(lambda o: OneCycleLR(o, 0.4, total_steps=1_000_000))
    cosine = made(lambda o: CosineAnnealingLR(o, 50_000))
    lambdas = made(lambda o: LambdaLR(o, lambda step: 0.9 ** step))
    plateau = ReduceLROnPlateau(opt, patience=0)
    before = torch.random.get_rng_state()
    def train_step():
        images, labels = torch.ones(4, 4), torch.zeros(4, dtype=torch.long)
        opt.zero_grad()
        net.zero_grad()
        (nn.functional.cross_entropy(net(images), labels) / 2).backward()
        norm = clip_grad_norm_(net.parameters(), 0.1)
        opt.step()
        return norm
    net.train()
    norms = [train_step() for _ in range(2)]
    assert torch.equal(before, torch.random.get_rng_state())
    own.step()
    net.eval()
    plateau.step(0.5)
    plateau.step(0.75)
    torch.save(net.state_dict(), "weights.pt")
    net.load_state_dict(torch.load("weights.pt"))
    opt.load_state_dict(opt.state_dict())
    cycle.load_state_dict(cycle.state_dict())
    print(*[norm.item() for norm in norms])
"""


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A program with a bit of everything."""
    watched = run(tmp_path_factory.mktemp("several"), SEVERAL, "--epochs", "7")
    assert (watched.code, watched.errors, watched.trace.all(Fault)) == (0, "", [])
    return watched


def test_milestones_are_told_though_they_are_a_counter() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    state = state_of(lr_scheduler.MultiStepLR(optimizer, [3, 5, 5], gamma=0.5))
    assert state["milestones"] == {"3": 1, "5": 2}
    seen = SchedulerSeen(
        id=1, class_name="MultiStepLR", module="torch.optim.lr_scheduler", name="", optimizer=1, state=state
    )
    config = config_of(seen, None, "epoch")
    assert isinstance(config, MultiStepLR)
    assert (config.milestones, config.gamma) == ((3, 5, 5), 0.5)


def test_what_the_command_line_came_to_is_told_but_no_secret(several: Watched) -> None:
    assert several.trace.one(Hello).arguments == {"epochs": 7, "betas": [0.9, 0.99]}


def test_the_network_that_is_trained_is_told_and_no_other(several: Watched) -> None:
    model = several.trace.one(ModelSeen)
    body, unused, frozen = 20 + 8 + 10, 20, 6
    assert (model.class_name, model.name, model.mode_matters, model.compiled) == ("Net", "net", True, False)
    assert (model.parameters, model.trainable, model.in_optimizer) == (body + unused + frozen, body + unused, body)
    assert (model.device, model.dtype, model.modules) == ("cpu", "float32", 7)


def test_each_group_has_its_own_lr_and_name(several: Watched) -> None:
    (optimizer,) = several.trace.all(OptimizerSeen)
    assert [(group.lr, group.name, group.options["weight_decay"]) for group in optimizer.groups] == [
        (0.25, "body", 0.01),
        (0.5, "", 0.01),
    ]


def test_modes_gradients_and_clipping_are_told(several: Watched) -> None:
    assert several.trace.calls("train") == [("train", "net", 1), ("train", "net", 0)]
    assert [name for _, name, _ in several.trace.calls("zero_grad")] == ["opt", "net"] * 2
    assert several.trace.values("clip_grad") == [float(norm) for norm in several.output.split()]


def test_steps_of_a_class_of_the_programs_own_are_told_and_where_it_was_made(several: Watched) -> None:
    (own,) = [scheduler for scheduler in several.trace.all(SchedulerSeen) if scheduler.class_name == "Halve"]
    lines = Path(own.file).read_text().splitlines()
    assert lines[own.lineno - 1] == "own = Halve(opt)"
    assert several.trace.calls("scheduler.step") == [
        ("scheduler.step", "own", 0.125),
        ("scheduler.step", "plateau", 0.125),
        ("scheduler.step", "plateau", 0.0125),
    ]


def test_a_plateau_tells_its_metric_and_how_long_it_waited(several: Watched) -> None:
    (plateau,) = [held for held in several.trace.all(SchedulerSeen) if held.class_name == "ReduceLROnPlateau"]
    states = [state for state in several.trace.all(SchedulerState) if state.id == plateau.id]
    assert [(state.metric, state.state["best"], state.state["num_bad_epochs"]) for state in states] == [
        (0.5, 0.5, 0),
        (0.75, 0.5, 0),
    ]


def test_files_and_loaded_states_are_told(several: Watched) -> None:
    saved = several.trace.one(Saved)
    assert (Path(saved.file).name, saved.by) == ("weights.pt", "torch.save")
    assert saved.size == Path(saved.file).stat().st_size
    assert [loaded.what for loaded in several.trace.all(Loaded)] == ["model", "optimizer", "scheduler"]


def plan_of(watched: Watched, name: str) -> Planned | None:
    """The first plan of a scheduler that the program calls so."""
    (number,) = [scheduler.id for scheduler in watched.trace.all(SchedulerSeen) if scheduler.name == name]
    return next((plan for plan in watched.trace.all(Planned) if plan.scheduler == number), None)


def really(make: object, steps: int) -> list[float]:
    """The LRs that torch itself comes to."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = make(optimizer)  # type: ignore[operator]
    lrs = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        lrs.append(optimizer.param_groups[0]["lr"])
    return lrs


def test_a_plan_is_what_the_scheduler_will_do(several: Watched) -> None:
    cycle, warmup = plan_of(several, "cycle"), plan_of(several, "warmup")
    assert cycle is not None
    assert warmup is not None
    assert (cycle.length, cycle.length_from, cycle.from_count, cycle.every) == (12, "total_steps", 0, 1)
    assert cycle.lrs[0][:12] == really(lambda o: lr_scheduler.OneCycleLR(o, 0.4, total_steps=12), 11)
    assert (warmup.length, warmup.length_from) == (10, "T_max")
    made = really(
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o, 0.1, total_iters=3), lr_scheduler.CosineAnnealingLR(o, 7)], [3]
        ),
        10,
    )
    assert warmup.lrs[0] == made
    assert (cycle.reached, warmup.reached) == (None, None)


def test_a_long_plan_is_told_at_some_places(several: Watched) -> None:
    for name, length in (("long", 1_000_000), ("cosine", 50_000)):
        plan = plan_of(several, name)
        assert plan is not None
        assert plan.length == length
        assert plan.every == -(-length // 20_000)
        assert 1000 < len(plan.lrs[0]) <= 20_001
        reached = (len(plan.lrs[0]) - 1) * plan.every
        assert plan.reached == (None if reached + plan.every > length else reached)
    cosine = plan_of(several, "cosine")
    assert cosine is not None
    real = really(lambda o: lr_scheduler.CosineAnnealingLR(o, 50_000), 300)
    assert cosine.lrs[0][:100] == pytest.approx(real[:: cosine.every][:100], rel=1e-9)


def test_code_of_the_programs_own_is_rehearsed_only_where_that_was_asked_for(tmp_path: Path, several: Watched) -> None:
    assert plan_of(several, "lambdas") is None
    assert plan_of(several, "own") is None
    assert plan_of(several, "plateau") is None
    asked = run(tmp_path, SEVERAL, options=Options(rehearse=True))
    lambdas, own = plan_of(asked, "lambdas"), plan_of(asked, "own")
    assert lambdas is not None
    assert own is not None
    assert (lambdas.length, lambdas.lrs[0][:4]) == (None, pytest.approx([0.1, 0.09, 0.081, 0.0729]))
    assert [lrs[:3] for lrs in own.lrs] == [[0.25, 0.125, 0.0625], [0.5, 0.25, 0.125]]
    assert asked.trace.values("scheduler.step") == several.trace.values("scheduler.step")


SCALED = """
    import torch
    from torch import nn
    net = nn.Linear(4, 1)
    adam = torch.optim.AdamW(net.parameters(), lr=0.5)
    fused = torch.optim.AdamW(net.parameters(), lr=0.5, fused=True)
    for optimizer in (adam, fused):
        scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
        for step in range(4):
            optimizer.zero_grad()
            loss = net(torch.ones(2, 4)).mean() * (float("inf") if step == 1 else 1)
            scaler.scale(loss).backward()
            if step == 3:
                scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            print(loss.item())
"""


def test_a_scalers_steps_skips_and_scales_are_told(tmp_path: Path) -> None:
    watched = run(tmp_path, SCALED)
    assert (watched.code, watched.errors, watched.trace.all(Fault)) == (0, "", [])
    assert watched.trace.values("backward") == [float(loss) for loss in watched.output.split()]
    assert {name for _, name, _ in watched.trace.calls("backward")} == {"loss"}
    assert watched.trace.values("scaler.step") == [0, 1, 0, 0] * 2
    assert watched.trace.values("scale") == [8, 4, 8] * 2
    assert len(watched.trace.values("scaler.unscale_")) == 2
    assert watched.trace.values("optimizer.step") == [1, 2, 3, 1, 2, 3, 4]


LOGGED = """
    import torch
    from torch.utils.tensorboard import SummaryWriter
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    writer = SummaryWriter("tb")
    for step in range(2):
        (weight ** 2).sum().backward()
        optimizer.step()
        writer.add_scalar("loss/train", weight.detach().sum(), step)
        writer.add_scalar("seen", 3, global_step=step)
    writer.add_scalars("acc", {"train": 0.5, "val": float("nan")}, 1)
    writer.close()
"""


def test_what_a_tensorboard_writer_is_given_is_told_by_its_names(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    watched = run(tmp_path, LOGGED)
    assert (watched.code, watched.trace.all(Fault)) == (0, [])
    logged = [(told.values, told.step) for told in watched.trace.all(Logged)]
    assert logged == [
        ({"loss/train": pytest.approx(0.8)}, 0),
        ({"seen": 3}, 0),
        ({"loss/train": pytest.approx(0.44)}, 1),
        ({"seen": 3}, 1),
        ({"acc/train": 0.5, "acc/val": None}, 1),
    ]
    assert {told.by for told in watched.trace.all(Logged)} == {"SummaryWriter"}


OTHER_LOGGERS = {
    "wandb/sdk/wandb_run.py": "class Run:\n    def log(self, data, step=None, commit=None):\n        pass\n",
    "mlflow/tracking/client.py": (
        "class MlflowClient:\n"
        "    def log_metric(self, run_id, key, value, timestamp=None, step=None, synchronous=None):\n"
        "        self.log_batch(run_id, [])\n"
        "    def log_batch(self, run_id, metrics=(), params=(), tags=(), synchronous=None):\n"
        "        pass\n"
    ),
    "pytorch_lightning/trainer/connectors/logger_connector/logger_connector.py": (
        "class _LoggerConnector:\n"
        "    def __init__(self, trainer):\n"
        "        self.trainer = trainer\n"
        "    def log_metrics(self, metrics, step=None):\n"
        "        pass\n"
    ),
    "transformers/trainer.py": "class Trainer:\n    def log(self, logs, start_time=None):\n        pass\n",
    "accelerate/accelerator.py": (
        "from wandb.sdk.wandb_run import Run\n"
        "class Accelerator:\n"
        "    def log(self, values, step=None, log_kwargs=None):\n"
        "        Run().log(values, step)\n"
    ),
}
"""Loggers by the shapes of their methods, as their own releases of this year have them."""

LOGS = """
    import types
    import torch
    from accelerate.accelerator import Accelerator
    from mlflow.tracking.client import MlflowClient
    from pytorch_lightning.trainer.connectors.logger_connector.logger_connector import _LoggerConnector
    from transformers.trainer import Trainer
    from wandb.sdk.wandb_run import Run
    Run().log({"loss": 0.5, "words": "none", "count": 3}, 4, True)
    Run().log({"loss": torch.tensor(0.25)}, step=5)
    MlflowClient().log_metric("run", "acc", 0.75, step=6)
    MlflowClient().log_batch("run", metrics=[types.SimpleNamespace(key="lr", value=0.1, step=7)])
    connector = _LoggerConnector(types.SimpleNamespace(global_step=8))
    connector.log_metrics({"val_loss": torch.tensor(1.5), "epoch": 2})
    connector.log_metrics({"val_loss": 1.25, "step": 9})
    trainer = Trainer()
    trainer.state = types.SimpleNamespace(global_step=10)
    trainer.log({"eval_loss": 2.0, "epoch": 0.5})
    Accelerator().log({"train": 1.0}, step=11)
    torch.nn.Parameter(torch.ones(1)).sum().backward()
"""


def test_what_other_loggers_are_given_is_told_once_each(tmp_path: Path) -> None:
    for name, content in OTHER_LOGGERS.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    watched = run(tmp_path, LOGS)
    assert (watched.code, watched.errors, watched.trace.all(Fault)) == (0, "", [])
    assert [(told.by, told.values, told.step, told.epoch) for told in watched.trace.all(Logged)] == [
        ("wandb", {"loss": 0.5, "count": 3}, 4, None),
        ("wandb", {"loss": 0.25}, 5, None),
        ("mlflow", {"acc": 0.75}, 6, None),
        ("mlflow", {"lr": 0.1}, 7, None),
        ("Lightning", {"val_loss": 1.5, "epoch": 2}, 8, 2.0),
        ("Lightning", {"val_loss": 1.25}, 9, None),
        ("Trainer", {"eval_loss": 2.0, "epoch": 0.5}, 10, 0.5),
        ("Accelerate", {"train": 1.0}, 11, None),
    ]


VALIDATED = """
    import torch
    from torch import nn
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for step in range(60):
        loss = net(torch.ones(1, 4)).sum()
        loss.backward()
        if step == 50:
            optimizer.step()
        seen = loss.item()
    with torch.no_grad():
        correct = (net(torch.ones(1, 4)) > 0).sum()
        count = correct.item()
        total = net(torch.ones(1, 4)).sum().item()
    print(count, total)
"""


@pytest.mark.parametrize(("calls", "items"), [("off", 0), ("light", 2), ("full", 62)])
def test_numbers_read_in_validation_are_told(tmp_path: Path, calls: str, items: int) -> None:
    watched = run(tmp_path, VALIDATED, options=Options(calls=calls))
    assert (watched.code, watched.errors) == (0, "")
    told = watched.trace.calls("item")
    assert len(told) == items
    if items:
        count, total = (float(number) for number in watched.output.split())
        assert told[-2:] == [("item", "correct", count), ("item", "", total)]


def test_losses_without_a_step_that_can_be_seen_are_told_as_such(tmp_path: Path) -> None:
    trace = run(tmp_path, VALIDATED).trace
    observed = trace.one(Observed)
    assert observed.fact == "step_not_visible"
    assert trace.site(observed.site) in [site for site in trace.all(Site) if site.call == "backward"]


def test_of_a_program_that_an_error_ends_before_its_first_step_no_steps_are_missed(tmp_path: Path) -> None:
    program = """
        import torch
        weight = torch.nn.Parameter(torch.ones(1))
        optimizer = torch.optim.SGD([weight], lr=0.1)
        optimizer.zero_grad()
        for micro_batch in range(8):
            (weight / 8).sum().backward()
            assert micro_batch < 6, "no memory"
    """
    watched = run(tmp_path, program)
    assert (watched.code, watched.trace.values("backward")) == (1, [0.125] * 7)
    assert watched.trace.all(Observed) == []
