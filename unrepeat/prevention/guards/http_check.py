"""An address that must answer as it should: status, body, header, redirect, days that its certificate is still good."""

from __future__ import annotations

import time
from typing import Annotated, Literal
from urllib.parse import urljoin, urlsplit

from pydantic import AfterValidator, Field

from unrepeat.prevention import kind
from unrepeat.prevention.kind import Outcome, Target, TargetKind, Tools, broken
from unrepeat.support import clock, http
from unrepeat.support.http import Answer, Refused, Unreachable
from unrepeat.support.http_certificate import certificate

TITLE = "An address that must answer"
HELP = (
    "Asks an http:// or https:// address and looks at its status, body, headers, where it redirects and how long its certificate "
    "is still good: red when any of it is not as the text says. Private addresses are asked only where "
    "UNREPEAT_PRIVATE_ADDRESSES allows it."
)
SAFE = True
TARGETS: tuple[TargetKind, ...] = ("now", "version")
MOST_BYTES = 2 * 1024 * 1024  # of a body
SHOWN = 2_000  # characters of a body that the run's output keeps
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Status = Annotated[int, Field(ge=100, le=599)]


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("only http:// and https:// addresses are asked")
    if parts.username or parts.password:
        raise ValueError("a guard's text is shown to everybody: no user and no password in it")
    return url


class Spec(kind.Spec):
    """What to ask, and what must come back. What is left out is not looked at."""

    url: Annotated[
        str,
        Field(max_length=2000, description="What is asked; {version} stands for the version it is tried on."),
        AfterValidator(_address),
    ]
    version: Annotated[str, Field(max_length=120, description="What {version} stands for in regular runs.")] = ""
    method: Annotated[Literal["GET", "HEAD"], Field(description="How it is asked.")] = "GET"
    status: Annotated[tuple[Status, ...], Field(min_length=1, max_length=20, description="Good statuses.")] = (200,)
    contains: Annotated[tuple[Text, ...], Field(max_length=20, description="What the body must hold.")] = ()
    lacks: Annotated[tuple[Text, ...], Field(max_length=20, description="What the body must not hold.")] = ()
    headers: Annotated[dict[str, Text], Field(max_length=20, description="What each of these headers must hold.")] = {}
    redirects_to: Annotated[
        str, Field(max_length=2000, description="Where it must redirect, whole or its beginning; it is not followed.")
    ] = ""
    certificate_days: Annotated[
        float | None, Field(ge=0, le=3650, description="Days that the certificate must still be good.")
    ] = None
    within: Annotated[
        float | None, Field(gt=0, le=60, description="Seconds in which the whole answer must be there.")
    ] = None
    unreachable: Annotated[
        Literal["broken", "red"], Field(description="What no answer at all means; red where that was the failure.")
    ] = "broken"


def run(spec: Spec, target: Target, tools: Tools) -> Outcome:
    """Ask once, and compare all that the text names."""
    version = target.variables.get("version", "") or spec.version
    if "{version}" in spec.url and not version:
        return broken("The address has a {version}, and there is none.", "Give `version`, or try it on version:NUMBER.")
    url = spec.url.replace("{version}", version)
    timeout = max(0.5, min(10.0, tools.seconds - 2))
    figures: dict[str, float] = {}
    try:
        complaints = _of_certificate(spec.certificate_days, url, timeout, figures)
        if not complaints:
            began = time.monotonic()
            answer = http.request(
                spec.method,
                url,
                timeout=timeout,
                max_bytes=MOST_BYTES,
                follow=not (spec.redirects_to or _redirects(spec)),
            )
            figures |= {"status": float(answer.status), "seconds": round(time.monotonic() - began, 3)}
            return _said(spec, url, answer, figures)
    except Refused as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy)
    except Unreachable as problem:
        said = f"{problem.what} {problem.why}"
        if spec.unreachable == "red":
            return Outcome("red", said, problem.remedy)
        return broken(said, f"{problem.remedy} Where no answer is the failure itself, set `unreachable` to red.")
    return Outcome("red", f"{url}: {'; '.join(complaints)}.", "", "", figures, {"asked": url})


def _said(spec: Spec, url: str, answer: Answer, figures: dict[str, float]) -> Outcome:
    """The outcome of an answer that came."""
    environment = {"asked": url, "answered by": answer.url}
    output = f"{answer.status} {answer.url}\n" + "\n".join(f"{k}: {v}" for k, v in list(answer.headers.items())[:50])
    output += "\n\n" + answer.body[:SHOWN].decode("utf-8", "replace")
    complaints = _of_answer(spec, answer, url)
    if spec.within is not None and figures["seconds"] > spec.within:
        complaints.append(f"it took {figures['seconds']:.2f} s; at most {spec.within:g} s are good")
    if complaints:
        return Outcome("red", f"{url}: {'; '.join(complaints)}.", "", output, figures, environment)
    well = f"{url} answered {answer.status} in {figures['seconds']:.2f} s"
    if "certificate_days" in figures:
        well += f"; its certificate is good for {figures['certificate_days']:.0f} days"
    return Outcome("green", f"{well}.", "", output, figures, environment)


def _redirects(spec: Spec) -> bool:
    """Whether a status that redirects is a good one: then it is looked at, not followed."""
    return any(300 <= status < 400 for status in spec.status)


def _of_answer(spec: Spec, answer: Answer, url: str) -> list[str]:
    wrong = []
    if spec.redirects_to:
        goes = urljoin(url, answer.headers.get("location", "")) if 300 <= answer.status < 400 else ""
        if not goes.startswith(spec.redirects_to):
            wrong.append(f"it redirects {f'to {goes[:200]}' if goes else 'nowhere'}, not to {spec.redirects_to}")
    elif answer.status not in spec.status:
        wrong.append(f"it answered {answer.status}; good is {' or '.join(map(str, spec.status))}")
    body = answer.body.decode("utf-8", "replace")
    wrong += [f"its body lacks “{text[:100]}”" for text in spec.contains if text not in body]
    wrong += [f"its body holds “{text[:100]}”" for text in spec.lacks if text in body]
    for name, text in spec.headers.items():
        has = answer.headers.get(name.lower())
        if has is None or text not in has:
            wrong.append(
                f"its header {name} {'is missing' if has is None else f'is “{has[:100]}”'}, not “{text[:100]}”"
            )
    return wrong


def _of_certificate(least: float | None, url: str, timeout: float, figures: dict[str, float]) -> list[str]:
    """What is wrong with the certificate; asked first, because nothing else is asked of an address that is not trusted."""
    if least is None:
        return []
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return ["its address is not https://, so it has no certificate"]
    found = certificate(parts.hostname, parts.port or 443, timeout=min(5.0, timeout))
    days = (found.ends - clock.now()).total_seconds() / 86_400
    figures["certificate_days"] = round(days, 2)
    if days < least:
        return [f"its certificate ends {found.ends:%Y-%m-%d}, in {days:.1f} days; at least {least:g} are good"]
    return [f"its certificate is not trusted: {found.distrust}"] if found.distrust else []
