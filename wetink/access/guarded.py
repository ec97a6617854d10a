"""Guarded: a session of `requests` for identity providers. It reaches public addresses, follows no redirect, and ends.

Authlib speaks OpenID Connect through `requests`, which waits in a thread. As elsewhere, the very address that was
checked is connected to (see `feeds.guard`).
"""

import socket
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from wetink.feeds.guard import check_addresses

CONNECT_SECONDS, READ_SECONDS = 3.0, 5.0
TOTAL_SECONDS = 8.0
"""How long all requests of one session may take together, in seconds."""
LARGEST = 1 << 20
"""Bytes of an answer."""


class GuardedSession(OAuth2Session):  # type: ignore[misc]  # Authlib has no types
    """A client of a provider for the length of one sign-in."""

    def __init__(self, private_hosts: Collection[str], **given: Any) -> None:
        """Allow these `host:port` pairs although they are not public. `given` is what Authlib's session takes."""
        super().__init__(**given)
        self.trust_env = False
        adapter = _Adapter(frozenset(private_hosts), time.monotonic() + TOTAL_SECONDS)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def resolve_redirects(self, *_: Any, **__: Any) -> Iterator[Response]:
        """Follow none: a provider has no reason to send a server elsewhere."""
        return iter(())


class _Adapter(HTTPAdapter):
    def __init__(self, private_hosts: frozenset[str], until: float) -> None:
        self._private, self._until = private_hosts, until
        super().__init__(max_retries=0)

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named)
        private = self._private

        def connected(connection: HTTPConnection) -> socket.socket:
            return _connected(connection, private)

        plain = type("_Plain", (HTTPConnection,), {"_new_conn": connected})
        secure = type("_Secure", (HTTPSConnection,), {"_new_conn": connected})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        self._check_time()
        times = (CONNECT_SECONDS, READ_SECONDS)
        response = super().send(request, stream=True, timeout=times, verify=verify, cert=cert, proxies={})  # type: ignore[arg-type]
        body = b""
        for piece in response.iter_content(1 << 16):
            body += piece
            self._check_time()
            if len(body) > LARGEST:
                response.close()
                raise RequestException(f"the answer is larger than {LARGEST >> 20} MB")
        response._content = body
        return response

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise RequestException(f"it took longer than {TOTAL_SECONDS:.0f} s")


def _connected(connection: HTTPConnection, private: Collection[str]) -> socket.socket:
    """Return a socket to the first address of a host that answers. Raises Refused when one of them is not public."""
    host, port = connection.host.strip("[]"), connection.port or connection.default_port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(connection, f"{host} has no address") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    check_addresses(host, port, addresses, private)
    failed: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), CONNECT_SECONDS)
        except OSError as error:
            failed = error
    raise NewConnectionError(connection, f"{host} does not answer") from failed
