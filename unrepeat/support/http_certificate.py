"""The certificate that a server shows, read through the same door as requests: its address is checked, and connected to."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from unrepeat.support.http import Unreachable, checked, trust


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate. `distrust`: why it is not to be trusted, in OpenSSL's words; empty when it is."""

    ends: datetime
    issuer: str
    distrust: str


def certificate(host: str, port: int = 443, *, timeout: float = 5) -> Certificate:
    """What the server at `host` shows (seconds for each of at most two connections); Refused or Unreachable."""
    address = checked(host, port)[0]
    try:
        return _shown(host, address, port, timeout, trust(), "")
    except ssl.SSLCertVerificationError as error:
        distrust = error.verify_message or str(error)
    except (OSError, ValueError) as error:
        raise Unreachable(host, f"It shows no certificate: {error}.") from error
    anyway = ssl.create_default_context()
    anyway.check_hostname, anyway.verify_mode = False, ssl.CERT_NONE  # only to read until when it was good
    try:
        return _shown(host, address, port, timeout, anyway, distrust)
    except (OSError, ValueError) as error:
        raise Unreachable(host, f"It shows no certificate: {error}.") from error


def _shown(host: str, address: str, port: int, timeout: float, context: ssl.SSLContext, distrust: str) -> Certificate:
    with (
        socket.create_connection((address, port), timeout=timeout) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        found = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
    return Certificate(found.not_valid_after_utc, found.issuer.rfc4514_string(), distrust)
