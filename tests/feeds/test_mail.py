"""Mail over TLS: letters reach a real SMTP server with a certificate of our own; no other gets a password."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.program import free_port
from wetink.core.errors import Unavailable
from wetink.core.outbound.team_letters import HOUR_MS, forgotten_letter
from wetink.feeds.mail import SMTPMail
from wetink.web.request import now_ms

LETTER = forgotten_letter("ida@shop.example", "https://open.shop.example/dashboard/join?link=abc", HOUR_MS)
SENDER = "Wetink <team@shop.example>"
PASSWORD = "copper lantern"


class Certificate(NamedTuple):
    """A certificate of this machine, which signs itself, and its key."""

    chain: Path
    key: Path


class Mailbox(Message):
    """Keeps the letters that come, and who signed in."""

    def __init__(self) -> None:
        super().__init__()
        self.letters, self.logins = list[Any](), list[bytes]()

    def handle_message(self, message: Any) -> None:
        self.letters.append(message)

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append(data.password)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name, day = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail test")]), datetime.timedelta(days=1)
    now = datetime.datetime.fromtimestamp(now_ms() / 1000, datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Certificate(folder / "mail.pem", folder / "mail.key")
    found.chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    found.key.write_bytes(key.private_bytes(pem, form, plain))
    return found


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process trust the certificate, as an operator's machine trusts its own authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.chain))


@contextmanager
def serving(certificate: Certificate, *, at_once: bool = False) -> Iterator[tuple[Mailbox, int]]:
    """Run an SMTP server that begins TLS when asked to, or speaks it `at_once`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    box, port = Mailbox(), free_port()
    tls: dict[str, Any] = {"ssl_context": context, "auth_require_tls": False}
    if not at_once:
        tls = {"tls_context": context, "require_starttls": True, "auth_required": True}
    server = Controller(box, hostname="127.0.0.1", port=port, authenticator=box.authenticate, **tls)
    server.start()
    try:
        yield box, port
    finally:
        server.stop()


def send(scheme: str, port: int, password: str = "copper%20lantern") -> None:
    asyncio.run(SMTPMail(f"{scheme}://team:{password}@127.0.0.1:{port}", SENDER).send(LETTER))


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("scheme", "at_once"), [("smtp", False), ("smtps", True)])
def test_a_letter_goes_over_tls_in_plain_text_and_html(certificate: Certificate, scheme: str, at_once: bool) -> None:
    with serving(certificate, at_once=at_once) as (box, port):
        send(scheme, port)
    (letter,) = box.letters
    assert box.logins == [PASSWORD.encode()]
    assert (letter["to"], letter["from"]) == ("ida@shop.example", SENDER)
    text, html = letter.get_payload()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    for part in (text, html):
        assert b"https://open.shop.example/dashboard/join?link=abc" in part.get_payload(decode=True)


@pytest.mark.parametrize(("scheme", "at_once"), [("smtp", False), ("smtps", True)])
def test_a_server_with_an_unknown_certificate_gets_neither_password_nor_letter(
    certificate: Certificate, scheme: str, at_once: bool
) -> None:
    with (
        serving(certificate, at_once=at_once) as (box, port),
        pytest.raises(Unavailable, match="certificate verify failed"),
    ):
        send(scheme, port)
    assert (box.logins, box.letters) == ([], [])


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_refused(certificate: Certificate) -> None:
    with serving(certificate) as (box, port), pytest.raises(Unavailable, match="localhost"):
        asyncio.run(SMTPMail(f"smtp://team:x@localhost:{port}", SENDER).send(LETTER))
    assert box.logins == []


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_told_in_the_servers_words(certificate: Certificate) -> None:
    with serving(certificate) as (box, port), pytest.raises(Unavailable, match="535"):
        send("smtp", port, "wrong")
    assert box.letters == []
