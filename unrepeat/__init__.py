"""Unrepeat carries an outage from its first alert to the proof that it cannot come back."""

__version__ = "0.1.0"
