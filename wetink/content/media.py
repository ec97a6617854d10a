"""Media: pictures and fonts of the content, uploaded, replaced, renamed and deleted on pages, and who uses them."""

import asyncio
import contextlib
import errno
import os
import re
import struct
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Collection, Mapping
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Protocol

import msgspec

from wetink.content.content import FONTS, LARGEST_IMAGE, TYPES, Content
from wetink.content.tree import LARGEST_FONT
from wetink.content.uses import Room, block_file, listed, uses, uses_with_drafts, with_value
from wetink.core.errors import BadContent, Conflict, NotFound, TooLarge, Unavailable
from wetink.ports.content import digest
from wetink.ports.media import Darkroom, FontFacts, Limits

LIMITS = Limits(LARGEST_IMAGE, 4_096)
"""The largest picture that is kept."""
LARGEST_UPLOAD = 100 << 20
"""Bytes of the largest picture that is read, to be scaled down."""
LONGEST_NAME = 80
"""Characters of a file's name without its suffix."""
SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}
LEFT_SECONDS = 3_600
"""Age of a received file that a killed process left behind, in seconds."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")


class Saved(msgspec.Struct, frozen=True):
    """An uploaded file as it is kept. Sizes are pixels of a picture, 0 for a font."""

    path: str
    bytes: int
    width: int = 0
    height: int = 0


class Author(Protocol):
    """Publishes changes of content files (see `content.author.Author`)."""

    async def save(self, path: str, body: bytes, *, by: str, message: str = "", expected: str | None = None) -> int:
        """Write a file."""
        ...

    async def change(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, str], *, by: str, message: str
    ) -> int:
        """Write and delete files in one version."""
        ...


class Media:
    """Keeps pictures and fonts. Each change is one version."""

    def __init__(self, author: Author, darkroom: Darkroom, folder: Path) -> None:
        """Publish through `author`. `folder` has files while they are received."""
        self._author, self._darkroom, self._folder = author, darkroom, folder

    async def picture(
        self,
        content: Content,
        name: str,
        parts: AsyncIterator[bytes],
        *,
        by: str,
        replace: bool = False,
        shrink: bool = False,
    ) -> Saved:
        """Keep an uploaded picture under `name`, which may be any file's name, as a new one or to `replace` one.

        A new picture gets a suffix by its type, a replaced one keeps its type. Raises BadContent, whose `where` is
        `scale` if it may be scaled down with `shrink`, and `name` if the name is taken; TooLarge and Unavailable. Then
        nothing has changed.
        """
        kind = TYPES.get(PurePosixPath(name).suffix.lower(), "") if replace else ""
        if replace and name not in content.images:
            raise NotFound(f"there is no picture {name[:64]!r}", hint="reload the page")
        async with self._received(parts, LARGEST_UPLOAD) as path:
            made = await self._darkroom.picture(str(path), LIMITS, shrink=shrink, content_type=kind)
        kept = name if replace else file_name(name, SUFFIXES[made.content_type], "picture")
        await self._save(f"images/{kept}", made.body, _at(content, kept) if replace else "", content.images, by)
        return Saved(f"images/{kept}", len(made.body), made.width, made.height)

    async def font(
        self, content: Content, name: str, parts: AsyncIterator[bytes], *, by: str, replace: bool = False
    ) -> Saved:
        """Keep an uploaded font under `name`, as `picture` does. Raises BadContent, TooLarge, Unavailable."""
        if replace and name not in content.fonts:
            raise NotFound(f"there is no font {name[:64]!r}", hint="reload the page")
        async with self._received(parts, LARGEST_FONT) as path:
            body = await asyncio.to_thread(path.read_bytes)
        made = await self._darkroom.font(body)
        if len(made.body) > LARGEST_FONT:
            raise TooLarge(f"the font has more than {LARGEST_FONT >> 20} MB unpacked", hint="upload it as WOFF2")
        kept = name if replace else file_name(name, made.suffix, "font")
        if replace and PurePosixPath(name).suffix.lower() != made.suffix:
            raise BadContent(
                f"{name} is a {PurePosixPath(name).suffix} font, and this is a {made.suffix} font",
                hint="upload the same type, or upload it as a new font",
            )
        await self._save(f"fonts/{kept}", made.body, digest(content.fonts[name]) if replace else "", content.fonts, by)
        return Saved(f"fonts/{kept}", len(made.body))

    async def facts(self, body: bytes) -> FontFacts:
        """Return the facts about a font that is kept. Raises BadContent."""
        return await self._darkroom.font(body)

    async def delete(
        self, content: Content, drafted: Content, room: Room, name: str, *, by: str, families: Mapping[str, str]
    ) -> int:
        """Delete a file that nothing uses, not even in the `drafted` content, and return the version.

        `families` are those of fonts, by name.

        Raises BadContent, which names who uses it, NotFound, Conflict, Unavailable.
        """
        body = body_of(content, room, name)
        if used := uses_with_drafts(content, drafted, room, name, families):
            raise BadContent(
                f"{name} is used by {listed(used)}", hint="give them another one first, then delete it", where="name"
            )
        path = f"{room}/{name}"
        return await self._author.change({path: None}, {path: digest(body)}, by=by, message=f"deleted {path}")

    async def rename(
        self, content: Content, room: Room, name: str, wanted: str, texts: Mapping[str, bytes], *, by: str
    ) -> str:
        """Give a file another name, also in the blocks that name it, in one version. Returns the name.

        `texts` are the content's files by path, as they are now. Raises BadContent whose `where` is `name`, NotFound,
        Conflict, Unavailable.
        """
        body, suffix = body_of(content, room, name), PurePosixPath(name).suffix
        wanted = wanted.strip()
        stem = wanted.removesuffix(suffix) if wanted.lower().endswith(suffix.lower()) else wanted
        new = f"{stem}{suffix}"
        if not _NAME.fullmatch(stem) or len(stem) > LONGEST_NAME:
            raise BadContent(
                f"{stem[:64]!r} is not a file name",
                hint=f"at most {LONGEST_NAME} letters, digits, dots and dashes",
                where="name",
            )
        if new == name:
            return name
        _check_free(new, content.images if room == "images" else content.fonts, but=name)
        old, path = f"{room}/{name}", f"{room}/{new}"
        changes: dict[str, bytes | None] = {old: None, path: body}
        expected = {old: digest(body), path: ""}
        for block in [each.name for each in uses(content, room, name, {}) if each.kind == "block"]:
            place, text = block_file(texts, block)
            changes[place] = with_value(text, "image", name, new)
            expected[place] = digest(text)
        await self._author.change(changes, expected, by=by, message=f"renamed {old} to {path}")
        return new

    async def _save(self, path: str, body: bytes, expected: str, taken: Collection[str], by: str) -> None:
        name = path.partition("/")[2]
        if not expected:
            _check_free(name, taken)
        try:
            await self._author.save(
                path, body, by=by, message=f"{'replaced' if expected else 'uploaded'} {path}", expected=expected
            )
        except Conflict as error:
            if expected:
                raise
            raise _taken(name, taken) from error

    @contextlib.asynccontextmanager
    async def _received(self, parts: AsyncIterator[bytes], most: int) -> AsyncIterator[Path]:
        """Receive a file of at most `most` bytes, which goes away after. Raises TooLarge, Unavailable."""
        path = await asyncio.to_thread(self._begun)
        try:
            size = 0
            with path.open("wb", buffering=0) as file:
                async for part in parts:
                    size += len(part)
                    if size > most:
                        raise TooLarge(f"the file has more than {most >> 20} MB", hint="upload a smaller one")
                    await asyncio.to_thread(file.write, part)
            yield path
        except OSError as error:
            raise _no_room(error) from error
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def _begun(self) -> Path:
        """Return a new empty file. Removes those that a killed process left behind. Raises Unavailable."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder)
            os.close(handle)
            now = Path(name).stat().st_mtime
            for each in self._folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if now - each.stat().st_mtime > LEFT_SECONDS:
                        each.unlink()
            return Path(name)
        except OSError as error:
            raise _no_room(error) from error


