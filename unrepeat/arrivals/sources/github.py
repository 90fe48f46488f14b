"""GitHub's webhooks: deployments and their statuses, releases, pushes, issues. A deploy has happened when its status is success, not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from unrepeat.arrivals import body, signatures
from unrepeat.arrivals.records import ChangeSeen, Json, Reading, Unreadable

TITLE = "GitHub"
HELP = "Add a webhook with the address and a secret, and choose the events Deployments, Deployment statuses, Releases and Pushes."
MAX_BYTES = 25 * 1024 * 1024  # GitHub sends no larger ones
SIGNED = True

Status = Literal["started", "succeeded", "failed"]
_STATES: dict[str, Status] = {
    "pending": "started",
    "queued": "started",
    "waiting": "started",
    "in_progress": "started",
    "success": "succeeded",
    "failure": "failed",
    "error": "failed",
}
_SHIPPED = frozenset({"published", "released", "prereleased", "created", "edited"})
_TICKETS = frozenset({"opened", "closed", "reopened"})
_COMMITS, _FILES = 50, 300  # kept with a push; the stored body has them all


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """`X-Hub-Signature-256: sha256=…`, HMAC-SHA256 of the raw bytes (of the raw form, when GitHub sends one)."""
    scheme, _, given = headers.get("x-hub-signature-256", "").partition("=")
    return scheme == "sha256" and signatures.hex_signature(raw, given, secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:  # noqa: ARG001
    """GitHub's delivery GUID, which it keeps when it delivers again."""
    given = headers.get("x-github-delivery")
    return signatures.digest(given) if given else None


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:
    """One change, or nothing with a note for what ships nothing."""
    hook = _hook(raw)
    event = headers.get("x-github-event") or _event(hook)
    if event in ("deployment_status", "deployment"):
        return _deployed(hook, event, received_at)
    if event == "release":
        return _release(hook)
    if event == "push":
        return _push(hook, received_at)
    if event == "issues":
        return _issue(hook)
    if event == "ping":
        return Reading(note="GitHub's ping: the connection works.")
    if event:
        return Reading(note=f"GitHub tells of “{event[:40]}”, which ships nothing.")
    raise Unreadable("Neither the header X-GitHub-Event nor the body says what this is.")


def _hook(raw: bytes) -> Json:
    """The JSON, also when the webhook's content type is a form with the JSON in `payload`."""
    told = body.json_or_form(raw)
    payload = told.get("payload")
    if set(told) == {"payload"} and isinstance(payload, str):
        return body.json_object(payload.encode())
    return told


def _event(hook: Json) -> str:
    """What a body without the header is about."""
    fields = {"deployment_status": "deployment_status", "deployment": "deployment", "release": "release"}
    more = {"zen": "ping", "pusher": "push"}
    return next((event for field, event in {**fields, **more}.items() if field in hook), "")


def _deployed(hook: Json, event: str, received_at: datetime) -> Reading:
    if event == "deployment":
        return Reading(changes=(_deployment(hook, received_at),))
    return _deployment_status(hook, received_at)


def _deployment_status(hook: Json, received_at: datetime) -> Reading:
    status = body.inside(hook, "deployment_status")
    state = body.text(status.get("state"), 40)
    if state == "inactive":
        return Reading(
            note="GitHub says that a deployment was superseded; the one that superseded it is a change of its own."
        )
    if state not in _STATES:
        raise Unreadable(f"The deployment's state “{state}” is none of: {', '.join(_STATES)}.")
    at = body.moment(status.get("created_at")) or body.moment(status.get("updated_at")) or received_at
    extra = {
        "state": state,
        "status_description": body.text(status.get("description")),
        "environment_url": body.text(status.get("environment_url")),
        "log_url": body.text(status.get("log_url")),
    }
    url = body.first(status, ("log_url", "target_url"))
    return Reading(changes=(_deploy(hook, at, _STATES[state], url, extra),))


def _deployment(hook: Json, received_at: datetime) -> ChangeSeen:
    at = body.moment(body.inside(hook, "deployment").get("created_at")) or received_at
    return _deploy(hook, at, "started", "", {})


def _deploy(hook: Json, at: datetime, status: Status, url: str, extra: Json) -> ChangeSeen:
    """The same change from a deployment and from each of its statuses."""
    deployment = body.inside(hook, "deployment")
    number = body.text(deployment.get("id"))
    if not number:
        raise Unreadable("There is no “deployment.id”, so nothing says which deployment this is.")
    sha, ref = body.text(deployment.get("sha")), body.text(deployment.get("ref"))
    kept = ("task", "payload", "original_environment", "transient_environment", "production_environment", "created_at")
    return ChangeSeen(
        key=f"deployment:{_repository(hook)}:{number}",
        kind="deploy",
        at=at,
        status=status,
        service=_service(hook),
        environment=body.text(deployment.get("environment")),
        version=ref if ref and not _is_branch(hook, ref) else sha or ref,
        summary=body.text(deployment.get("description")),
        author=_login(deployment.get("creator")) or _login(hook.get("sender")),
        url=url or body.text(body.inside(hook, "workflow_run").get("html_url")) or _commit_url(hook, sha),
        extra={"repository": _repository(hook), "sha": sha, "ref": ref, **_some(deployment, kept), **extra},
    )


