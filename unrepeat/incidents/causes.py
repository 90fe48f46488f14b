"""The words for why it happened: three lists, never one. Pure. Docs: docs/reference/causes.md lists them (a test keeps it whole).

"Human error" is no cause: a person's action belongs to the trigger, the missing guard rail to the contributing factors.
"""

from __future__ import annotations

import re
from typing import Final

from unrepeat.incidents.measure_entries import CauseRole

TRIGGERS: Final = {
    "deploy": "a deploy",
    "config_change": "a change of configuration",
    "infrastructure_change": "a change of infrastructure, or maintenance",
    "traffic_change": "a change of traffic",
    "data_change": "a change or growth of data",
    "time_event": "a moment in time (expiry, leap, quota reset)",
    "dependency_event": "an event at a provider or dependency",
    "hardware_fault": "a fault of hardware",
    "environment": "power, cooling, weather or fibre",
    "malicious_act": "a malicious act",
    "none_or_unknown": "no trigger, or unknown",
}
CAUSES: Final = {
    "software_defect": "a defect in software",
    "configuration_error": "an error in configuration",
    "capacity_exhausted": "a limit reached (disk, descriptors, addresses, threads, ids, pool, memory)",
    "overload_cascade": "overload that spread (retry storm, cold cache)",
    "dependency_failure": "a dependency that failed",
    "network": "network, DNS or routing",
    "identity": "a certificate, secret or identity",
    "data_or_schema": "data or its schema",
    "time_handling": "handling of time or dates",
    "facility": "hardware or facility",
    "security_breach": "a breach of security",
    "design_gap": "a gap in design or architecture",
    "unknown": "unknown",
}
FACTORS: Final = {
    "late_detection": "no or late detection",
    "wrong_alert": "a noisy or wrong alert",
    "missing_validation": "a missing check or guard rail",
    "no_staged_rollout": "no rollout in stages",
    "slow_rollback": "a slow or failed rollback",
    "untested_failover": "an untested backup or failover",
    "missing_runbook": "a missing or stale runbook",
    "single_point_of_failure": "a single point of failure",
    "environment_drift": "environments that differ",
    "unclear_ownership": "unclear ownership",
    "knowledge_in_one_head": "knowledge in one head",
    "communication_delay": "a delay in telling or escalating",
    "shared_fate": "a tool that fails with the outage",
    "known_risk": "a known risk that was not scheduled",
}
WORDS: Final[dict[CauseRole, dict[str, str]]] = {"trigger": TRIGGERS, "cause": CAUSES, "factor": FACTORS}
ROLES: Final[dict[CauseRole, str]] = {"trigger": "Trigger", "cause": "Root cause", "factor": "Contributing factor"}

_PERSON = re.compile(r"\b(human|operator|user|manual|pilot)[- ]errors?\b", re.IGNORECASE)
_SYSTEM = re.compile(
    r"\b(because|which|that allowed|accepted|without|no check|missing|did not (refuse|check|ask))\b", re.IGNORECASE
)


def ends_with_a_person(text: str) -> bool:
    """Whether a cause stops at "human error" and names nothing in the system that let it happen."""
    return bool(_PERSON.search(text)) and not _SYSTEM.search(text)
