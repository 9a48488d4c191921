"""For all tests: an example that hypothesis makes up may take the time that a busy machine takes."""

from hypothesis import settings

settings.register_profile("tui-trainer", deadline=None)
settings.load_profile("tui-trainer")
