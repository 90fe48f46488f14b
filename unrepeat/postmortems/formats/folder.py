"""The report as files in a folder: one self-contained HTML file, Markdown, and the figures that the Markdown links to."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from unrepeat.postmortems.formats import html, markdown
from unrepeat.postmortems.report import Report

Format = Literal["html", "md"]


def save(report: Report, folder: Path, formats: tuple[Format, ...] = ("html", "md")) -> list[Path]:
    """Write `postmortem.html`, and `postmortem.md` with its SVG files, below `folder`; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    if "html" in formats:
        files["postmortem.html"] = html.render(report)
    if "md" in formats:
        document = markdown.document(report)
        files |= {"postmortem.md": document.text, **document.files}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]
