"""Waiting: rows on their way into a store, bounded, by kind and key."""

from collections.abc import Callable, Mapping
from itertools import count, islice
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """A kind of rows: the limit of waiting ones, and the function that joins an older and a newer row of one key."""

    most: int
    join: Callable[[Any, Any], Any] = lambda old, new: new


class Waiting:
    """Rows of several kinds. Those that are being written keep their room until it is known whether they were."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._numbers = count()
        self._rows, self._taken = self._none(), self._none()

    def put(self, kind: str, row: Any, key: Any = None) -> int:
        """Add a row, joined with one of the same key. Returns the number of rows of its kind; 0 if there is no room."""
        rows = self._rows[kind]
        size = len(rows) + len(self._taken[kind])
        if key is None:
            key = next(self._numbers)
        elif key in rows:
            rows[key] = self._kinds[kind].join(rows[key], row)
            return size
        if size >= self._kinds[kind].most:
            return 0
        rows[key] = row
        return size + 1

    def count(self, kind: str) -> int:
        """Return the number of rows of a kind."""
        return len(self._rows[kind]) + len(self._taken[kind])

    def find(self, kind: str, key: Any) -> Any:
        """Return the newest row of a key; None without one."""
        return self._rows[kind].get(key) or self._taken[kind].get(key)

    def pending(self, kind: str) -> list[Any]:
        """Return the rows of a kind, the oldest first."""
        return [*self._taken[kind].values(), *self._rows[kind].values()]

    def take(self, kind: str, most: int) -> list[Any]:
        """Return up to `most` rows of a kind, the oldest first, until `ended` says whether they were written."""
        waiting = self._rows[kind]
        if len(waiting) <= most:
            self._taken[kind], self._rows[kind] = waiting, {}
        else:
            self._taken[kind] = {key: waiting[key] for key in islice(waiting, most)}
            for key in self._taken[kind]:
                del waiting[key]
        return [*self._taken[kind].values()]

    def ended(self, kind: str, *, written: bool) -> None:
        """Drop the taken rows of a kind. If they were not written, put them back before those added since."""
        taken, self._taken[kind] = self._taken[kind], {}
        if not written:
            join = self._kinds[kind].join
            for key, row in self._rows[kind].items():
                taken[key] = join(taken[key], row) if key in taken else row
            self._rows[kind] = taken

    def _none(self) -> dict[str, dict[Any, Any]]:
        return {kind: {} for kind in self._kinds}
