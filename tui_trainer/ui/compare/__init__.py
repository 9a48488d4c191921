"""Comparisons: curves over each other, the table, the verdict."""
