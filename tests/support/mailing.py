"""A real SMTP server (aiosmtpd) in a thread: it keeps what it takes, and can offer TLS, ask for a password, or refuse."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from unrepeat.support.config import Config, config


@dataclass
class MailServer:
    """What the server took, and how it behaves."""

    port: int = 0
    raw: list[bytes] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    in_tls: list[bool] = field(default_factory=list)
    refuse: str = ""  # the answer to RCPT, such as "550 no such mailbox"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        self.envelopes.append(envelope)
        self.in_tls.append(session.ssl is not None)
        return "250 taken"

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=default) for raw in self.raw]  # type: ignore[misc]

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]


class _Free(Controller):
    """On a free port, of which it knows the number."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(*, certificate: tuple[Path, Path] | None = None, password: str = "") -> Iterator[MailServer]:
    """A server on 127.0.0.1; with a certificate (chain, key) it offers STARTTLS, with a password it asks for it after that."""
    kept = MailServer()
    more: dict[str, Any] = {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, certificate))
        more |= {"tls_context": context}
    if password:

        def asked(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            good = isinstance(data, LoginPassword) and data.password == password.encode()
            return AuthResult(success=good, handled=False) if not good else AuthResult(success=True)

        more |= {"authenticator": asked, "auth_required": True, "auth_require_tls": bool(certificate)}
    controller = _Free(kept, hostname="127.0.0.1", port=0, **more)
    controller.start()
    kept.port = controller.port
    try:
        yield kept
    finally:
        controller.stop()


@contextmanager
def configured(**values: Any) -> Iterator[Config]:
    """The settings with other values, for the whole process."""
    before = config()
    changed = {name: (getattr(before, name), value) for name, value in values.items()}
    for name, (_, value) in changed.items():
        before.__dict__[name] = value
    try:
        yield before
    finally:
        for name, (former, _) in changed.items():
            before.__dict__[name] = former


def certificate(folder: Path, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """A self-signed certificate for an address, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "mail.pem", folder / "mail.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, secret
