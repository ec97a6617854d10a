"""Passkey: the address that passkeys belong to, and the part of a passkey that a server keeps."""

import unicodedata
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from wetink.core.errors import BadRequest

LONGEST_NAME = 60
MOST_PASSKEYS = 20
"""Passkeys of one account."""


class RelyingParty(msgspec.Struct, frozen=True):
    """The host whose passkeys these are, and the origin of the pages that may use them."""

    id: str
    origin: str


class Passkey(msgspec.Struct, frozen=True):
    """The public key of a passkey in base64url, its counter (0 if it has none), and how a browser reaches it."""

    public_key: str
    counter: int = 0
    transports: tuple[str, ...] = ()
    synced: bool = False


def relying_party(address: str) -> RelyingParty | None:
    """Return the relying party of a server's address; None if browsers have no passkeys for it.

    They need HTTPS and a host's name. The server on one's own machine is `localhost`, whichever way it is written.

    >>> relying_party("https://open.shop.example/")
    RelyingParty(id='open.shop.example', origin='https://open.shop.example')
    >>> relying_party("http://127.0.0.1:8000")
    RelyingParty(id='localhost', origin='http://localhost:8000')
    >>> relying_party("http://open.shop.example"), relying_party("https://192.0.2.1")
    (None, None)
    """
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return None
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    if usual is None or not host:
        return None
    end = f":{port}" if port not in (None, usual) else ""
    try:
        if not ip_address(host).is_loopback:
            return None
        host = "localhost"
    except ValueError:
        if parts.scheme != "https" and host != "localhost" and not host.endswith(".localhost"):
            return None
    return RelyingParty(host, f"{parts.scheme}://{host}{end}")


def passkey_name(text: str) -> str:
    """Return the name of a passkey, trimmed; "Passkey" for none. Raises BadRequest."""
    name = " ".join(unicodedata.normalize("NFC", text).split()) or "Passkey"
    if len(name) > LONGEST_NAME:
        raise BadRequest(f"a name has at most {LONGEST_NAME} characters", hint="shorten it", where="name")
    if not name.isprintable():
        raise BadRequest("this name has characters that cannot be shown", hint="write another", where="name")
    return name
