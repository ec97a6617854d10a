"""Photos come from public hosts only, within bounds, and never break anything."""

import asyncio
import io
import socket
import struct
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpcore
import pytest
from PIL import Image

from tests.feeds.outside import Reply, sends
from tests.feeds.shop import Shop, picture, shop
from wetink.core.outbound.breaker import TRIES
from wetink.feeds import PhotoFetcher
from wetink.feeds.guard import GuardedBackend, Refused, public
from wetink.feeds.photos import Cache


def fetch(folder: Path, *urls: str, private: tuple[str, ...] = (), deadline_ms: int = 4000) -> list[bytes | None]:
    async def run() -> list[bytes | None]:
        photos = PhotoFetcher(folder, private_hosts=private)
        try:
            return list(await asyncio.gather(*(photos.get(url, deadline_ms) for url in urls)))
        finally:
            await photos.close()

    return asyncio.run(run())


def size_of(body: bytes | None) -> tuple[int, int]:
    assert body is not None
    return Image.open(io.BytesIO(body)).size


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
     "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "192.0.2.1", "fec0::1",
     "192.88.99.1", "nonsense"],
)  # fmt: skip
def test_an_address_that_is_not_public_is_out_of_reach(address: str) -> None:
    assert not public(address)


def test_public_addresses_are_in_reach() -> None:
    assert public("93.184.216.34")
    assert public("2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "0.0.0.0"])
def test_loopback_is_out_of_reach_in_any_spelling(tmp_path: Path, host: str) -> None:
    with shop(p=sends(picture())) as here:
        port = here.server.server_port
        assert fetch(tmp_path, f"http://{host}:{port}/p") == [None]
        assert not here.asked


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://shop.example/a.jpg", "http://a@127.0.0.1/", "//x/a.jpg", "", "data:image/png,x"],
)
def test_only_http_addresses_are_fetched(tmp_path: Path, url: str) -> None:
    assert fetch(tmp_path, url) == [None]


def test_a_redirect_to_a_private_address_is_not_followed(tmp_path: Path) -> None:
    with shop(secret=sends(picture())) as inside:
        with shop(p=sends(b"", 302, location=inside.url("/secret"))) as outside:
            assert fetch(tmp_path, outside.url("/p"), private=(outside.host,)) == [None]
        assert not inside.asked


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> None:
    """Have names resolve to these addresses, one answer after the other and the last one for good."""
    left = list(answers)

    async def getaddrinfo(_: str, port: int, **__: Any) -> list[Any]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "addresses",
    [("10.0.0.7",), ("127.0.0.1",), ("::1",), ("::ffff:10.0.0.7",), ("64:ff9b::a00:7",), ("2002:a00:7::",),
     ("93.184.216.34", "10.0.0.7"), ("2606:2800:220:1::1", "127.0.0.1"), ("93.184.216.34", "fd00::1")],
)  # fmt: skip
def test_a_name_with_an_address_that_is_not_public_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    async def run() -> None:
        resolving(monkeypatch, addresses)
        with pytest.raises(Refused, match="public"):
            await GuardedBackend().connect_tcp("shop.example", 80)

    asyncio.run(run())


