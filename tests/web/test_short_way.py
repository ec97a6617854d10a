"""The short way of messages and opens: the answers of the long one, in the order of the requests, over real sockets."""

import asyncio
import gc
import gzip
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from bench.load import request
from tests.web.sites import Site, answer, site
from wetink.core.identity.identifier import Identifier
from wetink.settings import read
from wetink.web.protocol import HttpProtocol
from wetink.wiring import Wetink


@pytest.fixture(autouse=True)
def _keys_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is."""
    monkeypatch.setattr("wetink.web.ingest.KEY_MS", 3_600_000)


KEY = "the key"
REQUESTS: dict[str, tuple[bytes, bool]] = {
    "a message": (request("POST", "/v1/track", b'{"userId":"42","event":"Seen"}', authorization=KEY), True),
    "its other name": (request("POST", "/v1/i", b'{"userId":"42"}', authorization=KEY), True),
    "a page's": (
        request("POST", "/v1/page", b'{"userId":"42"}', authorization=KEY, origin="https://shop.example"),
        True,
    ),
    "no JSON": (request("POST", "/v1/track", b'{"userId":', authorization=KEY), True),
    "nobody's": (request("POST", "/v1/track", b'{"event":"Seen"}', authorization=KEY), True),
    "packed, and not telling": (
        request("POST", "/v1/track", gzip.compress(b'{"userId":"42","event":"Seen"}'), authorization=KEY),
        True,
    ),
    "badly packed": (request("POST", "/v1/track", b"\x1f\x8bnothing", authorization=KEY), True),
    "the last": (
        request("POST", "/v1/track", b'{"userId":"42","event":"Seen"}', authorization=KEY, connection="close"),
        True,
    ),
    "empty": (request("POST", "/v1/track", b"", authorization=KEY), False),
    "large": (request("POST", "/v1/track", b" " * 40_000, authorization=KEY), False),
    "packed": (
        request("POST", "/v1/track", gzip.compress(b"{}"), authorization=KEY, **{"content-encoding": "gzip"}),
        False,
    ),
    "another key": (request("POST", "/v1/track", b'{"userId":"42"}', authorization="Basic bm9uZTo="), True),
    "no key": (request("POST", "/v1/track", b'{"userId":"42"}'), False),
    "a batch": (
        request("POST", "/v1/batch", b'{"batch":[{"type":"identify","userId":"42"}]}', authorization=KEY),
        False,
    ),
    "a question": (request("GET", "/v1/track", authorization=KEY), False),
    "an old client": (
        request("POST", "/v1/track", b'{"userId":"42"}', authorization=KEY).replace(b"HTTP/1.1", b"HTTP/1.0"),
        False,
    ),
}
"""What is asked -> the request, and whether it goes the short way."""


@pytest.mark.parametrize("short", [True, False])
def test_either_way_gives_the_same_answer(tmp_path: Path, short: bool) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made:
            for what in (what for what, (_, goes) in REQUESTS.items() if goes is short):
                raw = REQUESTS[what][0].replace(KEY.encode(), made.key.encode())
                made.short.clear()
                told: list[bytes] = []
                for http in (HttpProtocol, HttpProtocol, "httptools"):  # the second time its head may be known
                    async with made.connected(http) as (reader, writer):
                        writer.write(raw)
                        told.append(await answer(reader))
                assert told[0] == told[1] == told[2], what
                assert len(made.short) == 2 * short, what

    asyncio.run(ask())


def test_requests_sent_in_one_go_are_answered_in_their_order_and_all_kept(tmp_path: Path) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made, made.connected(HttpProtocol) as (reader, writer):
            asked = b"".join(made.track(n) if n % 3 else request("GET", f"/nowhere/{n}") for n in range(1, 31))
            for start in range(0, len(asked), 1_000):  # a request's bytes come in two pieces
                writer.write(asked[start : start + 1_000])
                await asyncio.sleep(0)
            for n in range(1, 31):
                status = (await answer(reader)).split(b"HTTP/1.1 ")[1][:3]
                assert status == (b"200" if n % 3 else b"404"), n
            assert await made.stored() == sorted(f"m{n}" for n in range(31) if n % 3 or not n)
            assert made.short

    asyncio.run(ask())


def test_many_connections_at_once_each_get_their_own_answer(tmp_path: Path) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made, made.connected(HttpProtocol) as (_, first):
            address = first.get_extra_info("peername")

            async def send(start: int) -> None:
                reader, writer = await asyncio.open_connection(*address)
                for n in range(start, start + 10):
                    good = n % 10 != 7
                    writer.write(
                        made.track(n) if good else made.track(n).replace(b'"userId":"42"', b'"userId":"42\x01')
                    )
                    assert (await answer(reader)).endswith(b'{"success":true}') is good
                writer.close()

            await asyncio.gather(*(send(start) for start in range(10, 170, 10)))
            assert len(await made.stored()) == 1 + 16 * 9

    asyncio.run(ask())


def test_a_sender_that_hangs_up_in_the_middle_of_a_body_leaves_nothing(tmp_path: Path) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made, made.connected(HttpProtocol) as (reader, writer):
            _, hasty = await asyncio.open_connection(*writer.get_extra_info("peername"))
            hasty.write(made.track(1)[:-5])
            await hasty.drain()
            hasty.close()
            await hasty.wait_closed()
            writer.write(made.track(2))
            await answer(reader)
            assert await made.stored() == ["m0", "m2"]

    asyncio.run(ask())


def test_a_message_that_is_being_written_is_answered_before_the_server_stops(tmp_path: Path) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made:
            async with made.connected(HttpProtocol) as (reader, writer):
                writer.write(made.track(1))
                while not made.short:  # noqa: ASYNC110 (the server reads in its own time)
                    await asyncio.sleep(0)
                told, _ = await asyncio.gather(answer(reader), made.server.shutdown())
            assert b"connection: close" in told
            assert told.endswith(b'{"success":true}')
            assert await made.stored() == ["m0", "m1"]

    asyncio.run(ask())


HERO = """
variants:
  - {name: looked at, app: last-viewed, settings: {items: 2}}
