"""A mail as it goes over the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unrepeat.inform.mail import Mail, address, compose, html_of, message_id
from unrepeat.support.problems import Invalid

AT = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
FROM = "Unrepeat <unrepeat@example.com>"


def made(subject="Due on 15 August", text="Add a limit.\n\n- one\n- two", to="ada@example.com", key="k"):
    return compose(Mail(to, subject, text, key), FROM, AT, "unrepeat.example.com")


def read(message):
    return message_from_bytes(message.as_bytes(), policy=default)


def test_it_has_text_and_html_that_say_the_same():
    got = read(made(text="Größe < 4 GB\n\nhttps://unrepeat.example.com/incidents/1."))
    assert got.get_content_type() == "multipart/alternative"
    text, page = got.iter_parts()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert "Größe < 4 GB" in text.get_content()
    assert "Größe &lt; 4 GB" in page.get_content()
    link = "https://unrepeat.example.com/incidents/1"
    assert f'<a href="{link}">{link}</a>.' in page.get_content()
    assert (got["From"], got["To"]) == (FROM, "ada@example.com")
    assert got["Date"].datetime == AT
    assert got["Auto-Submitted"] == "auto-generated"


def test_the_same_mail_has_the_same_id_and_another_one_another():
    assert made(key="a")["Message-ID"] == made(key="a")["Message-ID"] == message_id("a", "unrepeat.example.com")
    assert made(key="a")["Message-ID"] != made(key="b")["Message-ID"]


@given(st.text(), st.text())
@example("Hello\r\nBcc: all@example.com", "x\r\n.\r\nMAIL FROM:<>")
@example("a\u2028b\x00\ud83d", "\x00\ud83d")
@example("x" * 3000, "y" * 3000)
def test_nothing_that_people_write_becomes_a_header_or_breaks_the_wire(subject, text):
    raw = made(subject, text).as_bytes()
    got = message_from_bytes(raw, policy=default)
    assert sorted(got.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
    )
    assert "Bcc" not in got
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    raw.decode("ascii")  # no extension of the server is needed


@pytest.mark.parametrize(
    "given", ["", "ada", "@example.com", "ada@", "a@b\r\nBcc: c@d", "a b@c.de", "ada@ex ample", "<a@b.c>", "a@b,c@d"]
)
def test_what_is_no_address_is_refused(given):
    with pytest.raises(Invalid):
        address(given)


def test_a_domain_may_have_other_letters():
    assert address("ada@bücher.example") == "ada@xn--bcher-kva.example"


def test_html_has_paragraphs_and_lists_and_no_markup_of_people():
    assert html_of("<b>Due</b>:\n- one\n- <i>two</i>") == (
        "<p>&lt;b&gt;Due&lt;/b&gt;:</p><ul><li>one</li><li>&lt;i&gt;two&lt;/i&gt;</li></ul>"
    )
