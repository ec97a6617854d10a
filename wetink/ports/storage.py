"""Ports of storage: the parts of an engine. An engine is one package that opens a `Storage`.

Times are Unix milliseconds throughout. Every method may raise `StoreUnavailable`, unless its text rules it out.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol, TypeAlias

import msgspec

from wetink.core.app.app import Tally
from wetink.core.catalog.catalog import Change
from wetink.core.events.event import Entry, Event, Problem, Product, Verdict
from wetink.core.identity.holding import Contested
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.record import Record
from wetink.core.profile.summary import Summary
from wetink.core.signals.conversion import ConversionEvent
from wetink.ports.accounts import Accounts, ApiTokens, AuditLog
from wetink.ports.audiences import CrowdLog, Memberships
from wetink.ports.challenges import Challenges
from wetink.ports.content import ContentVersions, Drafts, UploadedFiles
from wetink.ports.inspection import Inspection
from wetink.ports.keys import Secrets, Senders, Sessions
from wetink.ports.ledger import Archive, Exposures, LastPictures, Ledger, Revision

TTL_SECONDS = 6.0
"""How long a lease outlives a killed holder by default, in seconds."""


class Lease(msgspec.Struct, frozen=True):
    """A lease that somebody holds. `holder` begins with the host and the process ID, and `until` is Unix ms."""

    name: str
    holder: str
    until: int


class Leases(Protocol):
    """Exclusive rights by name. A dead holder loses its lease after a while, a live one keeps it."""

    def hold(self, name: str, ttl: float = TTL_SECONDS, wait: float = 0.0) -> AbstractAsyncContextManager[None]:
        """Hold the lease `name` inside the context. It is renewed until the end and then released.

        Waits up to `wait` seconds for another holder, then raises Held. After `ttl` seconds without a renewal, as when
        the process was frozen, another may take it: then the task inside is cancelled and Held is raised. A thread that
        the task waits for is not stopped. Raises StoreUnavailable if the holder cannot be determined.
        """
        ...

    async def held(self) -> Sequence[Lease]:
        """Return the leases that are held now, by name. Raises StoreUnavailable."""
        ...


Cursor: TypeAlias = str
"""A position in the log. Only the engine that wrote a cursor can read it."""

ENTRIES, ENTRY_BYTES = 1_000, 1 << 20
"""Events of one person that an open reads, and their stored bytes: a page's key may write any number of events."""

NAMES = 1_000
"""Identifiers of one profile that are read at a time: a page's key may claim any number of them."""


class Received(msgspec.Struct, frozen=True):
    """A message in the live view. `seq` grows in the order of arrival, perhaps with gaps."""

    seq: int
    source: str
    message_id: str
    received: int
    verdict: Verdict
    problems: tuple[Problem, ...]
    type: str
    name: str
    filed: Identifier | None
    raw: bytes


class Profile(msgspec.Struct, frozen=True):
    """A current profile: its root, and the identifiers that lead to it."""

    root: Identifier
    identifiers: tuple[Identifier, ...]


class Loaded(msgspec.Struct, frozen=True, gc=False):
    """A profile at a moment, read in one snapshot. `revision` identifies that state.

    `entries` are the events that a fold needs, in no order: the newest `ENTRIES`, and beyond `ENTRY_BYTES` the newest
    of those. If a summary was requested and covers them all, `summary` replaces them.
    """

    root: Identifier
    revision: Revision
    entries: Sequence[Entry] = ()
    summary: Summary | None = None


class Inbox(Protocol):
    """Takes received messages in durably: a log, or a stream in front of it."""

    async def append(self, batch: Sequence[Record]) -> Sequence[bool]:
        """Write messages, events and claims in one transaction, on disk (fsync) on return.

        Returns for each record, in order, whether it is a duplicate: a message id already seen from its source is not
        written again, so callers may retry freely. Raises `StoreUnavailable` if nothing was written.
        """
        ...


