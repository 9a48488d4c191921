"""Stands for timm's schedulers, which are none of torch's: a package of the same names, arguments and meanings."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

FILES = {
    "timm/__init__.py": "",
    "timm/scheduler/__init__.py": "",
    "timm/scheduler/scheduler.py": """
        class Scheduler:
            def __init__(self, optimizer, param_group_field, t_in_epochs=True):
                self.optimizer, self.param_group_field, self.t_in_epochs = optimizer, param_group_field, t_in_epochs
                self.base_values = [group[param_group_field] for group in optimizer.param_groups]
                self.metric = None

            def step(self, epoch, metric=None):
                self.metric = metric
                if self.t_in_epochs:
                    self.update_groups(self._get_lr(epoch))

            def step_update(self, num_updates, metric=None):
                self.metric = metric
                if not self.t_in_epochs:
                    self.update_groups(self._get_lr(num_updates))

            def update_groups(self, values):
                for group, value in zip(self.optimizer.param_groups, values):
                    group[self.param_group_field] = value
        """,
    "timm/scheduler/cosine_lr.py": """
        import math
        from timm.scheduler.scheduler import Scheduler

        class CosineLRScheduler(Scheduler):
            def __init__(self, optimizer, t_initial, warmup_t=0, warmup_lr_init=0.0, t_in_epochs=True):
                super().__init__(optimizer, "lr", t_in_epochs)
                self.t_initial, self.warmup_t, self.warmup_lr_init = t_initial, warmup_t, warmup_lr_init
                if warmup_t:
                    self.update_groups([warmup_lr_init] * len(self.base_values))

            def get_cycle_length(self, cycles=0):
                return self.t_initial

            def _get_lr(self, t):
                if t < self.warmup_t:
                    share = t / self.warmup_t
                    return [self.warmup_lr_init + share * (base - self.warmup_lr_init) for base in self.base_values]
                return [base * (1 + math.cos(math.pi * min(t / self.t_initial, 1))) / 2 for base in self.base_values]
        """,
    "timm/scheduler/step_lr.py": """
        from timm.scheduler.scheduler import Scheduler

        class StepLRScheduler(Scheduler):
            def __init__(self, optimizer, decay_t, decay_rate, t_in_epochs=True):
                super().__init__(optimizer, "lr", t_in_epochs)
                self.decay_t, self.decay_rate = decay_t, decay_rate

            def _get_lr(self, t):
                return [base * self.decay_rate ** (t // self.decay_t) for base in self.base_values]
        """,
    "timm/scheduler/plateau_lr.py": """
        from torch.optim.lr_scheduler import ReduceLROnPlateau
        from timm.scheduler.scheduler import Scheduler

        class PlateauLRScheduler(Scheduler):
            def __init__(self, optimizer, decay_rate, patience_t):
                super().__init__(optimizer, "lr")
                self.lr_scheduler = ReduceLROnPlateau(optimizer, factor=decay_rate, patience=patience_t)

            def step(self, epoch, metric=None):
                if metric is not None:
                    self.lr_scheduler.step(metric)

            def step_update(self, num_updates, metric=None):
                return None
        """,
}
"""By their paths."""


def write(folder: Path) -> None:
    """Put it beside a program."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
