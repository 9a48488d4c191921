"""From a long series to a few lines of text: no torch, no textual, and plotext only once something is drawn."""
