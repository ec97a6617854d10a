"""Photos that are made to do harm: each is refused or made small, in time, and memory stays bounded."""

import asyncio
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.feeds.outside import sends
from tests.feeds.shop import picture, shop
from tests.sandbox.test_pool import MEGABYTE, resident
from wetink.feeds import PhotoFetcher, photo
from wetink.feeds.guard import Refused
from wetink.feeds.photo import Decoders


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes, channels: int = 3) -> bytes:
    """Return a whole PNG of one color, whatever its size: a few kilobytes."""
    kind = {1: 0, 3: 2, 4: 6}[channels]
    packer, rows = zlib.compressobj(9), []
    row = b"\0" + bytes(width * channels)
    for _ in range(height):
        rows.append(packer.compress(row))
    body = b"".join((*rows, packer.flush()))
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join((chunk(b"IHDR", header), *extra, chunk(b"IDAT", body), chunk(b"IEND", b"")))


def inflating(kind: bytes) -> bytes:
    """Return a PNG with a text or a color profile that is 300 MB when it is unpacked."""
    packer = zlib.compressobj(9)
    packed = b"".join((*(packer.compress(bytes(MEGABYTE)) for _ in range(300)), packer.flush()))
    return png(20, 20, chunk(kind, b"name\0\0" + packed))


def many_frames() -> bytes:
    """Return a GIF of 10,000 frames."""
    out = io.BytesIO()
    frames = [Image.new("P", (16, 16), number % 2) for number in range(2)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=20)
    body = out.getvalue()
    start = body.index(b"\x21\xf9")
    return body[:start] + body[start:-1] * 5_000 + b";"


def many_scans() -> bytes:
    """Return a JPEG of half a megabyte with twenty thousand passes over its picture, of which each takes five ms."""
    out = io.BytesIO()
    Image.new("RGB", (3_000, 3_000), "#808080").save(out, "JPEG", progressive=True)
    body = out.getvalue()
    last = body.rindex(b"\xff\xda")  # where nothing changes, a pass is two dozen bytes
    return body[:last] + body[last:-2] * 20_000 + body[-2:]


def wide_gif() -> bytes:
    """Return a GIF that says it is 60,000 pixels wide and high."""
    return b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + b"\xf0\0\0" + bytes(6) + b"," + bytes(9) + b"\2\0;"


BOMBS: dict[str, Callable[[], bytes]] = {
    "39 megapixels": lambda: png(6_250, 6_250),
    "39 megapixels with alpha": lambda: png(6_250, 6_250, channels=4),
    "41 megapixels": lambda: png(6_400, 6_500, channels=1),
    "one row": lambda: png(30_000_000, 1, channels=1),
    "text": lambda: inflating(b"zTXt"),
    "profile": lambda: inflating(b"iCCP"),
    "frames": many_frames,
    "scans": many_scans,
    "wide GIF": wide_gif,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_bounded_memory_and_time_and_the_next_photo_is_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "SECONDS", 2.0)
    body = BOMBS[name]()

    async def story() -> None:
        decoders = Decoders()
        try:
            await decoders.plain(picture())
            [pid] = decoders.pool.pids
            before, most = resident(pid), 0
            decoding_it = asyncio.create_task(decoders.plain(body))
            while not decoding_it.done():
                try:
                    most = max(most, resident(pid))
                except OSError:
                    break
                await asyncio.sleep(0.002)
            try:
                with Image.open(io.BytesIO(await decoding_it)) as image:
                    assert max(image.size) <= 1200
            except Refused:
                pass
            assert most - before < 200 * MEGABYTE
            assert await decoders.plain(picture()), "the next one"
        finally:
            decoders.close()

    asyncio.run(story())


def test_a_photo_that_crashes_the_decoder_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        with shop(bad=sends(b"crash"), good=sends(b"echo +photo")) as there:
            photos = PhotoFetcher(tmp_path, private_hosts=(there.host,))
            photos._decoders.pool._module = "tests.sandbox.answers"
            assert await photos.get(there.url("/bad"), 4000) is None
            assert await photos.get(there.url("/good"), 4000) == b"photo"
            await photos.close()

    asyncio.run(story())
