"""Watching a training loop that is not ours: what goes into its process, the command that runs it, and what is read
of it.

`injected/` is the folder that goes into another's process; it imports nothing of this package. What it writes, the
trace, is read by `trace`, and made into the events of a record by `interpreter`.
"""
