"""The first frame comes first."""

GATE_S = 2.0
"""The longest that anything waits for the first frame of a screen."""
