"""The process that keeps the record of a program which asks to be watched itself (`own_code`): it runs beside it.

What is asked comes as a line of JSON on its stdin, where it also hears of the end; the record's folder goes to stdout.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui_trainer.files.given_path import BadPath
from tui_trainer.records.errors import RunsError
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.text.alert_rule import BadRule, check_rules
from tui_trainer.watching.host.beginning import begin_record, make_traces, print_into_log
from tui_trainer.watching.host.messages import tell
from tui_trainer.watching.host.recorder import Recorder
from tui_trainer.watching.host.request import WatchRequest


def main() -> None:
    """Keep one record, from its beginning to its end."""
    told, tells = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    asked = json.loads(_first_line(told))
    try:
        request = _request(asked)
        record = begin_record(request)
        make_traces(record, request)
    except (BadPath, BadRule, RunsError, OSError) as error:
        tell(tells, f"problem {error}")
        return
    tell(tells, f"run {record.folder}")
    print_into_log(record)
    Recorder(record, request, told, tells, within=int(asked["pid"])).run()


def _first_line(pipe: int) -> bytes:
    """Read to the end of the first line and no further: what comes behind it is for the recorder."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(pipe, 1)):
        line += byte
    return line


def _request(asked: Mapping[str, Any]) -> WatchRequest:
    return WatchRequest(
        command=tuple(asked["command"]),
        cwd=Path(asked["cwd"]),
        environment=os.environ,
        runs=runs_folder(asked["runs"]),
        name=asked["name"],
        calls=asked["calls"],
        control=asked["control"],
        rehearse=asked["rehearse"],
        epochs=asked["epochs"],
        steps=asked["steps"],
        alerts=check_rules(tuple(asked["alerts"])),
        typed=tuple(asked["command"]),
    )


if __name__ == "__main__":
    main()
