"""Watch a network train in your terminal."""

__version__ = "0.1.0"
