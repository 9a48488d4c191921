"""`python -m tests.attacks [--records N] [--checkpoints N] [--folders N] [--seed N]`: see `attack`.

`--record NUMBER` makes one record of those, and shows what each command says of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.attacks.attack import Attack


def main() -> int:
    """Attack, and tell what was found; 1 if anything was."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks")
    for what, count in (("records", 2000), ("checkpoints", 500), ("folders", 300)):
        parser.add_argument(f"--{what}", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", type=int, metavar="NUMBER")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        attack = Attack(Path(name))
        if options.record is not None:
            for command, said in attack.record(options.record, options.seed).items():
                print(f"{command}: {said.strip()}")
            print(*attack.findings, sep="\n")
            return 1 if attack.findings else 0
        for what in ("records", "folders", "checkpoints"):
            count, began, before = getattr(options, what), time.monotonic(), len(attack.findings)
            getattr(attack, what)(count, options.seed)
            found = len(attack.findings) - before
            print(
                f"{count} {what}, seed {options.seed}: {found} findings, {time.monotonic() - began:.0f} s", flush=True
            )
    for finding in attack.findings:
        print(finding)
    print("the most CPU beyond a sound record:", ", ".join(f"{name} {ms} ms" for name, ms in attack.slowest.items()))
    return 1 if attack.findings else 0


if __name__ == "__main__":
    sys.exit(main())