def _no_room(error: OSError) -> Unavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Unavailable("the disk of the server is full", hint="make room on it, then upload the file again")
    return Unavailable(f"the server cannot store the file: {error.strerror}", hint="try again")


def _at(content: Content, name: str) -> str:
    return digest(content.images[name].body)


def _check_free(name: str, taken: Collection[str], but: str = "") -> None:
    """Raise BadContent if a file has this name, in upper or lower case: some disks do not tell them apart."""
    if any(each.casefold() == name.casefold() and each != but for each in taken):
        raise _taken(name, taken)


def _taken(name: str, taken: Collection[str]) -> BadContent:
    return BadContent(
        f"there is already a file called {name}",
        hint=f"replace it, or call this one {free_name(name, taken)}",
        where="name",
    )


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name that no other file has.

    >>> free_name("hero.jpg", ["hero.jpg", "Hero-2.jpg"])
    'hero-3.jpg'
    """
    path, known = PurePosixPath(name), {each.casefold() for each in taken}
    tries = (f"{path.stem}-{number}{path.suffix}" for number in count(2))
    return name if name.casefold() not in known else next(each for each in tries if each.casefold() not in known)


def file_name(given: str, suffix: str, usual: str) -> str:
    r"""Return the name under which an uploaded file is kept: of its own name the letters that a URL can have.

    >>> file_name("C:\\Bilder\\Größe & Maß.JPEG", ".jpg", "picture"), file_name("☀.png", ".png", "picture")
    ('grosse-mass.jpg', 'picture.png')
    """
    last = re.split(r"[/\\]", given)[-1]
    stem = last.rpartition(".")[0] or last.strip(".")
    plain = unicodedata.normalize("NFKD", stem.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9@+_]+", "-", plain).strip("-_@+")[:LONGEST_NAME].strip("-_@+")
    return f"{words or usual}{suffix}"


def body_of(content: Content, room: Room, name: str) -> bytes:
    """Return the bytes of a picture or a font. Raises NotFound."""
    if room == "images" and name in content.images:
        return content.images[name].body
    if room == "fonts" and name in content.fonts:
        return content.fonts[name]
    raise NotFound(f"there is no {'picture' if room == 'images' else 'font'} {name[:64]!r}", hint="reload the page")


def size_of(body: bytes) -> tuple[int, int]:
    r"""Return the width and the height of a JPEG or PNG in pixels, from its header; zeros if it has none.

    >>> size_of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02")
    (3, 2)
    """
    if body.startswith(b"\x89PNG") and len(body) >= 24:
        width, height = struct.unpack(">II", body[16:24])
        return width, height
    at = 2
    while body.startswith(b"\xff\xd8") and at + 9 <= len(body) and body[at] == 0xFF:
        marker = body[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", body[at + 5 : at + 9])
            return width, height
        at += 1 if marker == 0xFF else 2 + int.from_bytes(body[at + 2 : at + 4], "big")
    return 0, 0


ACCEPTED = {"images": ("image/jpeg", "image/png", "image/webp", "image/gif"), "fonts": (*FONTS, ".woff")}
"""Types of files that a page offers for upload."""
