"""What acts are checked against: lengths, choices, and the incident's state. Pure; each raises a Problem with a remedy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from unrepeat.incidents.state import State
from unrepeat.support.problems import Conflict, Invalid
from unrepeat.support.words import printable

NAME = 120  # characters of a person's, a team's or a suspect's name
TITLE = 200
REASON = 4_000
TEXT = 20_000
EVIDENCE = 50  # pieces of evidence with one verdict
DIGEST = 128  # characters of a digest
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def text(field: str, value: str, limit: int) -> str:
    """`value` without white space round it; Invalid when nothing or too much is left, or when no database could keep it."""
    if not value.strip():
        raise Invalid(f"The {field} is empty.", "Others must be able to read what was meant.", f"Write the {field}.")
    return optional(field, value, limit)


def optional(field: str, value: str, limit: int) -> str:
    """As `text`, but may be empty."""
    value = value.strip() if "\x00" in value else printable(value).strip()
    if len(value) > limit:
        raise Invalid(
            f"The {field} is too long.", f"It has {len(value):,} characters of at most {limit:,}.", "Shorten it."
        )
    if "\x00" in value or not _utf8(value):
        raise Invalid(f"The {field} holds a character that is none.", "It cannot be stored as text.", "Take it out.")
    return value


def one_of(field: str, value: str, choices: tuple[str, ...]) -> str:
    """`value` if it is one of `choices`."""
    if value not in choices:
        raise Invalid(
            f"“{shortened(value, 40)}” is no {field}.",
            "It is not one of the words for it.",
            f"Use one of: {', '.join(choices)}.",
        )
    return value


def evidence(digests: tuple[str, ...]) -> tuple[str, ...]:
    """The digests, each once."""
    if len(digests) > EVIDENCE:
        raise Invalid(
            "Too much evidence at once.", f"At most {EVIDENCE} pieces fit one verdict.", "Name the best ones."
        )
    return tuple(dict.fromkeys(text("evidence", digest, DIGEST) for digest in digests))


def needs_open(state: State, number: int) -> None:
    """Conflict when the incident is over."""
    if not state.is_open:
        raise Conflict(
            f"Incident {number} is already resolved.",
            f"It was: {shortened(state.resolution, 120)}" if state.resolution else "It was declared so before.",
            "Reopen it if it was not over; otherwise write a note.",
        )


def needs_measure(state: State, measure: int, number: int) -> None:
    """Invalid when there is no such measure, Conflict when it was dropped."""
    if measure not in state.measures:
        raise Invalid(
            f"Incident {number} has no measure {measure}.",
            "Measures are counted from 1 at each incident.",
            choices("Name one of these", state.measures),
        )
    if state.measures[measure].dropped:
        raise Conflict(
            f"Measure {measure} of incident {number} was dropped.",
            f"The reason was: {shortened(state.measures[measure].dropped, 120)}",
            "Propose it anew if it is needed after all.",
        )


def not_before_start(state: State, number: int, at: datetime) -> None:
    """Invalid when the harm would have ended before it began."""
    began = max((m for m in (state.started_at, state.detected_at) if m), default=at)
    if at < began:
        raise Invalid(
            f"Incident {number} cannot have ended before it began.",
            f"It was detected at {began:%Y-%m-%d %H:%M} UTC.",
            "Give a later moment.",
        )


def not_too_old(at: datetime) -> None:
    """Invalid when `at` lies before the time that computers count from: then it was mistyped."""
    if at < EARLIEST:
        raise Invalid(
            f"{at.year} is too long ago.", "Nothing that is told here happened before 1970.", "Look at the year again."
        )


def choices(lead: str, numbers: Iterable[int]) -> str:
    """A remedy that lists what there is, at most ten of it."""
    listed = [str(number) for number in numbers]
    if not listed:
        return "There is none to name yet."
    more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
    return f"{lead}: {', '.join(listed[:10])}{more}."


def shortened(words: str, limit: int = TITLE) -> str:
    """One line of at most `limit` characters, cut at a word."""
    line = " ".join(words.split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
