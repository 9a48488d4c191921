"""A network's parameters in the groups that a preset makes of them, as torch's optimizers take them."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from tui_trainer.allowed_code import is_code
from tui_trainer.engine import models
from tui_trainer.engine.torch_schedulers import SCALE
from tui_trainer.presets.parameter_groups import ParameterGroup
from tui_trainer.presets.problems import PresetError, Problem
from tui_trainer.presets.schema import Preset
from tui_trainer.text.captions import say

NORMS = tuple(
    kind
    for name in (
        *("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "LayerNorm", "GroupNorm", "RMSNorm"),
        *("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"),
    )
    if (kind := getattr(nn, name, None)) is not None
)
"""Layers that normalise, as far as this torch has them."""

MOST_NAMED = 6
"""Names of parameters that are told as examples."""


def grouped(preset: Preset, model: nn.Module, network: str = "the network") -> list[dict[str, Any]]:
    """The parameters of a network in a preset's groups; those that no group matches are the first.

    The groups that `weight_decay_norm` and `weight_decay_bias` stand for are left out where nothing matches them.

    Raises:
        PresetError: a group matches none, or all parameters are in groups; `network` is what the model is called.
    """
    names = dict(model.named_parameters())
    of_norms = {id(each) for module in model.modules() if isinstance(module, NORMS) for each in module.parameters()}
    groups = preset.optimizer.all_groups
    chosen: list[list[nn.Parameter]] = [[] for _ in range(len(groups) + 1)]
    for name, parameter in names.items():
        found = (at for at, group in enumerate(groups, 1) if _matches(group, name, is_norm=id(parameter) in of_norms))
        chosen[next(found, 0)].append(parameter)
    _check(preset, chosen, names, network)
    made: list[dict[str, Any]] = [{"params": chosen[0]}]
    for group, parameters in zip(groups, chosen[1:], strict=True):
        if parameters:
            made.append({"params": parameters, **_options(group, preset)})
    return made


def check_groups(preset: Preset, network: str) -> None:
    """See that a preset's groups fit a network by its name, without its weights.

    Raises:
        PresetError: they do not.
    """
    if problems := misfits(preset, network):
        raise PresetError(problems)


def check_groups_of(preset: Preset, model: nn.Module, network: str) -> None:
    """The same for a network that is there.

    Raises:
        PresetError: they do not.
    """
    if preset.optimizer.all_groups:
        grouped(preset, model, network)


def misfits(preset: Preset, network: str) -> list[Problem]:
    """Which of a preset's groups do not fit a network by its name; of one that is a person's own code, which is not run
    for it, nothing is known yet."""
    if not preset.optimizer.all_groups or is_code(network):
        return []
    try:
        grouped(preset, models.without_weights(network), network)
    except PresetError as error:
        return error.problems
    return []


def _matches(group: ParameterGroup, name: str, *, is_norm: bool) -> bool:
    if group.name is not None and not fnmatchcase(name, group.name):
        return False
    return group.match is None or (is_norm if group.match == "norm" else name.rpartition(".")[2] == "bias")


def _options(group: ParameterGroup, preset: Preset) -> dict[str, Any]:
    options: dict[str, Any] = {"lr": group.lr_of(preset.optimizer.lr)} if group.has_lr else {}
    if preset.scheduler.has_points and group.lr_scale is not None:
        options[SCALE] = group.lr_scale
    return options if group.weight_decay is None else options | {"weight_decay": group.weight_decay}


def _check(preset: Preset, chosen: list[list[nn.Parameter]], names: Iterable[str], network: str) -> None:
    source, own = preset.source, len(preset.optimizer.groups)
    some = [*names]
    examples = ", ".join(some[:MOST_NAMED]) + (", …" if len(some) > MOST_NAMED else "")
    problems = [
        source.problem(("optimizer", "groups", str(number)), say("groups.match_none", network=network, names=examples))
        for number, parameters in enumerate(chosen[1 : own + 1], 1)
        if not parameters
    ]
    if not chosen[0] and not problems:
        problems = [source.problem("optimizer.groups", say("groups.match_all", network=network))]
    if problems:
        raise PresetError(problems)
