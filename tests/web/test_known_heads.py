"""Heads that are known: read once, and what comes after them means what it would mean to the parser."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.load import request
from tests.web.sites import Site, answer, site
from wetink.web.protocol import HttpProtocol


@pytest.fixture(autouse=True)
def _keys_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is."""
    monkeypatch.setattr("wetink.web.ingest.KEY_MS", 3_600_000)


@pytest.fixture
def heads_read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The targets of requests whose heads the parser has read."""
    read: list[bytes] = []
    begin = HttpProtocol.on_headers_complete

    def noted(self: HttpProtocol) -> None:
        read.append(self.url)
        begin(self)

    monkeypatch.setattr(HttpProtocol, "on_headers_complete", noted)
    return read


def test_a_head_is_read_once_however_many_connections_send_it(tmp_path: Path, heads_read: list[bytes]) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made:
            for connection in range(3):
                async with made.connected(HttpProtocol) as (reader, writer):
                    for n in range(10):
                        writer.write(made.track(100 + 10 * connection + n))
                        assert (await answer(reader)).endswith(b'{"success":true}')
            assert heads_read == [b"/v1/track"]
            assert len(await made.stored()) == 31

    asyncio.run(ask())


ODD: dict[str, Callable[[bytes], list[bytes]]] = {
    "in one piece": lambda raw: [raw],
    "its head first": lambda raw: [raw[: raw.index(b"{")], raw[raw.index(b"{") :]],
    "byte by byte": lambda raw: [raw[n : n + 1] for n in range(len(raw))],
    "with the next behind it": lambda raw: [raw + raw.replace(b"m1", b"m2", 1)],
    "with half of the next": lambda raw: [raw + raw[:50], raw[50:]],
    "after empty lines": lambda raw: [b"\r\n\r\n" + raw],
    "with an empty line in its body": lambda raw: [raw.replace(b'"Product Viewed"', b'"\r\n\r\nuct Viewed"')],
    "longer than it says": lambda raw: [raw + b"}"],
    "of another method": lambda raw: [b"PUT " + raw[5:]],
    "of another kind": lambda raw: [raw.replace(b"HTTP/1.1", b"HTTP/1.2")],
    "packed in chunks, too": lambda raw: [raw.replace(b"host:", b"transfer-encoding: chunked\r\nhost:")],
    "told to wait": lambda raw: [raw.replace(b"host:", b"expect: 100-continue\r\nhost:")],
}
"""How a request may come after one like it -> what is sent."""


@pytest.mark.parametrize("how", ODD)
def test_what_comes_after_a_known_head_means_what_it_means_to_the_parser(tmp_path: Path, how: str) -> None:
    async def heard(made: Site, http: Any) -> bytes:
        async with made.connected(http) as (reader, writer):
            for _ in range(2):
                writer.write(made.track(1))
                await answer(reader)
            for piece in ODD[how](made.track(1)):
                writer.write(piece)
                await asyncio.sleep(0.002 if len(piece) > 1 else 0)
            writer.write(request("GET", "/nowhere", connection="close"))
            return re.sub(rb"(date|x-request-id): [^\r]*\r\n", b"", await asyncio.wait_for(reader.read(), 10))

    async def ask() -> None:
        async with site(tmp_path) as made:
            assert await heard(made, HttpProtocol) == await heard(made, "httptools")

    asyncio.run(ask())


OPENS: dict[str, Callable[[bytes], list[bytes]]] = {
    "in one piece": lambda raw: [raw],
    "byte by byte": lambda raw: [raw[n : n + 1] for n in range(len(raw))],
    "of another block": lambda raw: [raw.replace(b"hello", b"nowhere")],
    "with a query": lambda raw: [raw.replace(b".json", b".json?lang=de&c=spring")],
    "with an encoded query": lambda raw: [raw.replace(b".json", b".json?c=spring%20sale")],
    "with the next behind it": lambda raw: [raw + raw.replace(b"hello", b"nowhere")],
    "with half of the next": lambda raw: [raw + raw[:30], raw[30:]],
    "after empty lines": lambda raw: [b"\r\n\r\n" + raw],
    "of another method": lambda raw: [b"HEAD" + raw[3:]],
    "of another kind": lambda raw: [raw.replace(b"HTTP/1.1", b"HTTP/1.0")],
    "with two spaces": lambda raw: [raw.replace(b"GET ", b"GET  ")],
    "with a body": lambda raw: [raw + b"{}"],
    "with bytes beyond ASCII": lambda raw: [raw.replace(b"hello", b"hell\xc3\xb6")],
    "for the last time": lambda raw: [raw.replace(b"host:", b"connection: close\r\nhost:")],
    "longer than any": lambda raw: [raw.replace(b"hello", b"h" * 40_000)],
}
"""How an open may come after one like it -> what is sent."""


@pytest.mark.parametrize("how", OPENS)
def test_an_open_below_known_headers_gets_the_answer_it_gets_from_the_parser(tmp_path: Path, how: str) -> None:
    async def heard(made: Site, http: Any) -> list[bytes]:
        async with made.connected(http) as (reader, writer):
            raw = request("GET", "/d/hello/nobody.json")
            for _ in range(2):
                writer.write(raw)
                await answer(reader)
            for piece in OPENS[how](raw):
                writer.write(piece)
                await asyncio.sleep(0.002 if len(piece) > 1 else 0)
            writer.write(request("GET", "/nowhere", connection="close"))
            found = await asyncio.wait_for(reader.read(), 10)
            return sorted(re.sub(rb'(date|x-request-id): [^\r]*\r\n|"at":\d+', b"", found).split(b"\r\n"))

    async def ask() -> None:
        async with site(tmp_path) as made:
            ours, theirs = await heard(made, HttpProtocol), await heard(made, "httptools")
            if how == "longer than any":  # uvicorn has no such limit
                assert b"HTTP/1.1 431 Request Header Fields Too Large" in ours
            else:
                assert ours == theirs

    asyncio.run(ask())


def test_the_headers_of_opens_are_read_once_for_all_targets(tmp_path: Path, heads_read: list[bytes]) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made:
            for connection in range(3):
                async with made.connected(HttpProtocol) as (reader, writer):
                    for n in range(5):
                        writer.write(request("GET", f"/d/hello/nobody-{connection}-{n}.json"))
                        assert b"200 OK" in await answer(reader)
            assert heads_read == [b"/d/hello/nobody-0-0.json"]

    asyncio.run(ask())


def test_a_known_head_with_a_key_that_was_forgotten_is_looked_up_again(
    tmp_path: Path, heads_read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> None:
        async with site(tmp_path) as made, made.connected(HttpProtocol) as (reader, writer):
            for n in (1, 2):
                writer.write(made.track(n))
                await answer(reader)
            monkeypatch.setattr("wetink.web.ingest.KEY_MS", -1)
            monkeypatch.setattr(made.wetink.store.sources, "source_of_write_key", _nobody)
            writer.write(made.track(3))
            assert b"401" in await answer(reader)
            assert await made.stored() == ["m0", "m1", "m2"]
            assert len(heads_read) == 1

    async def _nobody(key: str) -> None:
        return None

    asyncio.run(ask())


def test_heads_are_forgotten_when_there_are_many(
    tmp_path: Path, heads_read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetink.web.protocol.MOST_HEADS", 5)

    async def ask() -> None:
        async with site(tmp_path) as made, made.connected(HttpProtocol) as (reader, writer):
            for n in range(40):
                writer.write(made.track(n, **{"x-request": str(n)}))
                assert (await answer(reader)).endswith(b'{"success":true}')
            assert len(heads_read) == 40
            assert 0 < len(made.app.fast_path.heads) <= 5

    asyncio.run(ask())
