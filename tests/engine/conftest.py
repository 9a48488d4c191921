from tests.engine.tiny import tiny

__all__ = ["tiny"]
