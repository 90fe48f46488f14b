"""E-mail through the operator's own mail server (UNREPEAT_MAIL_URL), which the settings name: the door for HTTP is not asked.

`smtp://` begins in plain text and goes over to TLS (STARTTLS) where the server offers it; a password never goes without, but
to this machine itself. `smtps://` is TLS from the first byte. Certificates are checked; `?ca=FILE` names another authority.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from unrepeat.inform import mail
from unrepeat.support import away, clock
from unrepeat.support.config import config
from unrepeat.support.problems import Problem

TITLE = "E-mail"
HELP = "Set UNREPEAT_MAIL_URL to your mail server, for example smtp://user:password@mail.example.com:587."
SECONDS = 10.0  # for each word with the mail server
HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class Undelivered(Problem):
    """The mail server did not take a mail. `retry` says whether it may take the same mail later."""

    def __init__(self, why: str, *, retry: bool) -> None:
        remedy = "It is tried again; check UNREPEAT_MAIL_URL and the mail server." if retry else "Correct the address."
        super().__init__("The mail could not be sent.", why, remedy, status=502, retry=retry)


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server as the setting names it."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""
    authority: str | None = None


def configured() -> bool:
    """Whether there is a mail server to send through."""
    return bool(config().mail_url)


def send(wanted: mail.Mail) -> None:
    """Hand a mail to the server; Undelivered, Invalid. It may come twice after a crash, with the same Message-ID."""
    home = urlsplit(config().base_url).hostname or "localhost"
    message = mail.compose(wanted, config().mail_from or f"Unrepeat <unrepeat@{home}>", clock.now(), home)
    server = server_of(config().mail_url)
    whom = f"{server.host}:{server.port}"
    if away.is_away(whom):
        raise Undelivered(f"{server.host} kept us waiting a moment ago, and is left alone for a minute.", retry=True)
    try:
        with away.asking(whom), _connected(server, home) as smtp:
            smtp.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise Undelivered(f"{server.host} says: {code} {_text(answer)}.", retry=code < 500) from error
    except smtplib.SMTPAuthenticationError as error:
        raise Undelivered(f"{server.host} does not let us in: {error.smtp_code}.", retry=True) from error
    except smtplib.SMTPResponseException as error:
        said = f"{server.host} says: {error.smtp_code} {_text(error.smtp_error)}."
        raise Undelivered(said, retry=error.smtp_code < 500) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered(f"{server.host}: {error or type(error).__name__}.", retry=True) from error


def server_of(url: str) -> Server:
    """The mail server that an address names; a Problem when it names none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise Problem(
            "UNREPEAT_MAIL_URL cannot be used.",
            "It names no mail server.",
            "Write smtp://user:password@host:port, or smtps:// for a server that speaks TLS at once.",
            status=500,
        )
    tls = parts.scheme == "smtps"
    return Server(
        parts.hostname,
        port or (465 if tls else 587 if parts.username else 25),
        tls,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        next(iter(parse_qs(parts.query).get("ca", [])), None),
    )


def _connected(server: Server, home: str) -> smtplib.SMTP:
    """A session with the server, in TLS where there is any, signed in where that is asked."""
    context = ssl.create_default_context(cafile=server.authority)
    if server.tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=home, timeout=SECONDS, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, local_hostname=home, timeout=SECONDS)
    try:
        if not server.tls:
            _go_over_to_tls(smtp, server, context)
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _go_over_to_tls(smtp: smtplib.SMTP, server: Server, context: ssl.SSLContext) -> None:
    smtp.ehlo()
    if smtp.has_extn("starttls"):
        smtp.starttls(context=context)
        smtp.ehlo()
    elif server.user and server.host not in HERE:
        raise Undelivered(f"{server.host} offers no TLS, and a password is not sent without.", retry=True)


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return mail.one_line(text)[:300].rstrip(".")
