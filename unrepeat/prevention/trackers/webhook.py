"""Any address of your own that is told the news of measures, signed after the Standard Webhooks rules."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from typing import Any

from unrepeat.prevention.tickets.tracking import Place
from unrepeat.prevention.trackers import _rest
from unrepeat.support import clock
from unrepeat.support.problems import Invalid

TITLE = "Webhook"
HELP = (
    "Give an address that takes JSON by POST and answers 2xx, and a secret. Check the header “webhook-signature” (Standard Webhooks, "
    "HMAC-SHA256 over id, timestamp and body), and take what has a known “webhook-id” as told already."
)
URL = ""
FOLLOWS = False


def checked(place: Place) -> Place:
    """An address and a secret."""
    url = place.url.strip()
    if not url.startswith(("http://", "https://")) or not _rest.place(url)[0]:
        raise Invalid(f"“{url[:80]}” is no address.", "News are sent to an address by HTTP.", "Write https://….")
    return Place(url, place.project.strip()[:300], _rest.token(place.token))


def tell(place: Place, news: Mapping[str, Any], key: str) -> None:
    """POST the news; the same key, id and body however often it is told."""
    body = json.dumps(news, sort_keys=True).encode()
    stamp = str(int(clock.now().timestamp()))
    signed = b".".join([key.encode(), stamp.encode(), body])
    signature = base64.b64encode(hmac.digest(_secret(place.token), signed, "sha256")).decode()
    headers = {
        "content-type": "application/json",
        "idempotency-key": key,
        "webhook-id": key,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }
    answer = _rest.send("POST", place.url, headers, body)
    if not answer.ok:
        raise _rest.refusal(answer, _rest.place(place.url)[0])


def _secret(token: str) -> bytes:
    """The key: what is behind `whsec_`, else the secret as it is written."""
    if token.startswith("whsec_"):
        try:
            return base64.b64decode(token.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            pass
    return token.encode()
