"""Port of moving: all data of one engine, in a form that another engine takes over.

The log moves as messages with their events, so the other engine derives identity, the catalog and conversions itself.
Everything else moves as rows of tables, which have the same names and columns in every engine.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from wetink.core.events.event import Event, Product
from wetink.ports.storage import Cursor, Received

Value: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = tuple[Value, ...]
"""The values of a row in the order of `Moving.columns`. Its key comes first."""


class Table(msgspec.Struct, frozen=True):
    """Rows that move as they are. Rows with equal keys move together. `page` is the number of rows read at a time."""

    key: tuple[str, ...]
    page: int = 1_000


TABLES: Mapping[str, Table] = {
    "source": Table(("name",)),
    "catalog_feed": Table(("feed",)),
    "vote": Table(("poll", "who")),
    "tally": Table(("poll", "option")),
    "decision": Table(("recipient", "block", "campaign")),
    "promise": Table(("recipient", "block", "name")),
    "contact": Table(("recipient",)),
    "daily": Table(("day", "block", "variant", "campaign")),
    "part_daily": Table(("day", "block", "variant", "campaign")),
    "contact_change": Table(("width", "start")),
    "applied": Table(("id",)),
    "exposure": Table(("experiment", "recipient")),
    "bandit": Table(("experiment", "epoch")),
    "record": Table(("id",)),
    "source_text": Table(("id",), page=100),
    "audience": Table(("name",)),
    "member": Table(("audience", "who")),
    "size": Table(("audience", "day")),
    "delivery": Table(("audience", "id")),
    "session": Table(("id",)),
    "attempt": Table(("address",)),
    "account": Table(("id",)),
    "credential": Table(("kind", "id")),
    "invitation": Table(("id",)),
    "api_token": Table(("id",)),
    "audit_entry": Table(("seq",)),
    "blob": Table(("digest",), page=20),
    "version": Table(("number",)),
    "draft": Table(("path",), page=20),
    "upload": Table(("name",)),
    "part": Table(("revision", "number"), page=4),
    "secret": Table(("name",)),
}
"""All tables that move, in the order in which they move. Leases, last pictures and sums of reports are left behind."""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A message of the log with its event, None if it has none. `sent_at_key` is that of its `Record`."""

    received: Received
    sent_at_key: int
    event: Event | None


class Import(msgspec.Struct, frozen=True):
    """Products that the catalog learned at `at` (Unix ms), in their turn among the messages."""

    at: int
    products: tuple[Product, ...]


MESSAGE, REPLAYED = "message", "replayed"
"""Tables of changes to messages, whose key is the `seq`: the time of an event was corrected, or it was replayed."""


COMPLETE = "complete"
"""The note `state` of a target that has everything. Until then, no server may use it."""


class Change(msgspec.Struct, frozen=True):
    """A row that was written since `begin`, by the values of its key. `id` identifies the note of it."""

    id: int
    table: str
    key: Row


class Moving(Protocol):
    """Reads everything from one storage while it is used, and writes it to another that is not used yet."""

    async def columns(self, table: str) -> Sequence[str]:
        """Return the names of a table's columns, those of the key first, the others in alphabetical order."""
        ...

    async def notes(self) -> Mapping[str, str]:
        """Return what `note` has stored, by name."""
        ...

    async def note(self, notes: Mapping[str, str]) -> None:
        """Store facts about a move, in place of those with the same names. On disk (fsync) on return."""
        ...

    async def begin(self) -> None:
        """Note each row that any process writes from now on, until `end`. A second call does nothing."""
        ...

    async def end(self) -> None:
        """Stop noting rows, and forget the noted ones. Let processes that start from now on write again."""
        ...

    async def left(self, after: Cursor) -> tuple[int, int]:
        """Return about how many messages are beyond a place in the log, and how many rows are noted."""
        ...

    async def changes(self, limit: int) -> Sequence[Change]:
        """Return up to `limit` noted rows, the oldest first. A row may be noted several times."""
        ...

    async def forget(self, changes: Sequence[Change]) -> None:
        """Forget noted rows."""
        ...

    async def page(self, table: str, after: Row | None, limit: int) -> Sequence[Row]:
        """Return `limit` rows with the next keys, in this engine's order. The last key may have more."""
        ...

    async def rows(self, table: str, keys: Sequence[Row]) -> Sequence[Row]:
        """Return the rows with these keys, in no order."""
        ...

    async def put(self, table: str, keys: Sequence[Row], rows: Sequence[Row]) -> None:
        """Replace the rows with these keys. On disk (fsync) on return."""
        ...

    async def complete(self) -> None:
        """Derive what this engine keeps besides the rows of tables. A later call only adds what came since."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """Return the number of rows by table, and that of `message`s."""
        ...

    async def log(self, after: Cursor, limit: int) -> tuple[Cursor, Sequence[Stored | Import]]:
        """Return the next messages and imports in the order of the log, and the position after them.

        The empty cursor is the beginning.
        """
        ...

    async def messages(self, keys: Sequence[Row], until: Cursor) -> Sequence[Stored]:
        """Return the messages with these `seq` that come before a place in the log."""
        ...

    async def seal(self, reason: str) -> None:
        """Make all processes fail to write (StoreUnavailable) from now on, across restarts. They can read.

        Any write that has returned is in the storage, and `log` returns it. `reason` is stored as the note `sealed`.
        """
        ...

    async def close(self) -> None:
        """Close everything. A second call does nothing."""
        ...