fallback: {link: "https://shop.example/", title: Something new}
width: 300
height: 150
"""
FED = """
variants:
  - {name: news, app: live-feed, settings: {feed: news}}
fallback: {link: "https://shop.example/"}
"""
NEWS = """
url: https://feeds.invalid/news
format: json
per_person: {parameters: {city: person.traits.city}, deadline_ms: 50}
"""
OPENS: dict[str, tuple[str, bool]] = {
    "data": ("/d/hero/{data}.json", True),
    "data with a question": ("/d/hero/{data}.json?c=spring&lang=de", True),
    "data that draws on a feed": ("/d/fed/{fed}.json", True),
    "data of nobody": ("/d/hero/forged.json", True),
    "data of no block": ("/d/none/{data}.json", True),
    "a picture": ("/o/hero/1/{picture}.jpg", True),
    "a picture of no block": ("/o/none/1/{picture}.jpg", True),
    "something short": ("/o/", True),
    "words": ("/a/hero/1/{picture}.txt", False),
    "letters that are written otherwise": ("/d/her%6F/{data}.json", False),
    "a page": ("/healthz", False),
}
"""What is asked -> the address, and whether it goes the short way."""


def at(made: Site, address: str) -> bytes:
    jane = Identifier("user", "42")
    tokens = {
        "data": made.wetink.seals.seal(jane, "hero", "data"),
        "picture": made.wetink.seals.seal(jane, "hero", "picture"),
        "fed": made.wetink.seals.seal(jane, "fed", "data"),
    }
    return address.format(**tokens).encode()


@asynccontextmanager
async def open_site(folder: Path) -> AsyncIterator[Site]:
    """A site with content, where somebody has looked at something."""
    for name, text in (("blocks/hero", HERO), ("blocks/fed", FED), ("feeds/news", NEWS)):
        path = folder / "content" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    async with site(folder) as made:
        properties = {"sku": "mug", "url": "https://shop.example/mug", "name": "Mug", "price": 9}
        body = {"event": "Product Viewed", "messageId": "seen", "userId": "42", "properties": properties}
        async with made.connected(HttpProtocol) as (reader, writer):
            writer.write(request("POST", "/v1/track", msgspec.json.encode(body), authorization=made.key))
            await answer(reader)
        yield made


def untimed(told: bytes) -> bytes:
    return re.sub(rb'"at":\d+', b"", told)


@pytest.mark.parametrize("what", OPENS)
def test_an_open_is_answered_alike_either_way(tmp_path: Path, what: str) -> None:
    address, short = OPENS[what]

    async def ask() -> None:
        async with open_site(tmp_path) as made:
            assert not made.wetink.content.problems
            for headers in ({}, {"origin": "https://shop.example"}):
                made.short.clear()
                told: list[bytes] = []
                for http in (HttpProtocol, "httptools"):
                    async with made.connected(http) as (reader, writer):
                        writer.write(request("GET", at(made, address).decode(), **headers))
                        told.append(untimed(await answer(reader)))
                assert told[0] == told[1]
                assert bool(made.short) is short
                if what == "data":
                    assert b'"key":"mug"' in told[0]

    asyncio.run(ask())


def test_an_open_that_came_after_an_answer_sees_what_that_was_about(tmp_path: Path) -> None:
    """Messages by one process, opens by another: each open is sent when the message is known to be on the disk."""

    async def ask() -> None:
        async with open_site(tmp_path) as made, Wetink(read({}, data=tmp_path)) as other:
            key = made.key
            elsewhere = Site(other, "")
            async with made.connected(HttpProtocol) as (heard, say), elsewhere.connected(HttpProtocol) as (shown, ask):
                for number in range(30):
                    properties = {"sku": f"sku-{number}", "url": f"https://shop.example/{number}"}
                    body = {
                        "event": "Product Viewed",
                        "userId": "42",
                        "messageId": f"v{number}",
                        "properties": properties,
                    }
                    say.write(request("POST", "/v1/track", msgspec.json.encode(body), authorization=key))
                    await answer(heard)
                    ask.write(request("GET", at(elsewhere, "/d/hero/{data}.json").decode()))
                    assert b'"key":"sku-%d"' % number in await answer(shown)
                assert elsewhere.short

    asyncio.run(ask())


def test_an_open_that_goes_wrong_is_answered_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> None:
        async with open_site(tmp_path) as made, made.connected(HttpProtocol) as (reader, writer):
            monkeypatch.setattr("wetink.web.open.OpenEndpoints._moment", None)
            for _ in range(2):
                writer.write(request("GET", at(made, "/d/hero/{data}.json").decode()))
                assert b"503" in await answer(reader)

    asyncio.run(ask())


def test_a_connection_is_closed_when_it_has_been_idle_for_long_and_not_before(tmp_path: Path) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made, made.connected(HttpProtocol, keep_alive=1) as (reader, writer):
            for number, target in enumerate(["", "", "/nowhere", ""], 1):  # short, short, long, short
                writer.write(request("GET", target) if target else made.track(number))
                await answer(reader)
                await asyncio.sleep(0.6)
            assert not reader.at_eof()
            assert await asyncio.wait_for(reader.read(), 5) == b""
            assert await made.stored() == ["m0", "m1", "m2", "m4"]

    asyncio.run(ask())


def test_bytes_that_have_begun_to_come_keep_a_connection_open(tmp_path: Path) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made, made.connected(HttpProtocol, keep_alive=1) as (reader, writer):
            writer.write(made.track(1))
            await answer(reader)
            writer.write(made.track(2)[:40])
            await asyncio.sleep(1.4)
            writer.write(made.track(2)[40:])
            assert (await answer(reader)).endswith(b'{"success":true}')

    asyncio.run(ask())


def test_requests_leave_no_cycles_for_the_garbage_collector(tmp_path: Path) -> None:
    async def ask() -> None:
        async with open_site(tmp_path) as made, made.connected(HttpProtocol) as (reader, writer):
            asked = [made.track, lambda _: request("GET", at(made, "/d/hero/{data}.json").decode())]
            for requests in asked:
                left = []
                for count in (5, 40):
                    gc.collect()
                    for number in range(count):
                        writer.write(requests(number))
                        await answer(reader)
                    left.append(gc.collect())
                assert left[1] < left[0] + 35, left

    gc.disable()
    try:
        asyncio.run(ask())
    finally:
        gc.enable()


@pytest.mark.parametrize("target", ["track", "data", "/nowhere"])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_closed_connection_needs_no_garbage_collector(tmp_path: Path, target: str, run: Callable[..., Any]) -> None:
    async def ask() -> int:
        async with open_site(tmp_path) as made:
            for number in range(20):
                async with made.connected(HttpProtocol) as (reader, writer):
                    path = at(made, "/d/hero/{data}.json").decode() if target == "data" else target
                    writer.write(made.track(number) if target == "track" else request("GET", path))
                    await answer(reader)
            await asyncio.sleep(0.1)
            return sum(isinstance(each, HttpProtocol) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        assert run(ask()) <= 1
    finally:
        gc.enable()
