"""T1: a name server of the attacker's own answers with a public address when it is looked at and an inner one later."""

import asyncio
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.test_inner_network import HERE, PUBLIC, fetch
from tests.feeds.outside import sends
from tests.feeds.shop import picture, shop
from wetink.feeds import guard, photos
from wetink.feeds.guard import GuardedBackend

A = 1
ROUNDS = 12


class NameServer(socketserver.UDPServer):
    """Answers every question for an IPv4 address by the next of its answers, good for no second (TTL 0)."""

    def __init__(self, answers: Callable[[int], tuple[str, ...]]) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.answers, self.asked = answers, 0


class _Question(socketserver.BaseRequestHandler):
    server: NameServer

    def handle(self) -> None:
        query, connection = self.request
        addresses = self.server.answers(self.server.asked)
        self.server.asked += 1
        question = query[12:]
        records = b"".join(
            struct.pack("!HHHIH", 0xC00C, A, 1, 0, 4) + socket.inet_aton(address) for address in addresses
        )
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addresses), 0, 0)
        connection.sendto(head + question + records, self.client_address)


@contextmanager
def name_server(answers: Callable[[int], tuple[str, ...]]) -> Iterator[NameServer]:
    with NameServer(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def resolver(server: NameServer) -> Callable[..., Any]:
    """Return a look-up that asks a name server over UDP, and remembers nothing; addresses name themselves."""

    def looked_up(name: str) -> list[str]:
        try:
            socket.inet_aton(name)
            return [name]
        except OSError:
            pass
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        query = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", A, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(query, server.server_address)
            reply = asking.recv(512)
        count = struct.unpack("!H", reply[6:8])[0]
        records = reply[len(query) :]
        return [socket.inet_ntoa(records[16 * n + 12 : 16 * n + 16]) for n in range(count)]

    async def getaddrinfo(host: object, port: int, **_: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        found = await asyncio.to_thread(looked_up, name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    return getaddrinfo


FLIPS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "public, then inside": lambda count: (PUBLIC,) if count == 0 else (HERE,),
    "every other time": lambda count: (PUBLIC,) if count % 2 == 0 else (HERE,),
    "both at once, in turn": lambda count: (PUBLIC, HERE) if count % 2 else (PUBLIC,),
    "inside first, every other time": lambda count: (PUBLIC,) if count % 2 == 0 else (HERE, PUBLIC),
}


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
@pytest.mark.parametrize("flip", FLIPS)
def test_a_name_server_that_changes_its_mind_opens_no_way_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flip: str, defended: bool
) -> None:
    looked_at = GuardedBackend._addresses

    async def twice(self: GuardedBackend, host: str, port: int) -> list[str]:
        """Look at a name's addresses, then connect to whatever it is looked up to once more."""
        try:
            await looked_at(self, host, port)
        except guard.Refused:
            return []
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(each[4][0]) for each in found]

    monkeypatch.setattr(photos, "PORTS", ())  # leave the look at the address as the only defence
    if not defended:
        monkeypatch.setattr(GuardedBackend, "_addresses", twice)
    with shop(secret=sends(picture())) as inside, name_server(FLIPS[flip]) as names:
        for number in range(ROUNDS):
            url = f"http://cdn{number}.example:{inside.server.server_port}/secret"
            fetch(tmp_path, url, resolver=resolver(names))
        assert names.asked >= ROUNDS
        assert bool(inside.asked) is not defended
