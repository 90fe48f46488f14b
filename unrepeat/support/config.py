"""Every setting, read once from the environment and frozen. `docs/reference/settings.md` lists them; a test keeps that list whole."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from unrepeat.support.problems import Problem


class Config(BaseSettings):
    """Settings of one Unrepeat server. Secrets may also stand in files below `/run/secrets`, named as the variable."""

    model_config = SettingsConfigDict(
        env_prefix="UNREPEAT_",
        frozen=True,
        extra="ignore",
        secrets_dir="/run/secrets" if Path("/run/secrets").is_dir() else None,
    )

    database_url: str = Field(
        "sqlite:///data/unrepeat.db", validation_alias=AliasChoices("UNREPEAT_DATABASE_URL", "DATABASE_URL")
    )
    """Where the data lives: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/NAME`."""
    data_dir: Path = Path("data")
    """Folder for the generated secret key and other files of the server."""
    secret_key: str = ""
    """Signs cookies and seals stored secrets. Empty: one is made and kept in `data_dir`."""
    base_url: str = "http://127.0.0.1:8000"
    """How people reach the pages; used in links that leave the server."""
    allowed_hosts: Annotated[list[str], NoDecode] = ["*"]
    """Host names that the server answers to, separated by commas."""
    debug: bool = False
    """Django's debug pages; never on a server that others can reach."""
    url: str = ""
    """On a runner: the server that `unrepeat check` and `unrepeat guard` speak to. Empty: this machine's own database."""
    token: str = ""
    """On a runner: the token for that server, of a person or of `unrepeat check-token add`."""
    open_reading: bool = False
    """On a trusted network: anybody may read without signing in. Writing always needs a role."""
    time_zone: str = "UTC"
    """Zone in which new incidents tell their times (IANA name). Stored times are UTC."""
    prometheus_url: str = ""
    """Base address of Prometheus, Thanos, Mimir or VictoriaMetrics. Empty: metrics are not looked at."""
    request_log: str = ""
    """The load balancer's request log: files, as a pattern (JSON lines or combined lines of nginx, or Parquet), or a table's address. Empty: impact is not measured."""
    traces_url: str = ""
    """Base address of Jaeger's query API, or of what speaks it. Empty: no traces are asked for, unless UNREPEAT_TRACES names files."""
    traces: str = ""
    """Files of traces, as a pattern: OTLP JSON (a collector's file exporter) or Jaeger JSON, plain or gzip."""
    search_aliases: Path | None = None
    """A file with your own words for the same thing, added to those that the search knows (docs/reference/aliases.md)."""
    mail_url: str = ""
    """Mail server: `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS where offered) or `smtps://…`. Empty: no mail is sent."""
    mail_from: str = ""
    """Who mails are from, for example `Unrepeat <unrepeat@example.com>`. Empty: `unrepeat@` and the host of `base_url`."""
    managers: Annotated[list[str], NoDecode] = []
    """Addresses that get the weekly digest of all measures, separated by commas."""
    digest: str = "MON 08:00"
    """When the weekly digest goes out, in the server's zone: a day and a time. Empty: never."""
    night_hour: int = Field(3, ge=0, le=23)
    """Hour, in the server's zone, at which past incidents are asked again whether today's guards and rules would catch them."""
    rules: str = ""
    """Your Prometheus rule files, as a pattern (`/etc/prometheus/rules/*.yml`): they are asked every night too."""
    private_addresses: Annotated[list[str], NoDecode] = []
    """Private networks or hosts that outbound requests may reach, separated by commas (CIDR or name)."""
    grouping_window: float = Field(1800, gt=0)
    """Seconds within which an alert of the same or a neighbouring service joins an open incident."""
    changes_look_back: float = Field(6 * 3600, gt=0)
    """Seconds before an incident's start in which changes of its services count as near."""
    resolve_after_quiet: float = Field(900, ge=0)
    """Seconds after the last alert has resolved until the incident resolves by itself; 0 leaves it to people."""
    intake_waiting: int = Field(4096, gt=0)
    """Deliveries that may wait for the writer; more are answered 503 with Retry-After."""
    intake_bytes: int = Field(64 * 1024 * 1024, gt=0)
    """Bytes of bodies that may wait for the writer; more are answered 503 with Retry-After."""
    lease: float = Field(30, gt=0)
    """Seconds a worker may hold a wakeup before another may take it."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much the server says of itself: DEBUG, INFO, WARNING or ERROR."""

    @field_validator("allowed_hosts", "managers", "private_addresses", mode="before")
    @classmethod
    def _by_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("digest")
    @classmethod
    def _day_and_time(cls, value: str) -> str:
        if value and not re.fullmatch(r"(MON|TUE|WED|THU|FRI|SAT|SUN) ([01][0-9]|2[0-3]):[0-5][0-9]", value):
            raise ValueError("it is no day and time; write for example MON 08:00, or leave it empty")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("it is not an IANA time zone; write for example Europe/Berlin or UTC") from error
        return value


@cache
def config() -> Config:
    """The settings of this process; a Problem names each value that cannot be used."""
    try:
        return Config()
    except ValidationError as error:
        wrong = [f"UNREPEAT_{str(one['loc'][0]).upper()}={one['input']!r}: {one['msg']}" for one in error.errors()]
        raise Problem(
            "A setting has a value that cannot be used.",
            "; ".join(wrong) + ".",
            "Mend it in the environment; docs/reference/settings.md says what each setting takes.",
        ) from error
