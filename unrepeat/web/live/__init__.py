"""Live streams (SSE): who watches an incident sees its new entries at once. One hub a process; see `watching.py`."""

from unrepeat.web.live.watching import hub

__all__ = ["hub"]
