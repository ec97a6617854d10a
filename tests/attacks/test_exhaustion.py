"""T2: a photo must not cost more memory or time than there is for it, nor its host more patience or bytes.

Each attack is made with its defences, and with them taken out: then it must succeed. Those of memory guard each other.
"""

import asyncio
import io
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from PIL import Image

from tests.feeds.outside import sends
from tests.feeds.shop import picture, shop
from tests.feeds.test_bombs import many_scans, png
from tests.sandbox.test_pool import MEGABYTE, resident
from wetink.feeds import PhotoFetcher, photo, photos
from wetink.feeds.download import Hosts
from wetink.feeds.guard import Refused
from wetink.feeds.photo import Decoders

MOST = 200 * MEGABYTE


@pytest.mark.parametrize(
    ("without", "bounded"),
    [("", True), ("header", True), ("memory", True), ("header memory", False)],
    ids=["defended", "by the bound of memory alone", "by the look at its size alone", "undefended"],
)
def test_a_picture_of_more_pixels_than_there_is_memory_for_takes_little_of_it(without: str, bounded: bool) -> None:
    bomb = png(8_000, 8_000, channels=1)  # decoded, 320 MB

    async def most() -> int:
        decoders = Decoders()
        decoders.pool._module = "tests.attacks.undefended"
        try:
            await decoders.plain(f"without {without}".encode())
            await decoders.plain(picture())
            [pid] = decoders.pool.pids
            before, most = resident(pid), 0
            at_work = asyncio.create_task(decoders.plain(bomb))
            while not at_work.done():
                try:
                    most = max(most, resident(pid))
                except OSError:
                    break
                await asyncio.sleep(0.002)
            if bounded:
                with pytest.raises(Refused):
                    await at_work
            else:
                assert Image.open(io.BytesIO(await at_work)).size == (1_200, 1_200)
            return most - before
        finally:
            decoders.close()

    assert (asyncio.run(most()) < MOST) is bounded


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_a_picture_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch, defended: bool) -> None:
    monkeypatch.setattr(photo, "SECONDS", 1.0 if defended else 60.0)
    bomb = many_scans()

    async def story() -> None:
        decoders = Decoders()
        try:
            await decoders.plain(picture())
            at_work = asyncio.create_task(decoders.plain(bomb))
            done, _ = await asyncio.wait([at_work], timeout=15 if defended else 2.5)
            assert bool(done) is defended
            if defended:
                with pytest.raises(Refused, match="longer than 1 s"):
                    at_work.result()
                assert await decoders.plain(picture()), "the next one"
        finally:
            decoders.close()
            await asyncio.gather(at_work, return_exceptions=True)

    asyncio.run(story())


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_an_answer_without_end_is_not_taken_to_its_end(monkeypatch: pytest.MonkeyPatch, defended: bool) -> None:
    body = bytes(32 * MEGABYTE)
    if not defended:
        monkeypatch.setattr(photos, "LARGEST", len(body))

    async def taken(url: str, host: str) -> int:
        hosts = Hosts(lambda: 0, (host,))
        try:
            return len(await hosts.body(url, (), largest=photos.LARGEST, seconds=photos.LONGEST_SECONDS))
        except Refused:
            return 0
        finally:
            await hosts.close()

    with shop(p=sends(body)) as there:
        assert asyncio.run(taken(there.url("/p"), there.host)) == (0 if defended else len(body))


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_a_host_that_sends_byte_by_byte_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    monkeypatch.setattr(photos, "LONGEST_SECONDS", 0.4 if defended else 60.0)
    drops = 0

    def drips(handler: BaseHTTPRequestHandler) -> None:
        nonlocal drops
        handler.send_response(200)
        handler.end_headers()
        try:
            while drops < 1_000:
                handler.wfile.write(b".")
                drops += 1
                time.sleep(0.02)
        except OSError:
            pass

    async def story(url: str, host: str) -> bool:
        fetcher = PhotoFetcher(tmp_path, private_hosts=(host,))
        waiting = asyncio.create_task(fetcher.get(url, 60_000))
        done, _ = await asyncio.wait([waiting], timeout=10 if defended else 1.5)
        waiting.cancel()
        [ended] = await asyncio.gather(waiting, return_exceptions=True)
        await fetcher.close()
        assert ended is None or isinstance(ended, asyncio.CancelledError)
        return bool(done)

    with shop(p=drips) as there:
        assert asyncio.run(story(there.url("/p"), there.host)) is defended
    assert drops > 10
