"""Paths that a person gives, files that somebody else may have put there, and private files, whole or not there."""