def test_the_address_that_was_looked_at_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is looked at and private a moment later: it is looked up only once."""
    asked: list[str] = []

    class Network:
        async def connect_tcp(self, host: str, *_: Any) -> Any:
            asked.append(host)
            raise httpcore.ConnectError("nobody there")

    async def run() -> None:
        resolving(monkeypatch, ("93.184.216.34",), ("127.0.0.1",))
        backend = GuardedBackend()
        backend._network = Network()  # type: ignore[assignment]
        with pytest.raises(httpcore.ConnectError):
            await backend.connect_tcp("shop.example", 80)
        assert asked == ["93.184.216.34"]
        with pytest.raises(Refused):
            await backend.connect_tcp("shop.example", 80)
        assert asked == ["93.184.216.34"]

    asyncio.run(run())


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 11211])
def test_only_the_ports_of_the_web_are_in_reach(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    async def run() -> None:
        resolving(monkeypatch, ("93.184.216.34",))
        with pytest.raises(Refused, match="port"):
            await GuardedBackend(ports=(80, 443)).connect_tcp("shop.example", port)

    asyncio.run(run())


def test_a_good_photo_comes_small_and_plain_and_stays(tmp_path: Path) -> None:
    with shop(
        big=sends(picture(size=(3000, 1500))), clear=sends(picture("PNG", color=(1, 2, 3, 40), mode="RGBA"))
    ) as there:
        big, clear = fetch(tmp_path, there.url("/big"), there.url("/clear"), private=(there.host,))
        assert size_of(big) == (1200, 600)
        assert clear is not None
        assert clear.startswith(b"\x89PNG")
        urls = there.url("/big"), there.url("/clear")
    assert fetch(tmp_path, *urls) == [big, clear], "kept on the disk, with the host gone"


def test_letters_beyond_ascii_in_an_address_are_sent_as_they_must_be(tmp_path: Path) -> None:
    with shop(**{"sch%C3%B6n": sends(picture())}) as there:
        assert fetch(tmp_path, there.url("/schön"), private=(there.host,)) != [None]


def test_a_photo_on_the_disk_waits_for_no_name_that_cannot_be_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(p=sends(picture())) as there:
        [kept] = fetch(tmp_path, there.url("/p"), private=(there.host,))

    async def run() -> bytes | None:
        async def hanging(*_: Any, **__: Any) -> Any:
            await asyncio.sleep(30)

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hanging)
        photos = PhotoFetcher(tmp_path)
        for number in range(60):
            photos.warm(f"http://hangs{number}.example/p")
        found = await photos.get(there.url("/p"), 2000)
        waiting = asyncio.create_task(photos.get("http://hangs1.example/p", 20_000))
        await asyncio.sleep(0.01)
        await photos.close()
        assert await waiting is None
        return found

    assert asyncio.run(run()) == kept


def test_many_who_want_the_same_photo_cause_one_request(tmp_path: Path) -> None:
    with shop(p=sends(picture())) as there:
        got = fetch(tmp_path, *[there.url("/p")] * 20, private=(there.host,))
        assert len(set(got)) == 1
        assert len(there.asked) == 1


def test_a_slow_host_costs_the_deadline_once_and_is_there_the_next_time(tmp_path: Path) -> None:
    go = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        go.wait(10)
        sends(picture())(handler)

    async def run(there: Shop) -> None:
        photos = PhotoFetcher(tmp_path, private_hosts=(there.host,))
        assert await photos.get(there.url("/p"), 50) is None
        go.set()
        assert await photos.get(there.url("/p"), 4000) is not None
        await photos.close()
        assert len(there.asked) == 1

    with shop(p=slow) as there:
        asyncio.run(run(there))


def bomb() -> bytes:
    """A small PNG that claims 100,000 x 100,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "reply",
    [
        sends(bomb()),
        sends(picture()[:200]),
        sends(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        sends(b"hello"),
        sends(b""),
        sends(picture(), 404),
        sends(b"\xff\xd8\xff" + b"\0" * (11 * 1024 * 1024)),
    ],
    ids=["bomb", "cut", "svg", "text", "empty", "not found", "oversized"],
)
def test_an_unusable_photo_is_missing_and_is_not_fetched_again_at_once(tmp_path: Path, reply: Reply) -> None:
    async def run(there: Shop) -> None:
        photos = PhotoFetcher(tmp_path, private_hosts=(there.host,))
        assert await photos.get(there.url("/p"), 4000) is None
        assert await photos.get(there.url("/p"), 4000) is None
        await photos.close()
        assert len(there.asked) == 1

    with shop(p=reply) as there:
        asyncio.run(run(there))


@pytest.mark.parametrize("trouble", [sends(b"", 503), lambda handler: handler.connection.close()], ids=["503", "cut"])
def test_a_host_that_keeps_failing_is_left_alone_and_then_tried_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Reply
) -> None:
    async def run(there: Shop) -> None:
        photos = PhotoFetcher(tmp_path, private_hosts=(there.host,))
        monkeypatch.setattr("wetink.feeds.photos.RESTING_SECONDS", 0)
        for number in range(TRIES + 5):
            assert await photos.get(there.url(f"/p?{number}"), 4000) is None
        assert len(there.asked) == TRIES
        there.replies["/p"] = sends(picture())
        await asyncio.sleep(0.4)
        assert await photos.get(there.url("/p?again"), 4000) is not None
        assert len(there.asked) == TRIES + 1
        await photos.close()

    monkeypatch.setattr("wetink.core.outbound.breaker.SHORTEST_MS", 300)
    with shop(p=trouble) as there:
        asyncio.run(run(there))


def test_photos_that_are_not_there_say_nothing_of_their_host(tmp_path: Path) -> None:
    with shop(p=sends(picture()), gone=sends(b"", 404)) as there:
        urls = [there.url(f"/gone?{number}") for number in range(TRIES + 3)]
        assert fetch(tmp_path, *urls, private=(there.host,)) == [None] * len(urls)
        assert fetch(tmp_path, *urls, there.url("/p"), private=(there.host,))[-1] is not None


def test_the_first_frame_of_an_animation_is_used(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ((255, 0, 0), (0, 0, 255))]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    with shop(p=sends(out.getvalue())) as there:
        [got] = fetch(tmp_path, there.url("/p"), private=(there.host,))
    assert got is not None
    red, green, blue = Image.open(io.BytesIO(got)).convert("RGB").getpixel((5, 5))  # type: ignore[misc]
    assert red > 200 > 100 > blue + green


def test_the_cache_keeps_what_was_asked_for_last(tmp_path: Path) -> None:
    cache = Cache(tmp_path, disk_bytes=2_500, memory_bytes=1_500)
    for name in "abc":
        cache.put(name, name.encode() * 1000)
        time.sleep(0.02)
    assert cache.recall("a") is None, "memory holds one of them"
    assert cache.get("a") is not None
    cache.sweep()
    kept = [name for name in "abc" if Cache(tmp_path).get(name) is not None]
    assert kept == ["a", "c"]
