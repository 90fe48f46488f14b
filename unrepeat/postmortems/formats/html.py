"""The report as one self-contained HTML file: own styles and figures, no outside request, fit for print. Pages put in its template."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from unrepeat.postmortems.report import Report

_STATIC = Path(__file__).resolve().parent.parent / "static" / "postmortems"
_TOKENS = Path(__file__).resolve().parents[2] / "support" / "static" / "look" / "tokens.css"


def render(report: Report) -> str:
    """The self-contained file."""
    return render_to_string("postmortems/file.html", {"report": report, "css": mark_safe(styles())})  # noqa: S308 (our own files)


@cache
def styles() -> str:
    """Tokens, report and charts in one style sheet."""
    report = (_STATIC / "report.css").read_text().replace('@import url("charts.css");\n', "")
    return f"{_TOKENS.read_text()}{report}{chart_styles()}"


@cache
def chart_styles() -> str:
    """What gives the charts their colours, in light and in dark."""
    return (_STATIC / "charts.css").read_text()


@cache
def _picture_styles() -> str:
    return f"{_TOKENS.read_text()}{chart_styles()}"


def picture_file(svg: str) -> str:
    """A figure's SVG as a file of its own, with its styles inside."""
    head, rest = svg.split(">", 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}>\n<style><![CDATA[\n{_picture_styles()}]]></style>{rest}\n'
