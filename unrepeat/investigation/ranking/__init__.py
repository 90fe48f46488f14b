"""Puts findings in order: suspicious services, their indicators, the changes that may have done it; and says when nobody is guilty."""

from __future__ import annotations

from unrepeat.investigation.ranking.clearing import Cleared
from unrepeat.investigation.ranking.rank import Ranking, Suspect, rank
from unrepeat.investigation.ranking.verdict import Verdict

__all__ = ["Cleared", "Ranking", "Suspect", "Verdict", "rank"]
