"""One file a tracker, found by scan; `tracking.py` is their face."""
