"""An alerting rule as people write it: fields, or the text of a Prometheus rule file."""

from __future__ import annotations

from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from unrepeat.prevention.backtest.replayed import Rules, rules_of
from unrepeat.support.problems import Invalid

MOST_TEXT = 256 * 1024  # characters
Duration = Annotated[str, StringConstraints(pattern=r"^(\d+(ms|s|m|h|d|w|y))+$|^0$", max_length=40)]


class AlertRule(BaseModel):
    """One alerting rule, with Prometheus' own names."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True, populate_by_name=False)

    alert: Annotated[str, Field(min_length=1, max_length=200, description="Its name.")]
    expr: Annotated[str, Field(min_length=1, max_length=8192, description="When it fires, in PromQL.")]
    wait: Annotated[Duration, Field(alias="for", description="How long that must hold, for example 5m.")] = "0s"
    labels: Annotated[dict[str, str], Field(max_length=50, description="As Prometheus adds them.")] = {}
    annotations: Annotated[dict[str, str], Field(max_length=50, description="As Prometheus adds them.")] = {}


def _readable(text: str) -> str:
    """Whether it is YAML with an alerting rule in it, and no aliases, which can be endless."""
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ValueError("YAML aliases are not read")
        rules = _rules(yaml.safe_load(text))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is no YAML: {' '.join(str(error).split())[:200]}") from error
    if not any("alert" in rule for rule in rules):
        raise ValueError("there is no alerting rule in it")
    return text


RuleText = Annotated[str, StringConstraints(min_length=1, max_length=MOST_TEXT), AfterValidator(_readable)]

Rule = Annotated[
    Annotated[AlertRule, Tag("fields")] | Annotated[RuleText, Tag("text")],
    Discriminator(lambda given: "text" if isinstance(given, str) else "fields"),
]
"""A rule in a guard's text: a table of fields, or the text of a rule file."""


def rules_from(rule: AlertRule | str, alert: str = "") -> Rules:
    """A rule file for promtool; Invalid when the alert that is meant cannot be told."""
    if isinstance(rule, AlertRule):
        made: dict[str, Any] = {"alert": rule.alert, "expr": rule.expr}
        made |= {"for": rule.wait} if rule.wait not in ("0", "0s") else {}
        made |= {"labels": dict(rule.labels)} if rule.labels else {}
        made |= {"annotations": dict(rule.annotations)} if rule.annotations else {}
        return rules_of(made)
    found = yaml.safe_load(rule)
    all_rules = _rules(found)
    alerts = [str(one["alert"]) for one in all_rules if "alert" in one]
    chosen = alert or (alerts[0] if len(set(alerts)) == 1 else "")
    if chosen not in alerts:
        raise Invalid(
            "It cannot be told which alert is meant.",
            f"The rules have: {', '.join(sorted(set(alerts)))[:300]}.",
            "Name one of them in `alert`.",
        )
    text = rule if isinstance(found, dict) and "groups" in found else _grouped(all_rules)
    return Rules(
        text,
        chosen,
        tuple(str(one.get("expr", "")) for one in all_rules),
        frozenset(str(one["record"]) for one in all_rules if "record" in one),
    )


def rules_in(text: str) -> tuple[Rules, dict[str, str]]:
    """The rules of a file, and the expressions of its alerts by name; ValueError when it cannot be read."""
    _readable(text)
    found = _rules(yaml.safe_load(text))
    alerts = {str(one["alert"]): str(one.get("expr", "")) for one in found if "alert" in one}
    return rules_from(text, next(iter(alerts))), alerts


def _grouped(rules: list[dict[str, Any]]) -> str:
    return yaml.safe_dump({"groups": [{"name": "unrepeat", "rules": rules}]}, sort_keys=False, width=1_000_000)


def _rules(found: Any) -> list[dict[str, Any]]:
    """The rules of a file, of a list, or the one rule that it is."""
    if isinstance(found, dict) and "groups" in found:
        groups = found["groups"] if isinstance(found["groups"], list) else []
        inner = [group.get("rules") for group in groups if isinstance(group, dict)]
        found = [rule for rules in inner if isinstance(rules, list) for rule in rules]
    elif isinstance(found, dict):
        found = [found]
    return [rule for rule in found if isinstance(rule, dict)] if isinstance(found, list) else []
