"""A storage whose engine does not open yet: every call raises StoreUnavailable until a `start` opens the engine."""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any

from wetink.core.errors import StoreUnavailable
from wetink.ports.storage import Storage

SILENT: Mapping[tuple[str, str], str] = {
    ("ledger", "served"): "opens and clicks",
    ("ledger", "record"): "opens and clicks",
    ("archive", "keep"): "kept opens",
    ("pictures", "put"): "",
    ("pictures", "get"): "",
}
"""Part and name of the calls that never raise -> what is lost with each, empty if nobody misses it."""


def open_now_or_later(open_engine: Callable[[], Storage]) -> Storage:
    """Return the opened storage, else one whose `start` tries again.

    Any engine raises StoreUnavailable while its disk or its server cannot be reached. A server that cannot start
    then would leave its opens without an answer. Raises BadSettings.
    """
    try:
        return open_engine()
    except StoreUnavailable as error:
        return _Late(open_engine, error).storage()


class _Late:
    """Opens an engine at a `start`."""

    def __init__(self, open_engine: Callable[[], Storage], error: StoreUnavailable) -> None:
        self._open_engine, self._error = open_engine, error
        self._opened: Storage | None = None
        self.lost = Counter[str]()

    def storage(self) -> Storage:
        parts: dict[str, Any] = {name: _Part(self, name) for name in Storage.__struct_fields__}
        own = {"start": self._start, "lost": self._lost, "ended": self._ended, "close": self._close}
        return Storage(**{**parts, **own})

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    def part(self, name: str) -> Any:
        if self._opened is None:
            raise StoreUnavailable(str(self._error), hint=self._error.hint)
        return getattr(self._opened, name)

    async def _start(self) -> None:
        if self._opened is None:
            try:
                self._opened = await asyncio.to_thread(self._open_engine)
            except StoreUnavailable as error:
                self._error = error
                raise
        await self._opened.start()

    def _lost(self) -> Any:
        found = Counter(self.lost)
        if self._opened is not None:
            found.update(self._opened.lost())
        return dict(found)

    def _ended(self) -> Any:
        return self._opened.ended() if self._opened is not None else ()

    async def _close(self) -> None:
        if self._opened is not None:
            await self._opened.close()


class _Part:
    """Stands for a part of the storage."""

    def __init__(self, late: _Late, name: str) -> None:
        self._late, self._name = late, name

    def __call__(self, *given: Any, **named: Any) -> Any:
        return self._late.part(self._name)(*given, **named)

    def __getattr__(self, name: str) -> Any:
        what = SILENT.get((self._name, name))
        if what is not None and not self._late.is_open:
            return partial(self._lose, what)
        found = getattr(self._late.part(self._name), name)
        if callable(found):
            self.__dict__[name] = found  # the next call goes directly
        return found

    def _lose(self, what: str, *_: object) -> "_Nothing":
        if what:
            self._late.lost[what] += 1
        return _Nothing()


class _Nothing:
    """The result of a call that did nothing, awaited or not."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield
