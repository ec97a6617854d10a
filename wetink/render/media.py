"""Darkroom: prepares uploaded pictures and fonts in a worker of the sandbox, apart from those that draw for opens.

This module is imported by the worker, whose `ready` answers the requests, and by the server, which sends them. The
worker alone imports `specimen`: numpy is an eighth of what the server would import.
"""

import io
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec
from PIL import Image

from wetink.core.errors import BadContent
from wetink.ports import Picture
from wetink.ports.media import FontFacts, Limits, Prepared
from wetink.render import photograph
from wetink.render.cache import Kept, key_of
from wetink.sandbox import Lost, Pool

MEMORY = 448 << 20
"""Bytes that one upload may take: the pixels of the largest picture twice, and a little."""
PREPARE_SECONDS, DRAW_SECONDS = 20.0, 6.0
KEPT = 12 << 20
"""Bytes to keep of thumbnails and specimens."""


class Develop(msgspec.Struct, frozen=True, tag=True):
    """Prepare the picture in a file. The answer is Prepared."""

    path: str
    limits: Limits
    shrink: bool
    content_type: str


class Shrink(msgspec.Struct, frozen=True, tag=True):
    """Make a thumbnail. The answer is Shown."""

    body: bytes
    side: int


class Read(msgspec.Struct, frozen=True, tag=True):
    """Read a font. The answer is FontFacts."""

    body: bytes


class Specimen(msgspec.Struct, frozen=True, tag=True):
    """Draw a font. The answer is Shown."""

    body: bytes
    dark: bool


class Shown(msgspec.Struct, frozen=True):
    """A drawn picture."""

    body: bytes
    content_type: str


class Refused(msgspec.Struct, frozen=True):
    """The file is not what it should be: BadContent."""

    message: str
    hint: str
    where: str


class Reply(msgspec.Struct, frozen=True):
    """An answer, in the field of its kind."""

    prepared: Prepared | None = None
    font: FontFacts | None = None
    shown: Shown | None = None
    refused: Refused | None = None


T = TypeVar("T", Prepared, FontFacts, Shown)
Job: TypeAlias = Develop | Shrink | Read | Specimen

encoded = msgspec.msgpack.Encoder().encode
_read_job = msgspec.msgpack.Decoder(Job).decode
_read_reply = msgspec.msgpack.Decoder(Reply).decode


def ready() -> Callable[[bytes], bytes]:
    """Return the function that answers requests, with all readers of pictures and fonts imported."""
    Image.init()
    import_module("wetink.render.specimen")
    return _answer


def _answer(body: bytes) -> bytes:
    try:
        return encoded(_done(_read_job(body)))
    except BadContent as error:
        return encoded(Reply(refused=Refused(str(error), error.hint, error.where)))


def _done(job: Job) -> Reply:
    from wetink.render import specimen

    match job:
        case Develop():
            path = Path(job.path)
            return Reply(photograph.prepared(path, job.limits, shrink=job.shrink, content_type=job.content_type))
        case Shrink():
            return Reply(shown=Shown(*photograph.thumbnail(job.body, job.side)))
        case Read():
            return Reply(font=specimen.facts(job.body))
        case Specimen():
            kept = io.BytesIO()
            Image.fromarray(specimen.drawn(job.body, dark=job.dark)).save(kept, "PNG")
            return Reply(shown=Shown(kept.getvalue(), "image/png"))


class Darkroom:
    """Prepares one file at a time. Implements `ports.media.Darkroom`."""

    def __init__(self) -> None:
        self._pool = Pool("wetink.render.media", 1, MEMORY)
        self._kept = Kept[Picture](KEPT, lambda picture: len(picture.body))

    async def picture(self, path: str, limits: Limits, *, shrink: bool, content_type: str = "") -> Prepared:
        """See `ports.media.Darkroom`."""
        reply = await self._request(Develop(path, limits, shrink, content_type), PREPARE_SECONDS)
        return _given(reply.prepared)

    async def thumbnail(self, body: bytes, side: int) -> Picture:
        """See `ports.media.Darkroom`."""
        return await self._shown(key_of(body, side), Shrink(body, side))

    async def font(self, body: bytes) -> FontFacts:
        """See `ports.media.Darkroom`."""
        return _given((await self._request(Read(body), PREPARE_SECONDS)).font)

    async def specimen(self, body: bytes, *, dark: bool) -> Picture:
        """See `ports.media.Darkroom`."""
        return await self._shown(key_of(body, int(dark)), Specimen(body, dark))

    def close(self) -> None:
        """End the worker. You can call it twice."""
        self._pool.close()

    async def _shown(self, key: bytes, job: Shrink | Specimen) -> Picture:
        kept = self._kept.get(key)
        if kept is None:
            shown = _given((await self._request(job, DRAW_SECONDS)).shown)
            kept = Picture(shown.body, shown.content_type)
            self._kept.put(key, kept)
        return kept

    async def _request(self, job: Job, seconds: float) -> Reply:
        """Return the answer to a job. Raises BadContent. The worker ends when nobody waits: it may hold much memory."""
        try:
            reply: Reply = _read_reply(await self._pool.ask(encoded(job), seconds))
        except Lost as lost:
            raise BadContent(f"the file cannot be read: {lost}", hint="upload a smaller or simpler one") from lost
        finally:
            if self._pool.resting:
                self._pool.begin_with(b"")
        if reply.refused is not None:
            raise BadContent(reply.refused.message, hint=reply.refused.hint, where=reply.refused.where)
        return reply


def _given(answer: T | None) -> T:
    """Return an answer that must be there. Raises BadContent: without it, a file took over the worker."""
    if answer is None:
        raise BadContent("the file cannot be read", hint="upload another one")
    return answer
