"""Catalog imports: files of products that people drop on a page, imported in the background with their progress.

The state of an import is a small file, so that every process of the machine can tell how far it is.
"""

import asyncio
import logging
import re
import secrets
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from wetink.core.errors import BadContent, NotFound, TooLarge, Unavailable, WetinkError
from wetink.core.outbound.feed import DEFAULTS, Feed
from wetink.core.outbound.payload import format_of
from wetink.ingest.catalog_feeds import Catalogs

logger = logging.getLogger(__name__)

KEPT = 20
"""Imports whose result is kept."""
EVERY_BYTES = 1 << 20
_ID = re.compile(r"[0-9a-f]{16}")


class Progress(msgspec.Struct, frozen=True):
    """How far an import is: the bytes read and all bytes; then its result, or the error. `name` is the file's."""

    name: str
    read: int = 0
    size: int = 1
    done: bool = False
    products: int = 0
    gone: int = 0
    left_out: int = 0
    problems: tuple[str, ...] = ()
    error: str = ""


class CatalogImports:
    """Takes files in, and imports them one after the other."""

    def __init__(self, folder: Path, catalogs: Catalogs) -> None:
        """Keep files and states in a folder. The first import creates it."""
        self._folder, self._catalogs = folder, catalogs
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, name: str, parts: AsyncIterator[bytes], *, complete: bool) -> str:
        """Store a file and begin to import it. Returns the import's ID.

        With `complete`, products that the file does not list are no longer available. Raises BadContent for a file that
        is none, TooLarge and Unavailable.
        """
        made = secrets.token_hex(8)
        path, size = self._folder / f"{made}.file", 0
        try:
            await asyncio.to_thread(self._tidy)
            with path.open("wb") as file:
                async for part in parts:
                    size += len(part)
                    if size > DEFAULTS["catalog"][0]:
                        raise TooLarge("more than 1 GB", hint="split the file")
                    await asyncio.to_thread(file.write, part)
            form = format_of(await asyncio.to_thread(_start, path))
            if form is None:
                raise BadContent("this is no table, JSON or XML", hint="drop a CSV, JSON or Merchant feed file")
        except OSError as error:
            path.unlink(missing_ok=True)
            raise Unavailable(f"the file cannot be stored: {error.strerror}") from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._keep(made, Progress(name[:200], size=max(size, 1)))
        shape = "merchant" if form in ("rss", "atom") else form
        feed = Feed("import", shape, file="import", purpose="catalog", complete=complete)
        task = asyncio.create_task(self._run(made, path, feed, Progress(name[:200], size=max(size, 1))))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return made

    async def state(self, made: str) -> Progress:
        """Return how far an import is. Raises NotFound."""
        if not _ID.fullmatch(made):
            raise NotFound("there is no such import")
        try:
            body = await asyncio.to_thread((self._folder / f"{made}.json").read_bytes)
            return msgspec.json.decode(body, type=Progress)
        except (OSError, ValueError) as error:
            raise NotFound("there is no such import") from error

    async def close(self) -> None:
        """End all imports; what they have written stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, made: str, path: Path, feed: Feed, begun: Progress) -> None:
        last = 0

        def progress(read: int) -> None:
            nonlocal last
            if read - last >= EVERY_BYTES:
                last = read
                self._keep(made, msgspec.structs.replace(begun, read=read))

        try:
            async with self._turn:
                done = await self._catalogs.import_file(path, feed, progress)
            end = msgspec.structs.replace(
                begun,
                done=True,
                read=begun.size,
                products=done.products,
                gone=done.gone,
                left_out=done.left_out,
                problems=done.problems,
            )
            if not done.products and done.left_out:
                end = msgspec.structs.replace(end, error=f"none of its {done.left_out} items can be used")
        except WetinkError as error:
            end = msgspec.structs.replace(begun, done=True, error=str(error))
        except Exception:
            logger.exception("an import of the catalog broke")
            end = msgspec.structs.replace(begun, done=True, error="the import broke; the server's log says why")
        finally:
            self._drop(path)
        self._keep(made, end)

    def _drop(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def _keep(self, made: str, progress: Progress) -> None:
        try:
            draft = self._folder / f".{made}.{secrets.token_hex(4)}"
            draft.write_bytes(msgspec.json.encode(progress))
            draft.replace(self._folder / f"{made}.json")
        except OSError as error:
            logger.warning("the state of an import cannot be stored: %s", error)

    def _tidy(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in kept[: max(len(kept) - KEPT, 0)]:
            path.unlink(missing_ok=True)


def _start(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked."""
    with path.open("rb") as file:
        start = file.read(8192)
    if not start.startswith(b"\x1f\x8b"):
        return start
    try:
        return zlib.decompressobj(31).decompress(start, 4096)
    except zlib.error:
        return b""
