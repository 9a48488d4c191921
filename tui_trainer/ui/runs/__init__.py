"""All runs that were recorded, and one of them opened over the run on show."""
