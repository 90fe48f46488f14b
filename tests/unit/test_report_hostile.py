"""Whatever the log and people say stays words: nothing of it becomes markup, script, link or request."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from tests.support.outage import DIGEST, at
from tests.support.report import report_of, seen
from unrepeat.incidents import entries as e
from unrepeat.postmortems import plain
from unrepeat.postmortems.formats import html, markdown, prose

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/track.png)",
    "</style><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "`code` *bold* _it_ # head\n# more\n- item\n1. one",
    "| a | b |\n| --- | --- |",
    "\u202eevil\u202c \u2066x\u2069 \u200f",
    "מחסנית מלאה 🚨🧠 émoji 漢字",
    "\x00\x07\x1b[31m\ud800 bad",
    "x" * 200_000,
    "{{ settings.SECRET_KEY }} {% include 'x' %} %s {0} {y}",
    "&lt;script&gt; &amp; &#x3c;",
    "<https://evil.example> <javascript:alert(1)>",
]


def hostile_outage(text: str):
    return [
        (at("15:15"), "unrepeat", e.IncidentOpened(text, text[:40], text, "UTC", "new")),
        (at("15:15"), text, e.AlertFired(1, text, text, text, text, text, "javascript:alert(1)", text)),
        (at("15:16"), text, e.ChangeNoticed(1, text, "succeeded", text, text, text, text, text, "javascript:alert(1)")),
        (at("15:17"), text, e.NoteWritten(text)),
        (at("15:18"), text, e.SuspectConvicted(text, "service", text, (DIGEST,))),
        (at("15:18"), text, e.SuspectCleared(f"{text} 2", "change", text)),
        (at("15:19"), text, e.Escalated(text, text)),
        (
            at("15:20"),
            text,
            e.EvidenceGathered(
                DIGEST, text, text, "process_resident_memory_bytes " + text, at("14:15"), at("18:15"), text, "bytes"
            ),
        ),
        (at("15:20"), text, e.EvidenceMissing(f"{text} 3", text)),
        (at("15:21"), text, e.Mitigated(text)),
        (at("15:22"), text, e.MeasureProposed(1, "task", text, text, text)),
        (at("15:22"), text, e.MeasureProposed(2, "improvement", text, text, text)),
        (at("15:22"), text, e.MeasureDropped(2, text)),
        (at("15:22"), text, e.CauseNamed(1, "factor", text, text)),
        (at("15:22"), text, e.CauseNamed(2, "cause", text, text)),
        (at("15:22"), text, e.RiskAccepted(2, text)),
        (at("15:23"), text, e.GuardTied(1, 7, text, text, text)),
        (at("15:23"), text, e.GuardProven(7, text, f"{text} red", f"{text} green", text, text, text, text, text)),
        (at("15:23"), text, e.TicketLinked(1, text, text, "javascript:alert(1)")),
        (at("15:24"), text, e.MeasureDone(1, text)),
        (at("15:24"), text, e.GuardTurned(7, text, "red", text, text)),
        (at("15:24"), text, e.RepeatSuspected(4, 9, text, "likely", 0.9, (text,), text, 2, text)),
        (at("15:24"), text, e.RepeatConfirmed(4, 9, text)),
        (at("15:25"), text, e.Resolved(text)),
        (at("15:26"), text, e.RepeatedBy(40, text)),
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_stay_words_everywhere(text):
    report = report_of(hostile_outage(text), now=at("18:00"))
    for page in (html.render(report), *(html.picture_file(f.svg) for f in report.figures if f.svg)):
        reader = seen(page)
        assert not {"script", "img", "iframe", "object", "link", "base", "form"} & set(reader.tags)
        assert not [name for name in reader.attributes if name.startswith("on")]
        assert not [link for link in reader.links if not link.startswith(("http://", "https://", "#"))]
        assert not set(page) & {"\x00", "\x07", "\x1b", "\u202e", "\u2066", "\u200f"}
        assert len(page) < 400_000
        page.encode()
    text_of = markdown.document(report).text
    rendered = seen(MarkdownIt("commonmark", {"html": True}).enable("table").render(text_of))
    assert not {"script", "iframe"} & set(rendered.tags)
    assert not [
        link for link in rendered.links if not link.startswith(("http://", "https://", "memory.svg", "timeline.svg"))
    ]
    assert rendered.tags.count("img") == sum(bool(figure.svg) for figure in report.figures)
    assert rendered.tags.count("h1") == 1
    assert rendered.tags.count("h2") == 5


def test_prose_is_markdown_and_can_do_no_harm():
    text = "It **kept** [every](https://x.example) session.\n\n- one\n- two\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n# Heading\n\n<b onclick=x>raw</b> ![pic](https://evil.example/a.png) [bad](javascript:alert(1)) [data](data:text/html,x)"
    page = prose.to_html(text)
    assert "<strong>kept</strong>" in page and '<a href="https://x.example"' in page and "<td>1</td>" in page
    assert "<h3>Heading</h3>" in page, "a heading stands below the section's own"
    assert "<b" not in page.replace("<br", "") and "<img" not in page
    assert not [link for link in seen(page).links if not link.startswith("https://")]


def test_prose_as_markdown_has_no_raw_html_and_lower_headings():
    text = "# Head\n\nUnder\n===\n\n<script>alert(1)</script>\n\n```\n# kept <b>\n```\n\n[x](javascript:alert(1))\n\n<div><p onclick=x>hi"
    safe = prose.to_markdown(text)
    rendered = seen(MarkdownIt("commonmark", {"html": True}).render(safe))
    assert not {"script", "div", "h1", "h2"} & set(rendered.tags)
    assert rendered.tags.count("h3") == 2
    assert "# kept <b>" in rendered.words
    assert not rendered.links


@pytest.mark.parametrize(
    "text",
    ["a*b*", "# x", "1. x", "12) x", "- x", "snake_case_name", "_it_", "a|b", "<b>", "[x](y)", "~~~", "&amp;", "\\"],
)
def test_escaped_markdown_reads_as_it_was(text):
    assert seen(MarkdownIt("commonmark", {"html": True}).render(plain.markdown(text))).words.strip() == text


def test_escaped_markdown_stays_readable():
    assert (
        plain.markdown("process_resident_memory_bytes is at 81 % (of 420 MB)")
        == "process_resident_memory_bytes is at 81 % (of 420 MB)"
    )


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://x.example/a?b=c", True),
        ("http://x", True),
        ("javascript:alert(1)", False),
        ("JAVASCRIPT:alert(1)", False),
        ("//x.example", False),
        ("https:///x", False),
        ("data:text/html,x", False),
        ("https://x\n.example", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(url, kept):
    assert plain.web_link(url) == (url if kept else "")
