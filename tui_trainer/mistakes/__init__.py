"""Wrong orders of calls, as data, and the loop that trains one of them beside the right one."""
