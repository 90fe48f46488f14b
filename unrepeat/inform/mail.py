"""A mail as it goes over the wire: text with a simple HTML alternative (RFC 5322, 2045, 2046). Pure.

Nothing that people write can become a header: line ends and control characters never get that far.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from unrepeat.support.problems import Invalid

SUBJECT = 160  # characters
ADDRESS = 254  # characters, of RFC 5321
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")
_PAGE = '<div style="max-width:38em;font:15px/1.5 system-ui,sans-serif;color:#1c1e21">{}</div>'


@dataclass(frozen=True, slots=True)
class Mail:
    """What is to be said to one address. `key`: the same for the same mail, however often it is sent."""

    to: str
    subject: str
    text: str
    key: str


def compose(mail: Mail, sender: str, at: datetime, home: str) -> EmailMessage:
    """The message, ready for SMTP. `home`: the host name of this server; Invalid when an address is none."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _sender(sender)
    message["To"] = Address(addr_spec=address(mail.to))
    message["Subject"] = one_line(mail.subject)[:SUBJECT] or "(no subject)"
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id(mail.key, home)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers this
    text = plain(mail.text)
    message.set_content(text + "\n", cte="quoted-printable")
    message.add_alternative(_PAGE.format(html_of(text)), subtype="html", cte="quoted-printable")
    return message


def address(given: str) -> str:
    """The address as it stands in an envelope, its domain in ASCII; Invalid when it is none."""
    local, _, domain = given.strip().rpartition("@")
    try:
        written = f"{local}@{domain.encode('idna').decode() if domain else ''}"
    except UnicodeError:
        written = ""
    if len(written) > ADDRESS or not re.fullmatch(f"{_LOCAL}@{_DOMAIN}", written):
        raise Invalid(
            f"“{one_line(given)[:60]}” is no e-mail address.", "Mail cannot be sent there.", "Write name@example.com."
        )
    return written


def message_id(key: str, home: str) -> str:
    """The Message-ID that follows from a key: who gets a mail twice can tell that it is one."""
    domain = home if re.fullmatch(_DOMAIN, home) else "unrepeat.invalid"
    return f"<{hashlib.sha256(f'{home}:{key}'.encode()).hexdigest()[:40]}@{domain}>"


def one_line(text: str) -> str:
    """Text on one line, without control characters and half characters."""
    return " ".join("".join(c if _shows(c) else " " for c in text).split())


def plain(text: str) -> str:
    """Text of whole lines, without control characters and half characters."""
    return "\n".join("".join(c for c in line if _shows(c)).rstrip() for line in text.splitlines()).strip()


def html_of(text: str) -> str:
    """Plain text as HTML: paragraphs, lists (lines that begin with "- ") and links."""
    return "\n".join(_block(block.splitlines()) for block in re.split(r"\n\s*\n", text) if block.strip())


def _block(lines: list[str]) -> str:
    items = [line for line in lines if line.startswith("- ")]
    said = "<br>".join(_linked(line) for line in lines if not line.startswith("- "))
    listed = "".join(f"<li>{_linked(line[2:])}</li>" for line in items)
    return (f"<p>{said}</p>" if said else "") + (f"<ul>{listed}</ul>" if listed else "")


def _linked(line: str) -> str:
    done, at = [], 0
    for found in _LINK.finditer(line):
        link = html.escape(found[0])
        done += [html.escape(line[at : found.start()]), f'<a href="{link}">{link}</a>']
        at = found.end()
    return "".join([*done, html.escape(line[at:])])


def _sender(given: str) -> Address:
    name, spec = parseaddr(one_line(given))
    return Address(display_name=name, addr_spec=address(spec))


def _shows(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
