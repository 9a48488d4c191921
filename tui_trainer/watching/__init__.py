"""Watching a training loop that is not ours.

| | |
| --- | --- |
| `injected/` | the folder that goes into another's process, and writes down its calls; it imports nothing of ours |
| `trace` | the form of what it writes, and what reads it |
| `interpreter/` | from a trace to the events of a record |
| `findings/` | what is wrong with the order of the calls |
| `host/` | the processes around a command: who runs it, moves what it prints, keeps its record |
| `own_code` | `tui_trainer.watch()`, for a program that asks for it itself |
"""
