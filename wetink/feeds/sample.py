"""Sample: the beginning of a feed's body, fetched to look at before the feed is saved."""

import hashlib
import io
import os
import secrets
import zlib
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

import msgspec
from msgspec.structs import replace

from wetink.core.outbound.feed import MEGABYTE, Feed, address
from wetink.core.outbound.payload import format_of
from wetink.feeds.credentials import Headers
from wetink.feeds.download import Hosts
from wetink.feeds.guard import Refused
from wetink.feeds.parse import Tally, Unreadable, raw_items, read
from wetink.feeds.parse.lists import lists
from wetink.feeds.parse.product import sources
from wetink.ports.outside import Sample

LONGEST, LARGEST_DOCUMENT = 2 * MEGABYTE, 32 * MEGABYTE
"""Bytes of a sample, and of one that must be read whole: a JSON document."""
SECONDS = 20.0
KEPT_SECONDS = 900
ITEMS = 25
"""Items of a sample."""
HEADERS = ((b"user-agent", b"wetink (feeds)"), (b"accept", b"*/*"), (b"accept-encoding", b"gzip"))
_WHOLE = (b"{", b"[")


class _Enough(Exception):
    """The sample has enough bytes."""


class Kept(msgspec.Struct, frozen=True):
    """A fetched sample: the body, its content type, and when it was fetched (Unix ms)."""

    body: bytes
    content_type: str = ""
    at: int = 0


class Samples:
    """Fetches samples, and keeps them for a quarter of an hour in a folder that processes share."""

    def __init__(self, folder: Path, hosts: Hosts) -> None:
        """Keep samples in a folder. The first one creates it."""
        self._folder, self._hosts = folder, hosts

    async def fetch(self, feed: Feed, parameters: Mapping[str, str], private: Headers, clock: int, fresh: bool) -> Kept:
        """Return the sample of an address, from the folder unless it must be `fresh`.

        Raises BadContent, and the errors of `Hosts.ask`.
        """
        url = address(feed, parameters) if feed.per_person is not None else feed.url
        name = hashlib.sha256(msgspec.json.encode((url, private))).hexdigest()[:32]
        if not fresh and (kept := self._read(name, clock)) is not None:
            return kept
        parts: list[bytes] = []
        size = 0

        async def take(part: bytes) -> None:
            nonlocal size
            parts.append(part)
            size += len(part)
            start = parts[0].lstrip(b"\xef\xbb\xbf \t\r\n")
            if size > (LARGEST_DOCUMENT if start.startswith(_WHOLE) or start[:1] == b"\x1f" else LONGEST):
                raise _Enough

        kind = ""
        with suppress(_Enough):
            reply = await self._hosts.ask(
                url, HEADERS, take, largest=LARGEST_DOCUMENT * 2, seconds=SECONDS, private=private
            )
            if reply.status != 200:
                raise Refused(f"it answered {reply.status}{HINTS.get(reply.status, '')}")
            kind = reply.headers.get("content-type", "")
        kept = Kept(b"".join(parts), kind, clock)
        self._write(name, kept, clock)
        return kept

    def _read(self, name: str, now: int) -> Kept | None:
        path = self._folder / name
        try:
            kept = msgspec.msgpack.decode(path.read_bytes(), type=Kept)
        except (OSError, msgspec.DecodeError):
            return None
        return kept if 0 <= now - kept.at < KEPT_SECONDS * 1000 else None

    def _write(self, name: str, kept: Kept, now: int) -> None:
        """Keep a sample and forget old ones. A full disk keeps none: the next look fetches again."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for path in self._folder.iterdir():
                if now / 1000 - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink(missing_ok=True)
            draft = self._folder / f".{name}.{secrets.token_hex(4)}"
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.msgpack.encode(kept))
            draft.replace(self._folder / name)
        except OSError:
            return


HINTS = {
    401: "; it needs a header with credentials",
    403: "; its credentials are missing or not allowed to read this",
    404: "; check the address",
}
"""What to do about an answer, by its status."""


def sampled(feed: Feed, kept: Kept, now: int, *, sniff: bool) -> Sample:
    """Return what a sample holds, read as `feed` says; with `sniff`, in the format that its bytes reveal.

    It may take a tenth of a second: call it in a thread.
    """
    body, form = kept.body, feed.format
    if sniff:
        form = format_of(_unpacked(body), kept.content_type) or feed.format
        feed = replace(feed, format=form, root=feed.root if form == feed.format else "")
    places: tuple[tuple[str, int], ...] = ()
    try:
        places = tuple(lists(form, body))
        if not feed.root and places and _needs_root(form, places):
            feed = replace(feed, root=places[0][0])
        raw, _ = raw_items(replace(feed, fields={}), io.BytesIO(body), ITEMS)
    except (Unreadable, OSError, ValueError) as error:
        return Sample(form, feed.root, lists=places, problem=str(error))
    tally, found = Tally(), []
    problem = ""
    try:
        found = list(islice(read(feed, io.BytesIO(body), tally, now), ITEMS))
    except (Unreadable, OSError, ValueError) as error:
        problem = "" if found else str(error)
    if not found and not problem:
        problem = f"none of its items can be used; {tally.problems[0]}" if tally.problems else "it has no items"
    return Sample(
        form,
        feed.root,
        tuple(raw),
        tuple(found),
        tally.left_out,
        tuple(tally.problems),
        {ours: name for item in reversed(raw) for ours, name in sources(item).items()} if feed.of_goods else {},
        places,
        problem,
    )


def _needs_root(form: str, places: tuple[tuple[str, int], ...]) -> bool:
    """Whether the items are below the document itself: it has lists, and is none."""
    return form in ("json", "xml") and places[0][0] != ""


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body[:4096]
    try:
        return zlib.decompressobj(31).decompress(body, 4096)
    except zlib.error:
        return b""
