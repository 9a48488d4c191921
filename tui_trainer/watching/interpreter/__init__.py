"""From the trace of a watched process to the events of a record."""