class Log(Inbox, Protocol):
    """Stores received messages durably. Followers read them in the order of arrival."""

    async def messages(self, *, limit: int = 50, before: int | None = None, verdict: str = "") -> Sequence[Received]:
        """Return the newest messages with seq < `before`, the newest first."""
        ...

    async def cursor(self, received: int | None = None) -> Cursor:
        """Return the position before the messages received at or after `received` (Unix ms); None means the end."""
        ...

    async def read(self, after: Cursor, limit: int) -> tuple[Cursor, Sequence[Received]]:
        """Return the next messages of the log, oldest first, and the position after the last of them."""
        ...

    async def events(self, after: Cursor, names: Collection[str], limit: int) -> tuple[Cursor, Sequence[Event]] | None:
        """Return the usable product events with these names among the next `limit` messages.

        The cursor is the position after them, and `after` itself at the end of the log. None if a `renew` may have
        changed messages read earlier: start over.
        """
        ...

    async def renew(self, pairs: Sequence[tuple[Received, Record]], *, dry: bool = False) -> Sequence[bool]:
        """Replace the stored results of messages with new ones. Returns for each whether it differs.

        A record has the source and the message id of its message. One transaction; with `dry`, nothing is written.
        Raises StoreUnavailable: then nothing has changed.
        """
        ...


class Profiles(Protocol):
    """Assigns events to profiles. An engine is correct if it passes `tests/contracts/test_store.py`."""

    async def resolve(self, who: Identifier, at: int) -> Identifier:
        """Return the root identifier of the profile that owns `who` at `at`; `who` itself for a stranger."""
        ...

    async def profile(
        self, who: Identifier, at: int, *, limit: int | None = NAMES, after: Identifier | None = None
    ) -> Profile:
        """Return the profile that owns `who` at `at`, with the identifiers that lead to it then, strongest first.

        At most `limit` of them (None: all), those after `after`.
        """
        ...

    async def history(
        self, who: Identifier, until: int, limit: int = 1000, *, owner_at: int | None = None
    ) -> Sequence[Event]:
        """Return the newest `limit` events up to `until` of the profile that owns `who`, oldest first.

        The profile is the one that owns it at `owner_at`, by default at `until`.
        Every event whose `append` has returned is visible, in any process. Empty for a stranger.
        """
        ...

    async def load(
        self, known: Mapping[Identifier, Revision], at: int, *, rules: int | None = None, brief: bool = False
    ) -> Mapping[Identifier, Loaded]:
        """Return the profiles that own these identifiers at `at`, except those that still have the known revision.

        One call reads one snapshot, for any number of identifiers. Every event whose `append` has returned is visible,
        in any process. A stranger has a profile without events. With `rules`, a summary that `summarize` stored under
        these rules replaces the events; with `brief`, it comes without its history, which is larger than the rest.
        """
        ...

    async def profiles(self, *, limit: int = 50, search: str = "") -> Sequence[Profile]:
        """Return profiles, newest messages first. `search` matches the start of an identifier's value."""
        ...

    async def contested(self, since: int, limit: int = 20) -> Sequence[Contested]:
        """Return identifiers with suspiciously many claimers since `since` (Unix ms), the newest first."""
        ...

    async def summarize(self, make: Callable[[Sequence[Entry]], Summary], rules: int, now: int, limit: int) -> bool:
        """Read up to `limit` more messages of the log and store the summaries that `make` returns for their profiles.

        Only profiles with many events that have been quiet for a while before `now` (Unix ms) are summarized, since the
        next click of an active person would outdate a summary. A summary belongs to one revision, and `load` returns it
        only for that one. `rules` (64 bits) identifies the version of `make`: with a new one, all summaries start over.
        Returns whether there is more. Raises StoreUnavailable.
        """
        ...


KEPT_IMPORTS = 20
"""Imports of files whose state is kept."""


class Catalog(Protocol):
    """Stores product data from trusted events and imports."""

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        """Return the catalog's products by key, as learned from trusted events. Unknown keys are left out."""
        ...

    async def learn(self, products: Sequence[Product], at: int) -> None:
        """Store product data from a catalog as of `at` (Unix ms), as a trusted event would."""
        ...

    async def imported(self, feed: str) -> str:
        """Return the last imported version of a catalog feed; empty for none."""
        ...

    async def note_import(self, feed: str, version: str) -> None:
        """Store the imported version of a catalog feed. Raises StoreUnavailable."""
        ...

    async def keep_progress(self, id_: str, state: bytes, at: int) -> None:
        """Store how far the import of a file is at `at` (Unix ms). The newest `KEPT_IMPORTS` imports stay."""
        ...

    async def progress(self) -> Sequence[tuple[str, int, bytes]]:
        """Return the state of each import with its ID and when it was stored, the newest import first."""
        ...

    async def keys(self, after: str, limit: int) -> Sequence[str]:
        """Return the next product keys of the catalog after a key, in order."""
        ...

    async def changes(self, keys: Sequence[str]) -> Mapping[str, Sequence[Change]]:
        """Return the changes in price and stock by product, oldest first. Products without changes are left out."""
        ...

    async def search(self, text: str, limit: int = 24) -> Sequence[Product]:
        """Return the products that have all words of `text`, or words that begin so, the best match first."""
        ...


