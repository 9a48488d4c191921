"""Where a run lives: a thread of this process, or somewhere else on this file system.

A screen holds one `Host`, polls it on its own clock and reads its `history`; it cannot tell one kind from another.
"""

from tui_trainer.hosts.host import Host, replay
from tui_trainer.hosts.launcher import LocalLauncher
from tui_trainer.hosts.local import LocalRun, ThreadHost, asked_of
from tui_trainer.hosts.planner import Planner
from tui_trainer.hosts.record import RecordHost

__all__ = ["Host", "LocalLauncher", "LocalRun", "Planner", "RecordHost", "ThreadHost", "asked_of", "replay"]
