"""Presets: an optimizer, a scheduler and how long to train, as data. No torch is loaded here."""
