"""`unrepeat postmortem`: the same words as the pages, for people and for programs."""

from __future__ import annotations

import io
import json

import pytest

from tests.rooms.test_postmortems import a_draft
from unrepeat.postmortems import queries
from unrepeat.support.problems import NotFound
from unrepeat.terminal import postmortem as terminal

pytestmark = pytest.mark.django_db


def test_list_tells_drafts_and_published_ones(capsys):
    terminal.list_reports()
    assert "No report yet" in capsys.readouterr().out
    number = a_draft()
    terminal.list_reports(as_json=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["number"], row["revision"], row["service"]) == (number, 0, "sessions")
    terminal.list_reports(text="leak")
    assert "No report found" in capsys.readouterr().out, "a draft is not in the library"
    terminal.publish(number, by="Ada")
    terminal.list_reports(text="released")
    assert "revision 1" in " ".join(capsys.readouterr().out.split())


def test_a_headline_is_shown_as_it_is_and_never_taken_for_markup(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # else a narrow terminal breaks it over lines
    odd = "[/b] :smile: [red]"
    number = a_draft()
    terminal.write(number, "headline", _file(tmp_path, odd), by="Ada")
    terminal.publish(number, by="Ada")
    capsys.readouterr()
    terminal.list_reports()
    assert odd in capsys.readouterr().out


def test_show_prints_or_writes_files(capsys, tmp_path):
    number = a_draft()
    terminal.show(number)
    assert capsys.readouterr().out.startswith("# The shop was slow")
    terminal.show(number, format_="html")
    assert capsys.readouterr().out.startswith("<!doctype html>")
    terminal.show(number, out=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "memory.svg",
        "postmortem.html",
        "postmortem.md",
        "timeline.svg",
    ]
    terminal.publish(number, by="Ada")
    terminal.write(number, "headline", _file(tmp_path, "Later"), by="Ada")
    capsys.readouterr()
    terminal.show(number)
    assert capsys.readouterr().out.startswith("# The shop was slow"), "readers see what is published"
    terminal.show(number, draft=True)
    assert capsys.readouterr().out.startswith("# Later")
    terminal.show(number, revision=1)
    assert "revision 1" in capsys.readouterr().out


def test_write_reads_a_file_or_standard_input(capsys, tmp_path, monkeypatch):
    from pathlib import Path

    number = a_draft()
    terminal.write(number, "cause", _file(tmp_path, "It *kept* all."), by="Ada")
    assert queries.prose(number, "cause").by == "Ada"
    monkeypatch.setattr("sys.stdin", io.StringIO("From a pipe."))
    terminal.write(number, "cause", Path("-"), by="Ben")
    assert queries.prose(number, "cause").text == "From a pipe."
    with pytest.raises(NotFound, match="no file"):
        terminal.write(number, "cause", tmp_path / "none.md", by="Ada")


def _file(folder, text):
    path = folder / "text.md"
    path.write_text(text)
    return path
