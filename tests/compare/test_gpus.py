"""Runs that train beside each other on several GPUs have one each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from tui_trainer.compare import executors, gpus
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.session import Contestant, Session


class NVMLError(Exception):
    pass


def driver(monkeypatch: pytest.MonkeyPatch, uuids: list[str], *, fails: bool = False) -> None:
    """Has a driver that tells these devices, or none."""

    def init() -> None:
        if fails:
            raise NVMLError

    there = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=init,
        nvmlDeviceGetCount=lambda: len(uuids),
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUUID=lambda index: uuids[index],
    )
    monkeypatch.setitem(sys.modules, "pynvml", there)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("named", "there", "visible"),
    [
        ("2,5", ["GPU-a"], ["2", "5"]),
        ("", ["GPU-a"], []),  # a person hides them
        (None, ["GPU-a", "GPU-b"], ["GPU-a", "GPU-b"]),
        (None, None, []),
    ],
)
def test_which_devices_there_are(
    monkeypatch: pytest.MonkeyPatch, named: str | None, there: list[str] | None, visible: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    driver(monkeypatch, there or [], fails=there is None)
    assert gpus.visible() == visible


@pytest.mark.parametrize(
    ("device", "devices", "seen"),
    [
        ("auto", "2,5", ["2", "2", "5"]),
        ("cuda", "2,5", ["2", "2", "5"]),
        ("cuda:1", "2,5", ["2,5"] * 3),  # what a person names holds
        ("cpu", "2,5", ["2,5"] * 3),
        ("auto", "3", ["3"] * 3),
    ],
)
def test_each_process_sees_a_device_of_its_own_as_long_as_there_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, devices: str, seen: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    started: list[str] = []

    def start(*_: object, env: dict[str, str], **__: Any) -> NoReturn:
        started.append(env["CUDA_VISIBLE_DEVICES"])
        raise OSError(2, "not started in a test")

    monkeypatch.setattr(executors, "subprocess", SimpleNamespace(Popen=start, PIPE=subprocess.PIPE))
    monkeypatch.setattr(executors.SubprocessExecutor, "close", lambda self: None)
    entries = [Contestant(label=f"run {i}", seed=0, asked={"device": device}) for i in range(3)]
    session = Session.create(tmp_path, entries, jobs=3)
    queue = Queue(session)
    for trainer in queue._trainers:
        claim = session.claims.take(len(started))
        assert claim is not None
        with pytest.raises(OSError, match="not started"):
            trainer.train(claim)
        session.claims.let_go(claim)
    queue.start()
    queue.stop()
    assert queue.wait(60)
    assert sorted(started[:3]) == seen
