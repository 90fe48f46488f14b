"""What every room may use and that has no place in the flow: clock, problems, kinds, http, wakeups, search."""
