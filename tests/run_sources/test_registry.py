"""Runs come through one registry, and each source says what it has of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.scripted_record import over
from tui_trainer.commands import OneBatch, Pause, SwitchPreset
from tui_trainer.records.errors import RunNotFound
from tui_trainer.records.history import History
from tui_trainer.run_sources import registry
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_sources.run_source import ALL_COMMANDS, READONLY, Capabilities
from tui_trainer.text.alert_rule import AlertRule
from tui_trainer.ui.live.control import Refusal, RunControl


class OtherSource:
    """A run of another tool: it can be paused, and nothing else."""

    def __init__(self) -> None:
        self.history = History()
        self.capabilities = Capabilities(
            commands=frozenset({Pause}), why_not="another program trains it", calls=False, plan=False, checkpoints=False
        )
        self.lags = False
        self.folder: Path | None = None
        self.sent: list[object] = []

    def poll(self) -> int:
        return 0

    def send(self, command: object) -> None:
        self.sent.append(command)

    def close(self) -> None:
        pass


class OtherKind:
    names = ("other",)

    def open(self, path: Path, *, readonly: bool, rules: Sequence[AlertRule], as_ours: bool) -> OtherSource | None:
        return OtherSource() if path.suffix == ".other" else None


def test_a_kind_more_is_asked_for_what_the_others_do_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "KINDS", [*registry.KINDS, OtherKind()])
    assert isinstance(open_source(tmp_path / "x.other"), OtherSource)
    with pytest.raises(RunNotFound, match=r"none of the forms tui-trainer, Hugging Face, .*, other\.$"):
        open_source(tmp_path)


@pytest.mark.never_says("foreign.read_only")
def test_our_records_have_everything_and_readonly_takes_no_commands(tmp_path: Path) -> None:
    folder = tmp_path / over(tmp_path)
    source = open_source(folder)
    assert source.capabilities == Capabilities()
    assert source.capabilities.commands == ALL_COMMANDS
    source.close()
    source = open_source(folder, readonly=True)
    assert source.capabilities == READONLY
    with pytest.raises(PermissionError, match="read-only"):
        source.send(Pause(by="test"))
    source.close()


def test_what_a_source_cannot_do_is_said_with_its_reason_and_the_rest_is_sent() -> None:
    source = OtherSource()
    control = RunControl(source, "test")
    assert control.can_act
    assert control.pause_or_go_on() is None
    assert control.one_batch() == Refusal("another program trains it")
    assert control.switch("steplr", {}) == Refusal("another program trains it")
    assert [type(command) for command in source.sent] == [Pause]
    assert {OneBatch, SwitchPreset}.isdisjoint(source.capabilities.commands)
