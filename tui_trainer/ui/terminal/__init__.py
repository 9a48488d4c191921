"""The terminal that the app runs in: kept for the screen alone, and left clean."""
