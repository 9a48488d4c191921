"""The screen: everything that draws and listens to keys. Textual, and no torch."""
