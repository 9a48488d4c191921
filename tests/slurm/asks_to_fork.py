"""What SLURM runs in the place of a task's interpreter: it has another process fork one (`forks.py`), hands signals on
to it, and ends as it does. It is run by itself: `python -IS asks_to_fork.py SOCKET -m MODULE ARGUMENT...`."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


def main(path: str, module: str, arguments: list[str]) -> int:
    """The exit code of the one that was forked."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        asked.connect(path)
        env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        told = {"module": module, "arguments": arguments, "env": env}
        socket.send_fds(asked, [json.dumps(told).encode()], [0, 1, 2])
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            signal.signal(number, lambda number, _: asked.send(str(int(number)).encode()))
        code = asked.recv(64)
        return int(code) if code else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[3], sys.argv[4:]))
