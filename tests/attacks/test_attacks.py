"""A small share of the attacks; `python -m tests.attacks` makes all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks import foreign_records
from tests.attacks.attack import Attack

pytestmark = pytest.mark.slow


@pytest.fixture
def attack(tmp_path: Path) -> Iterator[Attack]:
    attack = Attack(tmp_path)
    yield attack
    assert attack.findings == []


def test_damaged_records(attack: Attack) -> None:
    attack.records(40, seed=1)


def test_hostile_folders(attack: Attack) -> None:
    attack.folders(15, seed=1)


def test_damaged_checkpoints(attack: Attack) -> None:
    attack.checkpoints(12, seed=1)


def test_damaged_records_of_other_tools(tmp_path: Path) -> None:
    for form, make in foreign_records.forms_of(tmp_path).items():
        assert [*foreign_records.findings(tmp_path, form, make, 12, seed=1)] == []
    assert [*foreign_records.findings_in_folders(tmp_path, 12, seed=1)] == []
