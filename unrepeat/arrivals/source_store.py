"""The part of the room's store that keeps sources, their tokens and their secrets. Few rows, written by people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from unrepeat.arrivals.models import Source, SourceSecret, SourceToken
from unrepeat.support.problems import Conflict, NotFound
from unrepeat.support.secret import hashed, seal


def make(name: str, kind: str, options: dict[str, Any], max_bytes: int | None, at: datetime) -> Source:
    """A new source; Conflict when the name is taken."""
    try:
        with transaction.atomic():
            return Source.objects.create(name=name, kind=kind, options=options, max_bytes=max_bytes, made_at=at)
    except IntegrityError as error:
        raise Conflict(
            f"There is a source “{name}” already.",
            "Names are part of a source's address.",
            f"Choose another name, or get a new token for it: `unrepeat source rotate {name}`.",
        ) from error


def hold(name: str) -> Source:
    """The source by that name, its row held until the present transaction ends; NotFound."""
    row = Source.objects.select_for_update().filter(name=name).first()
    if row is None:
        raise NotFound(f"There is no source “{name}”.", remedy="`unrepeat source list` shows the sources there are.")
    return row


def configure(source: Source, **columns: Any) -> None:
    """Change some of a source's columns."""
    Source.objects.filter(id=source.id).update(**columns)


def add_token(source: Source, token: str, at: datetime) -> None:
    """Keep a token's hash; the token itself is kept nowhere."""
    SourceToken.objects.create(source=source, hash=hashed(token), made_at=at)


def end_tokens(source: Source, at: datetime) -> int:
    """Let all tokens that are good now end at `at` at the latest; returns how many those were."""
    return _end(SourceToken.objects.filter(source=source), at)


def revoke_tokens(source: Source, at: datetime) -> int:
    """Revoke all tokens; returns how many were good until now."""
    return _revoke(SourceToken.objects.filter(source=source), at)


def add_secret(source: Source, secret: str, at: datetime) -> None:
    """Keep a signing secret, sealed."""
    SourceSecret.objects.create(source=source, sealed=seal(secret), made_at=at)


def end_secrets(source: Source, at: datetime) -> int:
    """Let all secrets that are good now end at `at` at the latest; returns how many those were."""
    return _end(SourceSecret.objects.filter(source=source), at)


def revoke_secrets(source: Source, at: datetime) -> int:
    """Revoke all secrets; returns how many were good until now. Those that have run out go too: while one is left, bodies must be signed."""
    return _revoke(SourceSecret.objects.filter(source=source), at)


def _end(rows: QuerySet[Any], at: datetime) -> int:
    return _good(rows, at).update(expires_at=at)


def _revoke(rows: QuerySet[Any], at: datetime) -> int:
    good = _good(rows, at).count()
    rows.filter(revoked_at=None).update(revoked_at=at)
    return good


def _good(rows: QuerySet[Any], at: datetime) -> QuerySet[Any]:
    """Those that would still be good at `at`."""
    return rows.filter(Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None)
