"""The forms a report goes out in: one file a format."""
