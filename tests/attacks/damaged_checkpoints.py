"""Checkpoints that are damaged: none is taken for what it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from tests.attacks.mutations import flip_bits
from tui_trainer.engine.checkpoints import LAST, LAST_BUT_ONE, BadCheckpoint, load_newest, save


def state_of(step: int) -> dict[str, Any]:
    """A small one, of a step."""
    torch.manual_seed(step)
    model = torch.nn.Linear(20, 5)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 20)).sum().backward()
    optimizer.step()
    return {"step": step, "batch": 0, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "seed": 0}


def attack(chance: random.Random, folder: Path) -> Iterator[str]:
    """Damage the last checkpoint of two, and see what is gone on from; what was wrong about that, in words."""
    for file in folder.iterdir():
        file.unlink()
    older, newer = state_of(10), state_of(20)
    save(older, folder)
    save(newer, folder)
    _damage(chance, folder / LAST)
    try:
        newest = load_newest(folder, {"seed": 0}, lambda state: state)
    except BadCheckpoint as error:
        yield f"the older one was not gone on from: {error}"
        return
    if newest is None:
        yield "it was taken for a run without a checkpoint"
    elif newest.file.name == LAST and not _alike(newest.state, newer):
        yield "a damaged one was taken as it is"
    elif newest.file.name == LAST_BUT_ONE and not _alike(newest.state, older):
        yield "the older one is not what it was"
    elif newest.file.name == LAST_BUT_ONE and not newest.passed_over:
        yield "one was passed over in silence"


def _damage(chance: random.Random, file: Path) -> None:
    content = file.read_bytes()
    match chance.randrange(6):
        case 0 | 1:
            file.write_bytes(flip_bits(chance, content))
        case 2:
            file.write_bytes(content[: chance.randrange(len(content))])
        case 3:
            at = chance.randrange(len(content))
            length = chance.choice((1, 100, 5000))
            file.write_bytes(content[:at] + bytes(length) + content[at + length :])
        case 4:
            file.write_bytes(chance.choice((b"", b"x", bytes(10_000), chance.randbytes(10_000))))
        case _:
            _change_inside(chance, file)


def _change_inside(chance: random.Random, file: Path) -> None:
    """A key that is lost, or a value that is another one, in a file that is whole."""
    state = torch.load(file, weights_only=True)
    match chance.randrange(4):
        case 0:
            del state[chance.choice([key for key in state if key != "schema"])]
        case 1:
            state["model"]["weight"] = state["model"]["weight"][:3]
        case 2:
            state["model"]["weight"][0, 0] += 1
        case _:
            state[chance.choice([*state])] = chance.choice((None, 7, "x", [], {}))
    torch.save(state, file)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(other, dict):
        return isinstance(one, dict) and all(key in one and _alike(one[key], other[key]) for key in other)
    if isinstance(other, list):
        return isinstance(one, list) and len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(other, torch.Tensor):
        return isinstance(one, torch.Tensor) and torch.equal(one, other)
    return bool(one == other)
