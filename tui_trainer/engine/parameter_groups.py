"""A network's parameters in the groups that a preset makes of them, as torch's optimizers take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn

from tui_trainer.allowed_code import is_code
from tui_trainer.engine import models
from tui_trainer.engine.beside_muon import MUON, has_muon
from tui_trainer.engine.torch_schedulers import SCALE
from tui_trainer.presets.parameter_groups import MuonGroup, ParameterGroup
from tui_trainer.presets.problems import PresetError, Problem
from tui_trainer.presets.schema import Preset
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

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
        kinds = _kinds(name, parameter, is_norm=id(parameter) in of_norms)
        found = (at for at, group in enumerate(groups, 1) if _matches(group, name, kinds))
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


def _kinds(name: str, parameter: nn.Parameter, *, is_norm: bool) -> set[str]:
    """What a parameter is, of that which a group can match."""
    there = {"norm": is_norm, "bias": name.rpartition(".")[2] == "bias", "matrix": parameter.ndim == 2}
    return {kind for kind, holds in there.items() if holds}


def _matches(group: ParameterGroup, name: str, kinds: set[str]) -> bool:
    return (group.name is None or fnmatchcase(name, group.name)) and (group.match is None or group.match in kinds)


def _options(group: ParameterGroup, preset: Preset) -> dict[str, Any]:
    optimizer = preset.optimizer
    options: dict[str, Any] = {"lr": group.lr_of(optimizer.lr)} if group.has_lr else {}
    if isinstance(group, MuonGroup):
        of_all = {"lr": optimizer.lr, "weight_decay": getattr(optimizer, "weight_decay", 0.0)}
        options = {"optimizer": MUON, **of_all, **group.muon_arguments, **options}
    if preset.scheduler.has_points and group.lr_scale is not None:
        options[SCALE] = group.lr_scale
    return options if group.weight_decay is None else options | {"weight_decay": group.weight_decay}


def _check(preset: Preset, chosen: list[list[nn.Parameter]], names: Mapping[str, nn.Parameter], network: str) -> None:
    source, name_of = preset.source, {id(each): name for name, each in names.items()}
    problems: list[Problem] = []
    for number, (group, parameters) in enumerate(zip(preset.optimizer.groups, chosen[1:], strict=False), 1):
        where = ("optimizer", "groups", str(number))
        if not parameters:
            said = say("groups.match_none", network=network, names=examples(names))
            problems.append(source.problem(where, said))
        if not isinstance(group, MuonGroup):
            continue
        if others := [name_of[id(each)] for each in parameters if each.ndim != 2]:
            problems.append(source.problem((*where, "optimizer"), say("groups.no_matrix", names=examples(others))))
        if not has_muon():
            said = say("groups.no_muon", version=plain(torch.__version__))
            problems.append(source.problem((*where, "optimizer"), said))
    if not chosen[0] and not problems:
        problems = [source.problem("optimizer.groups", say("groups.match_all", network=network))]
    if problems:
        raise PresetError(problems)


def examples(names: Iterable[str]) -> str:
    """Some names of parameters, and whether there are more."""
    some = [*names]
    return ", ".join(some[:MOST_NAMED]) + (", …" if len(some) > MOST_NAMED else "")
