"""Reports made from a log, for tests of what a report says."""

from __future__ import annotations

from html.parser import HTMLParser

from django.template.loader import render_to_string

from tests.support.outage import DIGEST, at, log, memory, outage
from unrepeat.incidents import entries as e
from unrepeat.incidents.fold import fold
from unrepeat.postmortems.charts import figures
from unrepeat.postmortems.facts import facts
from unrepeat.postmortems.prevention_facts import today
from unrepeat.postmortems.report import Facts, Prose, Report
from unrepeat.postmortems.sentences import SENTENCES

RESULTS = {DIGEST: memory()}


def facts_of(happened, *, results=RESULTS, team="Sessions") -> Facts:
    """The facts of what happened."""
    logged = log(*happened)
    return facts(fold(logged), logged, incident=31, results=results, team=team)


def report_of(happened, *, results=RESULTS, now=None, **written: str) -> Report:
    """The draft of what happened, with sections that Ada has written; `now`: when somebody looks at how its measures stand."""
    known = facts_of(happened, results=results)
    said = {name: Prose(make(known), written=False) for name, make in SENTENCES.items()}
    said |= {name: Prose(text, written=True, seq=1, by="Ada", at=at("19:00")) for name, text in written.items()}
    logged = log(*happened)
    present = today(fold(logged), logged, now) if now else None
    return Report(13, "draft", 0, at("18:00"), "unrepeat", known, said, figures(known, results), today=present)


def part_of_page(report: Report) -> str:
    """The `<article>` that a page puts in."""
    return render_to_string("postmortems/_report.html", {"report": report})


def without(*kinds: type[e.Entry]):
    """The outage without entries of these kinds."""
    return [one for one in outage() if not isinstance(one[2], kinds)]


class _Seen(HTMLParser):
    """What an HTML reader makes of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.links, self.words = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href", "data", "action")]

    def handle_data(self, data):
        self.words += data


def seen(page: str) -> _Seen:
    """A page as a reader of HTML takes it."""
    reader = _Seen()
    reader.feed(page)
    return reader
