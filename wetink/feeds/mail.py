"""Mail: sends letters to the team through the operator's SMTP server."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import unquote, urlsplit

from wetink.core.errors import Unavailable
from wetink.core.outbound.letter import Letter

SECONDS = 20.0
"""How long the SMTP server may take for each answer."""
PORTS = {"smtp": 587, "smtps": 465}


class SMTPMail:
    """`ports.outside.Mail` over SMTP: `smtp://` begins TLS where the server offers it, `smtps://` speaks TLS only."""

    def __init__(self, url: str, sender: str) -> None:
        """Send through the server at `url`, from the address `sender`."""
        self._url, self._sender = urlsplit(url), sender

    async def send(self, letter: Letter) -> None:
        await asyncio.to_thread(self._send, letter)

    def _send(self, letter: Letter) -> None:
        host, port = self._url.hostname or "", self._url.port or PORTS[self._url.scheme]
        try:
            with self._open(host, port) as server:
                if self._url.scheme == "smtp":
                    server.ehlo()
                    if server.has_extn("starttls"):
                        server.starttls(context=ssl.create_default_context())
                if self._url.username:
                    if not isinstance(server.sock, ssl.SSLSocket) and host not in ("127.0.0.1", "::1", "localhost"):
                        raise Unavailable(f"{host} offers no TLS, so the password is not sent", hint="use smtps://")
                    server.login(unquote(self._url.username), unquote(self._url.password or ""))
                refused = server.send_message(self._message(letter), parseaddr(self._sender)[1], list(letter.to))
        except smtplib.SMTPResponseException as error:
            words = (
                error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
            )
            raise Unavailable(f"the mail server answered {error.smtp_code} {words[:200]}") from error
        except smtplib.SMTPRecipientsRefused as error:
            raise Unavailable(f"the mail server refused {', '.join(error.recipients)[:200]}") from error
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise Unavailable(f"the mail server at {host}:{port} cannot be used: {error}") from error
        if refused:
            raise Unavailable(f"the mail server refused {', '.join(refused)[:200]}")

    def _open(self, host: str, port: int) -> smtplib.SMTP:
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=SECONDS)

    def _message(self, letter: Letter) -> EmailMessage:
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = self._sender, ", ".join(letter.to), letter.subject
        made["Date"] = formatdate(usegmt=True)
        made["Message-ID"] = f"<{letter.id}@{parseaddr(self._sender)[1].rpartition('@')[2] or 'wetink'}>"
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(letter.text)
        made.add_alternative(letter.html, subtype="html")
        return made
