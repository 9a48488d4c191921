"""The live screen: one run, as it happens or as it was."""
