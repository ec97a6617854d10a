"""T1: a photo's address must not lead into the network that the server stands in, however it is written or answered.

Each attack is made twice: as it is, and with its defence taken out, when the host inside must be reached.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import build_opener

import httpcore
import pytest

from tests.feeds.outside import sends
from tests.feeds.shop import picture, shop
from wetink.feeds import PhotoFetcher, guard, photos
from wetink.feeds.guard import GuardedBackend

DEFENCES = [pytest.param(True, id="defended"), pytest.param(False, id="undefended")]
PUBLIC = "93.184.216.34"
HERE = "127.0.0.1"


def fetch(folder: Path, url: str, *, private: tuple[str, ...] = (), resolver: Callable[..., Any] | None = None) -> None:
    """Ask for a photo. Names are looked up by `resolver`, and what is public is not reached: nothing leaves here."""

    async def run() -> None:
        if resolver is not None:
            setattr(asyncio.get_running_loop(), "getaddrinfo", resolver)  # noqa: B010
        fetcher = PhotoFetcher(folder, private_hosts=private)
        backend = fetcher._hosts._pool._network_backend
        assert isinstance(backend, GuardedBackend)
        backend._network = Loopback()  # type: ignore[assignment]
        await fetcher.get(url, 4_000)
        await fetcher.close()

    asyncio.run(run())


class Loopback(httpcore.AnyIOBackend):
    """A network that ends at this machine."""

    async def connect_tcp(self, host: str, *rest: Any, **more: Any) -> Any:
        if host == PUBLIC:
            raise httpcore.ConnectError("nobody there")
        return await super().connect_tcp(host, *rest, **more)


def answering(*answers: tuple[str, ...]) -> Callable[..., Any]:
    """Return a resolver whose answers follow each other, the last one for good."""
    left = list(answers)

    async def getaddrinfo(_: object, port: int, **__: Any) -> list[Any]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return getaddrinfo


def believe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every address for a public one."""
    monkeypatch.setattr(guard, "public", lambda address: True)


@pytest.fixture
def every_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the look at the address as the only defence."""
    monkeypatch.setattr(photos, "PORTS", ())


SPELLINGS = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"]


@pytest.mark.usefixtures("every_port")
@pytest.mark.parametrize("defended", DEFENCES)
@pytest.mark.parametrize("host", SPELLINGS)
def test_a_private_host_is_not_reached_in_any_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, defended: bool
) -> None:
    if not defended:
        believe(monkeypatch)
    with shop(secret=sends(picture())) as inside:
        fetch(tmp_path, f"http://{host}:{inside.server.server_port}/secret")
        assert inside.asked == ([] if defended else ["/secret"])


@pytest.mark.usefixtures("every_port")
@pytest.mark.parametrize("defended", DEFENCES)
@pytest.mark.parametrize("answer", [(HERE,), (PUBLIC, HERE), (HERE, PUBLIC)], ids=["inside", "last", "first"])
def test_a_host_name_with_any_private_address_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: tuple[str, ...], defended: bool
) -> None:
    if not defended:
        believe(monkeypatch)
    with shop(secret=sends(picture())) as inside:
        url = f"http://cdn.example:{inside.server.server_port}/secret"
        fetch(tmp_path, url, resolver=answering(answer))
        assert inside.asked == ([] if defended else ["/secret"])


@pytest.mark.usefixtures("every_port")
@pytest.mark.parametrize("defended", DEFENCES)
def test_a_name_that_leads_inside_once_it_was_looked_at_is_not_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    looked_at = GuardedBackend._addresses

    async def then_by_name(self: GuardedBackend, host: str, port: int) -> list[str]:
        await looked_at(self, host, port)
        return [host]

    if not defended:
        monkeypatch.setattr(GuardedBackend, "_addresses", then_by_name)
    with shop(secret=sends(picture())) as inside:
        url = f"http://cdn.example:{inside.server.server_port}/secret"
        fetch(tmp_path, url, resolver=answering((PUBLIC,), (HERE,)))
        assert inside.asked == ([] if defended else ["/secret"])


@pytest.mark.usefixtures("every_port")
@pytest.mark.parametrize("defended", DEFENCES)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_inside_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, defended: bool
) -> None:
    if not defended:
        believe(monkeypatch)
    with (
        shop(secret=sends(picture())) as inside,
        shop(p=sends(b"", status, location=inside.url("/secret"))) as outside,
    ):
        fetch(tmp_path, outside.url("/p"), private=(outside.host,))
        assert outside.asked == ["/p"]
        assert inside.asked == ([] if defended else ["/secret"])


@pytest.mark.parametrize("defended", DEFENCES)
def test_ports_of_other_services_are_not_contacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    believe(monkeypatch)  # it is at a public address
    if not defended:
        monkeypatch.setattr(photos, "PORTS", ())
    with shop(secret=sends(picture())) as beside:
        fetch(tmp_path, beside.url("/secret"))
        assert beside.asked == ([] if defended else ["/secret"])


@pytest.mark.parametrize("defended", DEFENCES)
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_no_proxy_of_the_environment_is_asked_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, defended: bool
) -> None:
    url = "http://cdn.example/secret"
    with shop() as inside:
        inside.replies[url] = sends(picture())
        for each in [each for each in os.environ if each.lower().endswith("_proxy")]:
            monkeypatch.delenv(each)
        monkeypatch.setenv(name, f"http://{inside.host}")
        if defended:
            fetch(tmp_path, url, resolver=answering((PUBLIC,)))
        else:  # a client that heeds it
            build_opener().open(url).close()
        assert inside.asked == ([] if defended else [url])
