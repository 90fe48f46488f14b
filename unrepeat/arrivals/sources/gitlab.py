"""GitLab's webhooks: deployments, pipelines with environments, releases, pushes, issues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from unrepeat.arrivals import body, signatures
from unrepeat.arrivals.records import ChangeSeen, Json, Reading, Unreadable

TITLE = "GitLab"
HELP = (
    "Add a webhook with the address and a secret token (or a signing token), "
    "and tick Deployment events, Releases events and, if you like, Push and Pipeline events."
)
MAX_BYTES = 25 * 1024 * 1024
SIGNED = True

Status = Literal["started", "succeeded", "failed"]
_STATUSES: dict[str, Status] = {
    "created": "started",
    "blocked": "started",
    "running": "started",
    "success": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
_TICKETS = frozenset({"open", "close", "reopen"})
_COMMITS, _FILES = 20, 300  # kept with a push; the stored body has what GitLab sent


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """A Standard Webhooks signature (signing token), else the secret itself in X-Gitlab-Token."""
    if "webhook-signature" in headers:
        return signatures.standard_webhook(raw, headers, secrets)
    return signatures.same_secret(headers.get("x-gitlab-token", ""), secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:
    """GitLab's key for retries; its event UUID is shared by the events of a chain of webhooks, so the body is added to that."""
    given = headers.get("idempotency-key") or headers.get("webhook-id")
    if given:
        return signatures.digest(given)
    event = headers.get("x-gitlab-event-uuid")
    return signatures.digest(signatures.octets(event) + b"\n" + raw) if event else None


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:  # noqa: ARG001
    """The changes, or nothing with a note for what ships nothing."""
    hook = body.json_object(raw)
    kind = body.text(hook.get("object_kind"), 40)
    if kind == "deployment":
        return Reading(changes=(_deployment(hook, received_at),))
    if kind == "pipeline":
        return Reading(changes=tuple(_pipeline(hook, received_at)))
    if kind == "release":
        return _release(hook)
    if kind in {"push", "tag_push"}:
        return _push(hook, received_at)
    if kind in {"issue", "work_item"}:
        return _issue(hook)
    if kind:
        return Reading(note=f"GitLab tells of “{kind}”, which ships nothing.")
    raise Unreadable("The body has no “object_kind”: it is none of GitLab's webhooks.")


def _issue(hook: Json) -> Reading:
    """An issue ships nothing, but a measure may wait for it."""
    issue = body.inside(hook, "object_attributes")
    action, url = body.text(issue.get("action"), 40), body.text(issue.get("url"))
    note = f"An issue changed ({action or 'no action told'}), which ships nothing."
    return Reading(note=note, tickets=(url,) if url and action in _TICKETS else ())


def _deployment(hook: Json, received_at: datetime) -> ChangeSeen:
    status = body.text(hook.get("status"), 40)
    if status not in _STATUSES:
        raise Unreadable(f"The deployment's status “{status}” is none of: {', '.join(_STATUSES)}.")
    commit = body.text(hook.get("commit_url"))
    kept = ("deployment_id", "deployable_id", "environment_tier", "environment_slug", "environment_external_url", "ref")
    return ChangeSeen(
        key=_deployment_key(hook, hook.get("deployable_id"), hook.get("deployment_id")),
        kind="deploy",
        at=body.moment(hook.get("status_changed_at")) or received_at,
        status=_STATUSES[status],
        service=_service(hook),
        environment=body.text(hook.get("environment")),
        version=_sha(commit) or body.text(hook.get("short_sha")),
        summary=body.text(hook.get("commit_title")),
        author=_person(hook),
        url=body.first(hook, ("deployable_url", "commit_url")),
        extra={"repository": _path(hook), "commit_url": commit, **_some(hook, kept)},
    )


def _deployment_key(hook: Json, job: object, deployment: object) -> str:
    """The job that deploys, which the pipeline's webhook names too; deployments without a job have a number of their own."""
    if body.text(job):
        return f"job:{_path(hook)}:{body.text(job)}"
    if body.text(deployment):
        return f"deployment:{_path(hook)}:{body.text(deployment)}"
    raise Unreadable("The deployment has neither a “deployment_id” nor a “deployable_id”.")


def _pipeline(hook: Json, received_at: datetime) -> list[ChangeSeen]:
    """One change for each job that brings something to an environment."""
    pipeline = body.inside(hook, "object_attributes")
    if not body.text(pipeline.get("id")):
        raise Unreadable("The pipeline has no “object_attributes.id”.")
    changes = []
    for job in body.objects(hook.get("builds")):
        environment = body.inside(job, "environment")
        status = _STATUSES.get(body.text(job.get("status")))
        if not body.text(environment.get("name")) or environment.get("action") != "start":
            continue
        if status is None or (status == "started" and body.moment(job.get("started_at")) is None):
            continue  # not begun: created, pending, manual, skipped
        changes.append(_job(hook, pipeline, job, status, received_at))
    return changes


