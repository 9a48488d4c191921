"""What goes wrong with groups of parameters although every key by itself is in order; as `rules.py`.

What a group matches depends on the network, and is looked at where that is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tui_trainer.presets.parameter_groups import MuonGroup
from tui_trainer.presets.rules import LENGTH, PresetOnRun, Rule, RuleBroken, lr_that_breaks
from tui_trainer.presets.schedulers import CyclicLR, OneCycleLR
from tui_trainer.text.captions import say

_GLOB = re.compile(r"[\w.*?\[\]!-]+")
"""Names of parameters, and what stands for some of their letters."""


def groups_choose_parameters(case: PresetOnRun) -> Iterator[RuleBroken]:
    for number, group in enumerate(case.preset.optimizer.groups, 1):
        where = f"optimizer.groups.{number}"
        if group.match is None and group.name is None:
            yield RuleBroken(where, say("rule.group_of_nothing"), "error")
        if group.name is not None and not _GLOB.fullmatch(group.name):
            yield RuleBroken(f"{where}.name", say("rule.group_no_glob"), "error")
        if group.lr is not None and group.lr_scale is not None:
            yield RuleBroken(f"{where}.lr_scale", say("rule.group_lr_twice"), "error")


def groups_change_something(case: PresetOnRun) -> Iterator[RuleBroken]:
    """One behind which another comes may be there to keep its parameters out of that."""
    optimizer = case.preset.optimizer
    if case.preset.scheduler.lists:
        return
    for number, group in enumerate(optimizer.groups, 1):
        says_nothing = not group.has_lr and group.weight_decay is None and not isinstance(group, MuonGroup)
        if says_nothing and number == len(optimizer.all_groups):
            yield RuleBroken(f"optimizer.groups.{number}", say("rule.group_changes_nothing"))


def lrs_of_groups_have_a_say(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if scheduler.own_start is None and not scheduler.has_points:
        return
    for number, group in enumerate(case.preset.optimizer.groups, 1):
        for key in ("lr",) if scheduler.has_points else ("lr", "lr_scale"):
            if getattr(group, key) is not None:
                keys, name = scheduler.PER_GROUP, "PiecewiseLinear" if scheduler.has_points else scheduler.name
                right = say("rule.list_for_groups", key=keys[0]) if keys else say("rule.scale_for_groups")
                said = say("rule.group_lr_not_used", scheduler=name, right=right)
                yield RuleBroken(f"optimizer.groups.{number}.{key}", said, "error")


def lists_fit_the_groups(case: PresetOnRun) -> Iterator[RuleBroken]:
    groups = len(case.preset.optimizer.groups) + 1
    for key, values in case.preset.scheduler.lists.items():
        if len(values) != groups:
            said = say("rule.list_of_others", count=len(values), groups=groups)
            yield RuleBroken(f"scheduler.{key}", said, "error")


def lrs_of_groups_break(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, groups = case.preset.scheduler, case.preset.optimizer.groups
    if any(len(values) != len(groups) + 1 for values in scheduler.lists.values()):
        return
    for number in case.preset.groups_with_lr:
        if isinstance(groups[number - 1], MuonGroup):
            continue  # an LR that suits it says nothing of one that suits the optimizer beside it
        for broken in lr_that_breaks(PresetOnRun(case.preset.of_group(number), case.run)):
            key = broken.key if scheduler.lists else f"optimizer.groups.{number}"
            yield RuleBroken(key, broken.message, broken.severity)


def momentum_is_cycled_beside_muon(case: PresetOnRun) -> Iterator[RuleBroken]:
    """torch's schedulers cycle betas of all groups, or momentum of all; of a person's own it is not known which."""
    optimizer, scheduler = case.preset.optimizer, case.preset.scheduler
    if not isinstance(scheduler, OneCycleLR | CyclicLR) or not scheduler.cycle_momentum:
        return
    has_muon = any(isinstance(group, MuonGroup) for group in optimizer.groups)
    if has_muon and "momentum" not in type(optimizer).model_fields:
        yield RuleBroken("scheduler.cycle_momentum", say("rule.beside_muon"), "error")


_BOTH = frozenset({"optimizer", "scheduler"})

GROUP_RULES: list[Rule] = [
    Rule(frozenset({"optimizer"}), groups_choose_parameters),
    Rule(_BOTH, groups_change_something),
    Rule(_BOTH, lrs_of_groups_have_a_say),
    Rule(_BOTH, lists_fit_the_groups),
    Rule(_BOTH, momentum_is_cycled_beside_muon),
    Rule(LENGTH | {"optimizer"}, lrs_of_groups_break),
]
