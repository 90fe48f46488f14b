"""Watches a Python process from inside: standard library only.

This is the public face; what it watches comes with a later release. Until then `start` watches nothing and says so.
"""

from __future__ import annotations

from unrepeat_probe._probe import Probe, start

__all__ = ["Probe", "start"]
__version__ = "0.1.0"
