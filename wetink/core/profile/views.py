"""Views: what somebody looked at, the newest first, worked out as far as anybody reads."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, overload

from wetink.core.events.event import Event
from wetink.core.events.stored_event import Entry
from wetink.core.profile.person import Seen

MOST = 100
"""Products that are remembered, the newest of which count."""


class Views(Sequence[Seen]):
    """The newest view of each product, newest first, as `Product.same` tells products apart.

    A block mostly shows the first three of fifty: no product is read before it is asked for. Equal to any sequence of
    the same views.
    """

    __slots__ = ("_coming", "_known", "_more", "trusted")

    def __init__(
        self, coming: Iterator[Seen], *, trusted: bool, more: Callable[[], Sequence[Seen]] | None = None
    ) -> None:
        """Take them as they come, newest first. `trusted` says whether servers' keys told of all of them.

        `more` returns all of them, when there are more than these; if it raises, it is asked again the next time.
        """
        self._coming: Iterator[Seen] | None = coming
        self._known: list[Seen] = []
        self._more, self.trusted = more, trusted

    @classmethod
    def of(cls, viewed: Sequence[Event | Entry]) -> Self:
        """Return those of these events, which come oldest first."""
        return cls(_newest_of_each(viewed), trusted=all([event.level == "server" for event in viewed]))

    def _read(self, count: int) -> list[Seen]:
        """Return what is known once `count` views are, or all there are."""
        known = self._known
        while len(known) < count and self._coming is not None:
            seen = next(self._coming, None)
            if seen is not None:
                known.append(seen)
            elif self._more is None:
                self._coming = None
            else:
                self._coming = iter(self._more()[len(known) :])
                self._more = None
        return known

    @overload
    def __getitem__(self, index: int) -> Seen: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Seen, ...]: ...
    def __getitem__(self, index: int | slice) -> Seen | tuple[Seen, ...]:
        """Return the n-th newest, or a tuple of some."""
        if isinstance(index, slice):
            ahead = index.stop is not None and index.stop >= 0 and (index.start or 0) >= 0
            return tuple(self._read(index.stop if ahead else MOST)[index])
        return self._read(index + 1 if index >= 0 else MOST)[index]

    def __len__(self) -> int:
        return len(self._read(MOST))

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._read(1))

    def __iter__(self) -> Iterator[Seen]:
        known, at = self._known, 0
        while at < len(known) or len(self._read(at + 1)) > at:
            yield known[at]
            at += 1

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Views | tuple | list) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        """As a tuple."""
        return repr(tuple(self))


def _newest_of_each(viewed: Sequence[Event | Entry]) -> Iterator[Seen]:
    """Yield the newest view of each product, newest first: what `Product.same` says, in one pass."""
    skus: set[str] = set()
    ids: set[str] = set()
    ids_alone: set[str] = set()
    left = MOST
    for event in reversed(viewed):
        for product in reversed(event.products):
            sku, product_id = product.sku, product.product_id
            if sku:
                if sku in skus or product_id in ids_alone:
                    continue
                skus.add(sku)
            elif not product_id or product_id in ids:
                continue
            else:
                ids_alone.add(product_id)
            if product_id:
                ids.add(product_id)
            yield Seen(product, event.at, event.level == "server")
            left -= 1
            if left == 0:
                return
