"""`python -m tests.benchmarks.cuda.one NAME BENCH OUTCOME`: one check, in this process; what it found, into a file."""

from __future__ import annotations

import json
import sys
import traceback
from dataclasses import asdict
from pathlib import Path

from tests import preloaded
from tests.benchmarks.cuda.bench import Bench, Check, Outcome, failed
from tests.benchmarks.cuda.commands import recording_in


def found(check: Check, bench: Bench) -> Outcome:
    """What a check finds; it has failed where it raises anything."""
    try:
        with recording_in(bench.runs):
            return check.function(bench)
    except Exception as error:
        return failed(f"{type(error).__name__}: {error}", traceback=traceback.format_exc())


def main() -> None:
    from tests.benchmarks.cuda.listed import CHECKS

    name, bench, outcome = sys.argv[1:]
    here = Bench.from_json(bench)
    preloaded.AVAILABLE = preloaded.AVAILABLE and here.rehearsal
    check = next(check for check in CHECKS if check.name == name)
    Path(outcome).write_text(json.dumps(asdict(found(check, here)), default=str))


if __name__ == "__main__":
    main()
