"""The machine that a run is on: asked, worded, and shown in a panel."""
