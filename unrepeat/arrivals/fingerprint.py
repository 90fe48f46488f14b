"""The fingerprint that Alertmanager gives a set of labels, for alerts that come without one or from Prometheus itself."""

from __future__ import annotations

from collections.abc import Mapping

_OFFSET = 14695981039346656037  # of 64-bit FNV-1a
_PRIME = 1099511628211
_SEPARATOR = b"\xff"  # never part of UTF-8, so that ("ab", "c") and ("a", "bc") differ


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a over the labels in order of their names, as 16 hex digits."""
    total = _OFFSET
    for name, value in sorted(labels.items()):
        for byte in name.encode() + _SEPARATOR + value.encode() + _SEPARATOR:
            total = ((total ^ byte) * _PRIME) & 0xFFFF_FFFF_FFFF_FFFF
    return f"{total:016x}"
