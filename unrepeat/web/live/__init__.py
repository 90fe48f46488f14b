"""Live streams (SSE): who watches an incident sees its new entries at once. One hub a process; see `hub.py`."""

from unrepeat.web.live.hub import hub

__all__ = ["hub"]
