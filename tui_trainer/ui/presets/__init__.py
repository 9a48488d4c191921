"""Presets to start from: the picker, and the editor of a copy."""
