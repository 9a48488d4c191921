"""What is wrong with the order of calls of a watched program."""
