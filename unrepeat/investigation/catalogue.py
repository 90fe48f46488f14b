"""Which services are looked at when one is in trouble, and which series belong to a service. Pure.

The catalogue's `labels` say which series are a service's; without them a guess is made: the label `service`, then the label `job`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LEFT_OUT = ".*_(bucket|created|info)|ALERTS.*|scrape_.*|go_.*|python_gc_.*|promhttp_.*"
"""Names that tell nothing by themselves, or nothing of the service; Prometheus leaves them out before it answers."""
NAMING = ("service", "service_name", "app", "job")  # labels that name a service
STEPS_AWAY = 2  # along the dependencies, in either direction
MOST_SERVICES = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A service to look at: the label values that the catalogue gives its series, and whom it calls."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    calls: tuple[str, ...] = ()

    @property
    def guesses(self) -> list[Mapping[str, str]]:
        """The labels by which its series may be found, likeliest first."""
        return [self.labels] if self.labels else [{"service": self.name}, {"job": self.name}]

    @property
    def traced_as(self) -> list[str]:
        """What it may be called in traces: its name, and what the catalogue's labels call it."""
        return list(dict.fromkeys([self.name, *(self.labels[name] for name in NAMING if name in self.labels)]))


def around(services: Iterable[str], graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The services, then their neighbours, then those of the neighbours; a cycle in the catalogue ends nothing and loops nowhere."""
    found = dict.fromkeys(name for name in services if name)
    edge = list(found)
    for _ in range(STEPS_AWAY):
        edge = [other for name in edge for other in sorted(graph.get(name, ())) if other not in found]
        found |= dict.fromkeys(edge)
    return list(found)[:MOST_SERVICES]


def selector(labels: Mapping[str, str], metrics: Sequence[str] = ()) -> str:
    """All series with these labels but those that tell nothing; or those of some metrics."""
    said = labels_said(labels)[1:-1]
    if len(metrics) == 1:
        return f"{metrics[0]}{{{said}}}"
    return f'{{{said},__name__=~"{"|".join(metrics)}"}}' if metrics else f'{{{said},__name__!~"{LEFT_OUT}"}}'


def labels_said(labels: Mapping[str, str]) -> str:
    """`{job="sessions"}`."""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items())) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
