"""What one lens says of made-up tables."""

from __future__ import annotations

from unrepeat.investigation.lenses import scene_of
from unrepeat.investigation.ranking.rank import lenses
from unrepeat.investigation.weights import weights


def seen(lens, tables):
    """What one lens says."""
    return lenses()[lens].look(scene_of(tables, weights()))


def against(lens, tables):
    """Whom a lens speaks against."""
    return {finding.service for finding in seen(lens, tables) if finding.score > 0}
