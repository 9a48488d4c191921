"""Readers of what other tools have recorded."""
