"""The kinds of values that requests have, with their limits. Limits stand in the OpenAPI file."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, StringConstraints

LARGEST = 2**63 - 1  # of a number in either database
LONGEST = 20_000  # characters of one text
PAGE = 50  # items a page, unless asked for otherwise

T = TypeVar("T")


def _timestamp(value: Any) -> Any:
    """RFC 3339 and nothing else: pydantic would take a plain number for seconds."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", value):
        raise ValueError("give the time as RFC 3339, for example 2024-08-12T15:15:00Z")
    if not isinstance(value, str | datetime):
        raise ValueError("give the time as text, for example 2024-08-12T15:15:00Z")  # noqa: TRY004 (pydantic's way)
    return value


def _in_our_time(value: datetime) -> datetime:
    """In UTC, and not so early or late that telling it in another zone would leave the calendar."""
    if not 1970 <= value.year <= 2200:
        raise ValueError("give a time between 1970 and 2200")
    return value.astimezone(UTC)


def _day(value: Any) -> Any:
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        raise ValueError("give the day as text, for example 2024-08-30")
    return value


Text = Annotated[str, StringConstraints(max_length=LONGEST)]
Line = Annotated[str, StringConstraints(max_length=300)]
Name = Annotated[str, StringConstraints(max_length=120)]
Number = Annotated[int, Field(ge=1, le=LARGEST, strict=True)]
Moment = Annotated[AwareDatetime, BeforeValidator(_timestamp), AfterValidator(_in_our_time)]
Day = Annotated[date, BeforeValidator(_day)]
Nth = Annotated[int, Field(ge=1, le=LARGEST)]  # in an address
Seq = Annotated[int, Field(ge=0, le=2**31 - 1)]  # in an address


class Shape(Schema):
    """A request's body: fields that are not named are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")


class Items(Schema, Generic[T]):
    """A page of a list; `count` is how many there are on all pages together."""

    items: list[T]
    count: int


class Paging(Schema):
    """Which page of a list."""

    page: Annotated[int, Field(ge=1, le=1_000_000, description="Which page, from 1.")] = 1
    per_page: Annotated[int, Field(ge=1, le=200, description="Items a page.")] = PAGE

    @property
    def start(self) -> int:
        """How many items come before this page."""
        return (self.page - 1) * self.per_page
