"""Deploys a release of the session service without losing a session: the new one takes over what the old one holds."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx

from lab.parts.shop import SessionsPart
from lab.shop_house import ShopHouse, target_of

LINGER_SECONDS = 5.0
HANDOVER_SECONDS = 60.0


class DeployFailed(Exception):
    """The new release could not take over; the old one serves on."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a deployment did. Times are seconds since the epoch."""

    version: str
    previous: str
    began: float
    switched: float
    sessions: int
    old: SessionsPart


def deploy(house: ShopHouse, version: str) -> Deployed:
    """Start the release, hand over, switch. The old process goes on answering 421 until `retire`."""
    began = time.time()
    old, new = house.sessions, SessionsPart(house.folder, version)
    house.supervisor.start(new)
    try:
        count = _hand_over(house, old, new)
    except httpx.HTTPError as error:
        _call_off(house, old, new)
        raise DeployFailed(f"{version} did not take over from {old.release}: {error}") from error
    house.sessions = new
    switched = time.time()
    house.prometheus.discover([target_of(new)])
    return Deployed(version, old.release, began, switched, count, old)


def retire(house: ShopHouse, deployed: Deployed) -> None:
    """End the old process, once callers have had 5 seconds to follow."""
    time.sleep(max(0.0, deployed.switched + LINGER_SECONDS - time.time()))
    house.supervisor.stop(deployed.old)


def _hand_over(house: ShopHouse, old: SessionsPart, new: SessionsPart) -> int:
    with httpx.Client(timeout=HANDOVER_SECONDS, trust_env=False) as http:
        handed = http.post(f"{old.url}/handover").raise_for_status()
        taken = http.post(f"{new.url}/take", content=handed.content).raise_for_status()
        house.point_to(new)
        http.post(f"{old.url}/go").raise_for_status()
    return int(taken.json()["taken"])


def _call_off(house: ShopHouse, old: SessionsPart, new: SessionsPart) -> None:
    house.point_to(old)
    httpx.post(f"{old.url}/resume", timeout=HANDOVER_SECONDS, trust_env=False)
    house.supervisor.stop(new)