class Projections(Protocol):
    """Updates the data derived from the log: the catalog and conversions."""

    async def settle(self) -> bool:
        """Update the projections for a while. Returns whether there may be more.

        `search` and `outcomes` call it first, and other reads include the rest of the log, so a lag shows only after a
        large import. Any process may call it. Raises StoreUnavailable.
        """
        ...

    async def behind(self) -> Mapping[str, int]:
        """Return the number of messages that each projection lags behind the log, by name."""
        ...

    async def rebuild(self, projection: str, progress: Callable[[int], object] = lambda left: None) -> None:
        """Derive a projection again from the beginning of the log. `progress` gets the number of messages left.

        Reads see the old catalog until the new one replaces it. Raises NotFound and StoreUnavailable.
        """
        ...


class Polls(Protocol):
    """Stores votes."""

    async def vote(self, poll: str, voter: Identifier, option: int, at: int) -> None:
        """Store a vote, durably. It replaces the voter's earlier vote in this poll. Raises StoreUnavailable."""
        ...

    async def tally(self, poll: str, voter: Identifier | None) -> Tally:
        """Return a poll's votes by option, and this voter's own vote."""
        ...


MINUTE, HOUR, DAY = (60_000, 3_600_000, 86_400_000)
"""Milliseconds of the spans (UTC) that conversions have revisions for."""


CACHED_MS = 60 * DAY
"""How long the store keeps sums of reports: those of a goal that is gone need no other end."""


class Conversions(Protocol):
    """Finds orders and other conversions."""

    def outcomes(self, names: Collection[str], since: int, until: int) -> AsyncIterator[Sequence[ConversionEvent]]:
        """Yield the usable events with these names in [since, until) with their current owners, in unordered batches.

        Events with the same names and order ids from any other time are included. All events of one order id are in one
        batch; a batch has up to a few hundred ids, whatever the span. Messages from before the first request for a name
        are found as well, with some delay the first time.
        """
        ...

    async def revisions(self, names: Collection[str], since: int, until: int, width: int) -> Mapping[int, Revision]:
        """Return the days, hours or minutes that overlap [since, until), by their first Unix ms, with their revisions.

        `width` is MINUTE, HOUR or DAY. While a span's revision is the same, `outcomes` yields the same for it: events,
        owners and members. Spans that never had an event are left out. Like `outcomes`, it finds all messages of
        these names that were received before.
        """
        ...


class ReportCache(Protocol):
    """Sums of reports that were made before. Any of them may be gone."""

    async def get(self, key: bytes, starts: Sequence[int]) -> Mapping[int, bytes]:
        """Return the sums of a key for the periods that begin at `starts` (Unix ms), by start."""
        ...

    async def put(self, key: bytes, start: int, body: bytes, at: int) -> None:
        """Store the sums of a key for the period that begins at `start`, in place of earlier ones.

        `at` is now (Unix ms). Sums that were stored more than `CACHED_MS` ago are deleted.
        """
        ...


class Storage(msgspec.Struct, frozen=True):
    """All data of one wetink in one engine, shared by every process that opens the same address.

    `start` opens all parts that otherwise open on first use, and prepares writing in the running event loop, so that a
    server learns at once about a failure (StoreUnavailable). `writable` returns if a message could be stored now, and
    raises StoreUnavailable if not; it changes nothing, so readers keep what they remember. `lost` returns the writes
    that this process gave up after waiting too long; `ended` returns the names of background threads that have stopped.
    `close` writes pending data and closes everything; a second call does nothing.
    """

    log: Log
    profiles: Profiles
    catalog: Catalog
    sources: Senders
    polls: Polls
    conversions: Conversions
    report_cache: ReportCache
    projections: Projections
    ledger: Ledger
    archive: Archive
    exposures: Exposures
    memberships: Memberships
    pictures: LastPictures
    sessions: Sessions
    challenges: Challenges
    accounts: Accounts
    api_tokens: ApiTokens
    audit_log: AuditLog
    leases: Leases
    content: ContentVersions
    drafts: Drafts
    uploads: UploadedFiles
    secrets: Secrets
    inspection: Inspection
    crowd: Callable[[], AbstractContextManager[CrowdLog]]
    start: Callable[[], Awaitable[None]]
    writable: Callable[[], Awaitable[None]]
    lost: Callable[[], Mapping[str, int]]
    ended: Callable[[], Sequence[str]]
    close: Callable[[], Awaitable[None]]
