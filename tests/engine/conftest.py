from tests.engine.tiny import tiny
from tests.own_code import own

__all__ = ["own", "tiny"]