def _is_branch(hook: Json, ref: str) -> bool:
    """Whether a deployed ref is a name that moves, or the commit itself, and so no version."""
    sha = body.text(body.inside(hook, "deployment").get("sha"))
    return ref == sha or ref in {"main", "master", body.text(body.inside(hook, "repository").get("default_branch"))}


def _release(hook: Json) -> Reading:
    """A release fires several actions; its number and its publishing make them one change."""
    release = body.inside(hook, "release")
    action = body.text(hook.get("action"), 40)
    number, published = body.text(release.get("id")), body.text(release.get("published_at"), 40)
    at = body.moment(release.get("published_at"))
    if not number:
        raise Unreadable("There is no “release.id”, so nothing says which release this is.")
    if at is None or release.get("draft") is True or action not in _SHIPPED:
        return Reading(note=f"A release was {action}, which ships nothing.")
    tag = body.text(release.get("tag_name"))
    change = ChangeSeen(
        key=f"release:{number}:{published}",
        kind="release",
        at=at,
        service=_service(hook),
        version=tag,
        summary=body.text(release.get("name")) or tag,
        author=_login(release.get("author")) or _login(hook.get("sender")),
        url=body.text(release.get("html_url")),
        extra={
            "repository": _repository(hook),
            "notes": body.text(release.get("body")),
            **_some(release, ("prerelease", "target_commitish")),
        },
    )
    return Reading(changes=(change,))


def _push(hook: Json, received_at: datetime) -> Reading:
    """A push is not a deploy, but where the deploys are not told it is the next best: the default branch's and tags' pushes are kept."""
    ref, after = body.text(hook.get("ref")), body.text(hook.get("after"))
    default = body.text(body.inside(hook, "repository").get("default_branch"))
    if not ref or not after:
        raise Unreadable("The push has no “ref” or no “after”.")
    if hook.get("deleted") is True or not after.strip("0"):
        return Reading(note=f"{ref} was deleted, which ships nothing.")
    if default and ref.startswith("refs/heads/") and ref != f"refs/heads/{default}":
        return Reading(note=f"A push to {ref}, which is not the default branch, ships nothing.")
    head = body.inside(hook, "head_commit")
    change = ChangeSeen(
        key=f"push:{_repository(hook)}:{ref}:{after}",
        kind="push",
        at=body.moment(body.inside(hook, "repository").get("pushed_at"))
        or received_at,  # commits' times are their authors'
        service=_service(hook),
        version=ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else after,
        previous=before if (before := body.text(hook.get("before"))).strip("0") else "",
        summary=body.text(head.get("message")).strip(),
        author=body.text(body.inside(hook, "pusher").get("name")) or _login(hook.get("sender")),
        url=body.text(hook.get("compare")),
        extra={"repository": _repository(hook), "ref": ref, "forced": hook.get("forced") is True, **_commits(hook)},
    )
    return Reading(changes=(change,))


def _issue(hook: Json) -> Reading:
    """An issue ships nothing, but a measure may wait for it."""
    action = body.text(hook.get("action"), 40)
    url = body.text(body.inside(hook, "issue").get("html_url"))
    note = f"An issue was {action or 'changed'}, which ships nothing."
    return Reading(note=note, tickets=(url,) if url and action in _TICKETS else ())


def _commits(hook: Json) -> Json:
    commits = body.objects(hook.get("commits"))
    given = [commit.get(name) for commit in commits for name in ("added", "modified", "removed")]
    paths = dict.fromkeys(path for some in given if isinstance(some, list) for path in some if isinstance(path, str))
    return {
        "commits": [_some(commit, ("id", "message", "timestamp")) for commit in commits[-_COMMITS:]],
        "files": list(paths)[:_FILES],
    }


def _repository(hook: Json) -> str:
    return body.text(body.inside(hook, "repository").get("full_name"))


def _service(hook: Json) -> str:
    """The repository's own name."""
    return body.text(body.inside(hook, "repository").get("name"))


def _login(person: object) -> str:
    return body.text(body.inside(person).get("login"))


def _commit_url(hook: Json, sha: str) -> str:
    home = body.text(body.inside(hook, "repository").get("html_url"))
    return f"{home}/commit/{sha}" if home and sha else ""


def _some(values: Json, names: Sequence[str]) -> Json:
    return {name: values[name] for name in names if name in values}
