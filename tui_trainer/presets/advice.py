"""Sentences for keys that do not belong where they stand: arguments that torch has dropped, that follow from
elsewhere, or that people look for under another name."""

from __future__ import annotations

_SPEED = "changes speed and not results, so the program chooses it; leave it out"
_LENGTH = "follows from the run's length and is filled in; leave it out"

UNKNOWN: dict[str, dict[str, str]] = {
    "optimizer": {
        "foreach": _SPEED,
        "fused": _SPEED,
        "capturable": _SPEED,
        "differentiable": _SPEED,
        "maximize": "would climb the loss instead of going down; leave it out",
        "params": "are the model's own; leave it out",
    },
    "scheduler": {
        "verbose": "PyTorch has removed it, and every change of the LR is shown here anyway; leave it out",
        "last_epoch": "is for resuming, which takes care of itself here; leave it out",
        "optimizer": "is the one of the [optimizer] table; leave it out",
        "total_steps": _LENGTH,
        "epochs": _LENGTH,
        "steps_per_epoch": _LENGTH,
        "scale_fn": "is a function, and a preset holds no code; choose a mode instead",
        "scale_mode": "belongs to scale_fn, a function, and a preset holds no code; choose a mode instead",
        "lr_lambda": "is a function, and a preset holds no code",
        "monitor": "only ReduceLROnPlateau watches a metric; leave it out",
        "interval": "there is no scheduler to step; leave it out",
    },
}
"""Keys by table, whatever its `name`, where they are not among the known ones."""

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "min_lr": ("eta_min",),
    "eta_min": ("min_lr",),
    "learning_rate": ("lr",),
    "beta": ("betas", "momentum"),
    "beta1": ("betas", "momentum"),
    "beta2": ("betas",),
    "step": ("step_size",),
    "decay": ("gamma", "weight_decay"),
    "factor": ("gamma",),
    "gamma": ("factor",),
    "steps": ("milestones", "step_size"),
    "iterations": ("epochs", "total_iters"),
}
"""What a key is called elsewhere, and what may be meant by it, the likelier first."""

VALUES: dict[tuple[str, str], str] = {
    ("interval", "step"): 'there is no validation loss after a batch to watch; "epoch" is right, or leave it out',
}
"""Values that their key takes elsewhere."""

UNKNOWN_NAMES: dict[str, str] = {
    "LambdaLR": "takes a function, and a preset holds no code",
    "MultiplicativeLR": "takes a function, and a preset holds no code",
    "SequentialLR": "joins several; a [warmup] table puts a LinearLR in front of one",
    "ChainedScheduler": "joins several; a [warmup] table puts a LinearLR in front of one",
    "LBFGS": "calls the loss several times a step, which this training loop does not",
    "SparseAdam": "is for sparse gradients, which these models have not",
}
"""Classes of torch.optim that are left out for a reason."""
