"""Asked: a request as the opens' doors read it, and what they answer it with, whichever way both come and go."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from wetink.ports.ledger import Served

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

LONGEST_PARAMETER, MOST_PARAMETERS, LONGEST_NAME = 256, 32, 64


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request. Names of headers are in lower case; `client` is an IP address, empty when it is not known."""

    method: str
    path: str
    query: bytes
    headers: tuple[Header, ...]
    client: str

    @property
    def head(self) -> bool:
        """Whether only the headers are wanted: then nobody looks at what would come with them."""
        return self.method == "HEAD"

    def header(self, name: bytes) -> bytes:
        """Return a header, empty for none of this name; of several the last, which the nearest proxy added."""
        found = b""
        for each, value in self.headers:
            if each == name:
                found = value
        return found

    def parameters(self) -> dict[str, str]:
        """Return what stands after the question mark."""
        return dict(parse_qsl(self.query.decode("latin-1"), errors="replace")) if self.query else {}


class Reply(msgspec.Struct, frozen=True, gc=False):
    """An answer. `served` is what a picture counts as whenever it is sent."""

    status: int
    headers: tuple[Header, ...]
    body: bytes
    served: Served | None = None


def of_scope(scope: Scope) -> Asked:
    """Return the request of an ASGI scope."""
    client = scope.get("client")
    headers = tuple(map(tuple, scope["headers"]))
    return Asked(scope["method"], scope["path"], scope["query_string"], headers, client[0] if client else "")


async def reply_with(send: Send, reply: Reply, *, head: bool) -> None:
    """Send an answer, the headers alone to who wants no more."""
    length = () if reply.status == 204 else ((b"content-length", b"%d" % len(reply.body)),)
    await send({"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, *length]})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


def parameters_of(query: dict[str, str]) -> dict[str, str]:
    """Return what an address says beyond what names the reader, as far as rules may ask for it."""
    if not query:
        return {}
    kept = [(name, value[:LONGEST_PARAMETER]) for name, value in query.items() if name not in ("user", "email")]
    return {name: value for name, value in kept[:MOST_PARAMETERS] if len(name) <= LONGEST_NAME}
