"""The processes around a watched program: who runs it, moves what it prints, and keeps its record."""
