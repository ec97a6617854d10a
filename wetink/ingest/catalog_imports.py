"""Catalog imports: files of products that people drop on a page, imported in the background with their progress.

The process that took a file imports it, and stores how far it is, so that every process can tell.
"""

import asyncio
import logging
import secrets
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from wetink.core.errors import BadContent, NotFound, StoreUnavailable, TooLarge, Unavailable, WetinkError
from wetink.core.outbound.feed import DEFAULTS, Feed
from wetink.core.outbound.payload import format_of
from wetink.ingest.catalog_feeds import Catalogs
from wetink.ports import Catalog

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
"""How often the state of an import is stored, in seconds."""
LOST_MS = 30_000
"""Age of the state of an import after which its process has ended, in milliseconds."""
LEFT_MS = 86_400_000
"""Age of a file after which the process that took it has ended, in milliseconds."""


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

    def __init__(self, folder: Path, catalogs: Catalogs, catalog: Catalog, clock_ms: Callable[[], int]) -> None:
        """Keep files in a folder, which the first import creates, and states in `catalog`."""
        self._folder, self._catalogs, self._catalog, self._clock = folder, catalogs, catalog, clock_ms
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
                raise BadContent("this is not a table, JSON or XML", hint="drop a CSV, JSON or Merchant feed file")
            begun = Progress(name[:200], size=max(size, 1))
            await self._catalog.keep_progress(made, msgspec.json.encode(begun), self._clock())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise Unavailable(f"the file cannot be stored: {error.strerror}") from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        shape = "merchant" if form in ("rss", "atom") else form
        feed = Feed("import", shape, file="import", purpose="catalog", complete=complete)
        task = asyncio.create_task(self._run(made, path, feed, begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return made

    async def state(self, made: str) -> Progress:
        """Return how far an import is. Raises NotFound and StoreUnavailable."""
        for id_, at, state in await self._catalog.progress():
            if id_ == made:
                return self._read(at, state)
        raise NotFound("there is no such import")

    async def running(self) -> tuple[str, Progress] | None:
        """Return the newest import that goes on in any process, with its ID. Raises StoreUnavailable."""
        for id_, at, state in await self._catalog.progress():
            if not (found := self._read(at, state)).done:
                return id_, found
        return None

    def _read(self, at: int, state: bytes) -> Progress:
        found = msgspec.json.decode(state, type=Progress)
        if found.done or self._clock() - at < LOST_MS:
            return found
        return msgspec.structs.replace(
            found, done=True, error="the server stopped during the import; drop the file again"
        )

    async def close(self) -> None:
        """End all imports; what they have written stays."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, made: str, path: Path, feed: Feed, begun: Progress) -> None:
        read = 0

        def progress(count: int) -> None:
            nonlocal read
            read = count

        async def beat() -> None:
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                await self._keep(made, msgspec.structs.replace(begun, read=read))

        beating = asyncio.create_task(beat())
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
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
            self._drop(path)
        await self._keep(made, end)

    def _drop(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    async def _keep(self, made: str, progress: Progress) -> None:
        try:
            await self._catalog.keep_progress(made, msgspec.json.encode(progress), self._clock())
        except StoreUnavailable as error:
            logger.warning("the state of an import cannot be stored: %s", error)

    def _tidy(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in self._folder.iterdir():
            with suppress(OSError):
                if path.stat().st_mtime * 1000 < self._clock() - LEFT_MS:
                    path.unlink()


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
