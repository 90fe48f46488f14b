"""Template words that all rooms share."""
