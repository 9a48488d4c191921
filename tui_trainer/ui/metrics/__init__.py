"""All series of a run, in charts side by side."""
