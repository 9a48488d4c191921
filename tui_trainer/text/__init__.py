"""Text for people: numbers, text from elsewhere made safe to show, ASCII stand-ins, and what is printed."""
