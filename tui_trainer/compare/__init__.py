"""Comparisons: presets trained under the same conditions, and what came of each. No torch, no textual."""
