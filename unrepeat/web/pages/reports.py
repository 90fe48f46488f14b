"""The library and the reports: read, edit a section with preview and history, publish, download."""

from __future__ import annotations