def _job(hook: Json, pipeline: Json, job: Json, status: Status, received_at: datetime) -> ChangeSeen:
    environment = body.inside(job, "environment")
    home = body.text(body.inside(hook, "project").get("web_url"))
    number = body.text(job.get("id"))
    moments = ("started_at",) if status == "started" else ("finished_at", "started_at")
    at = next((found for name in moments if (found := body.moment(job.get(name)))), received_at)
    return ChangeSeen(
        key=_deployment_key(hook, number, None),
        kind="deploy",
        at=at,
        status=status,
        service=_service(hook),
        environment=body.text(environment.get("name")),
        version=body.text(pipeline.get("sha")),
        summary=body.first(body.inside(hook, "commit"), ("title", "message")).strip() or body.text(job.get("name")),
        author=_person(job) or _person(hook),
        url=f"{home}/-/jobs/{number}" if home else "",
        extra={
            "repository": _path(hook),
            "pipeline": pipeline.get("id"),
            "ref": body.text(pipeline.get("ref")),
            "environment_tier": body.text(environment.get("deployment_tier")),
        },
    )


def _release(hook: Json) -> Reading:
    action = body.text(hook.get("action"), 40)
    tag = body.text(hook.get("tag"))
    number = body.text(hook.get("id")) or tag
    at = body.moment(hook.get("released_at")) or body.moment(hook.get("created_at"))
    if not number:
        raise Unreadable("The release has neither an “id” nor a “tag”.")
    if action == "delete" or at is None:
        return Reading(note=f"Release {tag} ({action}) ships nothing.")
    change = ChangeSeen(
        key=f"release:{_path(hook)}:{number}",
        kind="release",
        at=at,
        service=_service(hook),
        version=tag,
        summary=body.text(hook.get("name")) or tag,
        author=body.text(body.inside(hook, "commit", "author").get("name")),
        url=body.text(hook.get("url")),
        extra={"repository": _path(hook), "action": action, "notes": body.text(hook.get("description"))},
    )
    return Reading(changes=(change,))


def _push(hook: Json, received_at: datetime) -> Reading:
    """A push is not a deploy, but where the deploys are not told it is the next best: the default branch's and tags' pushes are kept."""
    ref, after = body.text(hook.get("ref")), body.text(hook.get("after"))
    default = body.text(body.inside(hook, "project").get("default_branch"))
    if not ref or not after:
        raise Unreadable("The push has no “ref” or no “after”.")
    if not after.strip("0"):
        return Reading(note=f"{ref} was deleted, which ships nothing.")
    if default and ref.startswith("refs/heads/") and ref != f"refs/heads/{default}":
        return Reading(note=f"A push to {ref}, which is not the default branch, ships nothing.")
    commits = body.objects(hook.get("commits"))
    before = body.text(hook.get("before"))
    home = body.text(body.inside(hook, "project").get("web_url"))
    change = ChangeSeen(
        key=f"push:{_path(hook)}:{ref}:{after}",
        kind="push",
        at=received_at,  # GitLab does not say when; the commits' times are their authors'
        service=_service(hook),
        version=ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else after,
        previous=before if before.strip("0") else "",
        summary=body.text(commits[-1].get("message")).strip() if commits else "",
        author=body.first(hook, ("user_name", "user_username")),
        url=f"{home}/-/compare/{before}...{after}" if home and before.strip("0") else "",
        extra={
            "repository": _path(hook),
            "ref": ref,
            "total_commits_count": hook.get("total_commits_count"),
            "commits": [_some(commit, ("id", "message", "timestamp", "url")) for commit in commits[-_COMMITS:]],
            "files": _files(commits),
        },
    )
    return Reading(changes=(change,))


def _files(commits: list[Json]) -> list[str]:
    given = [commit.get(name) for commit in commits for name in ("added", "modified", "removed")]
    paths = dict.fromkeys(path for some in given if isinstance(some, list) for path in some if isinstance(path, str))
    return list(paths)[:_FILES]


def _path(hook: Json) -> str:
    return body.text(body.inside(hook, "project").get("path_with_namespace"))


def _service(hook: Json) -> str:
    """The last part of the project's path."""
    return _path(hook).rpartition("/")[2]


def _person(hook: Json) -> str:
    return body.first(body.inside(hook, "user"), ("username", "name"))


def _sha(commit_url: str) -> str:
    """The full commit id at the end of a commit's address; the webhook itself has only a short one."""
    last = commit_url.rpartition("/")[2]
    return last if 40 <= len(last) <= 64 and all(digit in "0123456789abcdef" for digit in last) else ""


def _some(values: Json, names: Sequence[str]) -> Json:
    return {name: values[name] for name in names if name in values}
