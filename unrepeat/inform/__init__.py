"""Pages, the escalation walk, acknowledgement, updates to those who follow. Its furniture comes with a later issue."""
