from tests.cli.conftest import runs

__all__ = ["runs"]
