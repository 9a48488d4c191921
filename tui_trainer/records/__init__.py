"""The record of a run: written, followed, read again, listed and exported. No torch, no textual."""
