"""What a told entry is made of, and the small words that tellings share. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from unrepeat.incidents import causes

_WORDS = {str(role): words for role, words in causes.WORDS.items()}
_ROLES = {str(role): title for role, title in causes.ROLES.items()}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the timeline. `key` stands in bold before `said`; `url` leads to where it came from; `quote`: a person's own words."""

    shape: str
    key: str
    said: str = ""
    why: str = ""
    url: str = ""
    quote: bool = False


def small(*parts: str) -> str:
    """Small print: the parts that there are, with dots between."""
    return " · ".join(part for part in parts if part)


def change_name(service: str, version: str, summary: str, number: int) -> str:
    """What people call a change: `sessions 2.0`, else its summary, else its number."""
    return " ".join(part for part in (service, version) if part) or summary or f"change {number}"


def cause_word(role: str, value: str) -> str:
    """A word of the taxonomy of causes as people say it."""
    return _WORDS.get(role, {}).get(value, value.replace("_", " "))


def cause_role(role: str) -> str:
    """What a cause's role is called."""
    return _ROLES.get(role, role.capitalize())
