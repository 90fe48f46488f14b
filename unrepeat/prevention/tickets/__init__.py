"""Measures and their tickets: made, followed both ways, commented on. Each tracker is a file in `trackers/`."""
