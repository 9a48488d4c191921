"""Where a run lives: a thread of this process, or a record that another process writes.

A screen holds one `RunSource`, polls it on its own clock and reads its `history`; it cannot tell one kind from another.
"""
