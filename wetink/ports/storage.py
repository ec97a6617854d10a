"""The seam of storage: all that an engine keeps, part by part. An engine is one package that opens a `Storage`.

Times are Unix milliseconds throughout. Every method may raise `StoreUnavailable`; its text says when it may not.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol, TypeAlias

import msgspec

from wetink.core.app.app import Tally
from wetink.core.catalog.catalog import Change
from wetink.core.events.event import Entry, Event, Problem, Product, Verdict
from wetink.core.identity.holding import Claim, Contested
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.conversion import ConversionEvent
from wetink.ports.audiences import CrowdLog, Memberships
from wetink.ports.content import ContentVersions, UploadedFiles
from wetink.ports.keys import Secrets, Senders, Sessions
from wetink.ports.ledger import Archive, Exposures, LastPictures, Ledger

TTL_SECONDS = 15.0
"""How long a lease outlives a holder that was killed, unless its user says otherwise."""


class Leases(Protocol):
    """Exclusive rights by name. A holder that dies loses its lease after a while, one that lives keeps it."""

    def hold(self, name: str, ttl: float = TTL_SECONDS, wait: float = 0.0) -> AbstractAsyncContextManager[None]:
        """Hold the lease `name` inside; it is renewed until then, and released at the end.

        Waits up to `wait` seconds for another holder, then raises Held. After `ttl` seconds without a renewal, as when
        the process was frozen, another may take it: then the task inside is cancelled and Held is raised. A thread
        that the task waits for is not stopped. Raises StoreUnavailable when nobody can know who holds it.
        """
        ...


Cursor: TypeAlias = str
"""A place in the log. Only the engine that wrote a cursor can read it."""

Revision: TypeAlias = str
"""Names one state of one profile: its root and its events. Equal revisions, equal profiles; empty names none. Only the
engine that gave a revision can read it."""

ENTRIES, ENTRY_BYTES = 1_000, 1 << 20
"""Events, and bytes of them as they are stored, that an open reads of one person: a page's key may write as many as it
likes."""

NAMES = 1_000
"""Identifiers of one profile that are read at a time: a page's key may claim as many for somebody as it likes."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One message as `ingest` hands it to the log, with everything derived from it.

    `sent_at_key` is the client's own timestamp (0 when it gave none): a retry carries the same one, which is how a
    duplicate finds itself. `filed` is None for a parked message, and so is `event`.
    """

    source: str
    message_id: str
    received: int
    sent_at_key: int
    raw: bytes
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    filed: Identifier | None = None
    event: Event | None = None
    claims: tuple[Claim, ...] = ()
    joins: tuple[Identifier, Identifier] | None = None


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What became of one record."""

    message_id: str
    duplicate: bool = False


class Received(msgspec.Struct, frozen=True):
    """A message as the live view shows it. `seq` grows in the order of arrival, perhaps with gaps."""

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
    """Who somebody is now: the identifiers that lead to this profile. `root` names it."""

    root: Identifier
    identifiers: tuple[Identifier, ...]


class Loaded(msgspec.Struct, frozen=True, gc=False):
    """A profile as it is at a moment, read in one snapshot. `revision` names what was read: see `Revision`.

    `entries` are its events in no order, as far as a fold needs all of them: the newest `ENTRIES`, and of more than
    `ENTRY_BYTES` the newest of those. `summary` stands in their place if one was asked for and is kept of all of them.
    """

    root: Identifier
    revision: Revision
    entries: Sequence[Entry] = ()
    summary: bytes | None = None


class Log(Protocol):
    """Takes what was received and does not lose it; whoever follows it reads it in the order of arrival."""

    async def append(self, batch: Sequence[Record]) -> Sequence[Receipt]:
        """Write messages, events and claims in one transaction; on disk (fsync) on return.

        One receipt per record, in order. A message id already seen from its source is not written again and its
        receipt says `duplicate`, so callers may retry freely. Raises `StoreUnavailable` if nothing was written.
        """
        ...

    async def messages(self, *, limit: int = 50, before: int | None = None, verdict: str = "") -> Sequence[Received]:
        """Return the newest messages with seq < `before` first."""
        ...

    async def cursor(self, received: int | None = None) -> Cursor:
        """Return the place after which all messages were received at or after `received` (Unix ms); None: the end."""
        ...

    async def read(self, after: Cursor, limit: int) -> tuple[Cursor, Sequence[Received]]:
        """Return the next messages of the log, oldest first, and the place after the last of them."""
        ...

    async def events(self, after: Cursor, names: Collection[str], limit: int) -> tuple[Cursor, Sequence[Event]] | None:
        """Return the usable events by these names, of products, among the next `limit` messages; and the place after.

        At the end of the log that place is `after` itself. None when a `renew` may have changed what was read before:
        begin anew.
        """
        ...

    async def renew(self, pairs: Sequence[tuple[Received, Record]], *, dry: bool = False) -> Sequence[bool]:
        """Put what messages come to now in the place of what they came to before; return for each whether it differs.

        A record has the source and the message id of the message it is of. One transaction; with `dry` nothing is
        written. Raises StoreUnavailable: then nothing has changed.
        """
        ...


class Profiles(Protocol):
    """Knows whose events are whose. Right when `tests/contracts/test_store.py` passes on it."""

    async def resolve(self, who: Identifier, at: int) -> Identifier:
        """Return the root identifier of the profile that `who` means at `at`; `who` itself for a stranger."""
        ...

    async def profile(
        self, who: Identifier, at: int, *, limit: int | None = NAMES, after: Identifier | None = None
    ) -> Profile:
        """Return the profile that `who` means at `at`, with the identifiers that lead to it then, strongest first.

        At most `limit` of them (None: all), those that come behind `after`.
        """
        ...

    async def history(self, who: Identifier, until: int, limit: int = 1000) -> Sequence[Event]:
        """Return the newest `limit` events up to `until` of whoever `who` means at `until`, oldest first.

        Sees every event whose `append` has returned, in any process. Empty for a stranger.
        """
        ...

    async def load(
        self, known: Mapping[Identifier, Revision], at: int, *, rules: int | None = None
    ) -> Mapping[Identifier, Loaded]:
        """Return the profiles that these identifiers mean at `at`, but those that still have the revision you know.

        One call reads one snapshot, however many are asked for. Sees every event whose `append` has returned, in any
        process. A stranger has a profile without events. With `rules` you get the summary that `summarize` kept by
        these rules instead of the events, where there is one.
        """
        ...

    async def profiles(self, *, limit: int = 50, search: str = "") -> Sequence[Profile]:
        """Return profiles, the newest messages' first; `search` matches the start of an identifier's value."""
        ...

    async def contested(self, since: int, limit: int = 20) -> Sequence[Contested]:
        """Return what oddly many have claimed since `since` (Unix ms), the newest first."""
        ...

    async def summarize(self, make: Callable[[Sequence[Entry]], bytes], rules: int, now: int, limit: int) -> bool:
        """Go on in the log by up to `limit` messages and keep what `make` makes of the entries of those they are of.

        Of those who have many, and have been quiet for a while before `now` (Unix ms): what somebody does right now
        would be out of date with their next click. What is kept belongs to one revision: `load` gives it for that
        revision alone. `rules` (64 bits) tells `make` from what made others before: with new ones all begins anew.
        Return whether there is more. Raises StoreUnavailable.
        """
        ...


class Catalog(Protocol):
    """Keeps what trusted events and imports tell of products."""

    async def products(self, keys: Sequence[str]) -> Mapping[str, Product]:
        """Return the catalog's facts by product key, as learnt from trusted events; unknown ones are left out."""
        ...

    async def learn(self, products: Sequence[Product], at: int) -> None:
        """Take in what a catalog says of products at `at` (Unix ms), as a trusted event would."""
        ...

    async def imported(self, feed: str) -> str:
        """Return which version of a catalog feed was imported last, empty for none."""
        ...

    async def note_import(self, feed: str, version: str) -> None:
        """Note which version of a catalog feed was imported. Raises StoreUnavailable."""
        ...

    async def keys(self, after: str, limit: int) -> Sequence[str]:
        """Return the keys of the next products of the catalog after a key, in their order."""
        ...

    async def changes(self, keys: Sequence[str]) -> Mapping[str, Sequence[Change]]:
        """Return how price and stock of these products changed, oldest first; without those that never did."""
        ...

    async def search(self, text: str, limit: int = 24) -> Sequence[Product]:
        """Return the products whose name, brand or category have all words of `text` or begin so, the best first."""
        ...


class Projections(Protocol):
    """Carries what is derived from the log forward: the catalog and conversions."""

    async def settle(self) -> bool:
        """Carry the projections forward for a while; return whether there may be more.

        A search and `outcomes` do so first, and other reads see what is in the log all the same, so nobody sees the
        difference but after a large import. Any process may do it. Raises StoreUnavailable.
        """
        ...

    async def behind(self) -> Mapping[str, int]:
        """Return by how many messages each projection is behind the log, by its name."""
        ...

    async def rebuild(self, projection: str, told: Callable[[int], object] = lambda left: None) -> None:
        """Derive a projection anew from the beginning of the log. `told` hears how many messages are left.

        Reads see the catalog as it was until the new one takes its place. Raises NotFound and StoreUnavailable.
        """
        ...


class Polls(Protocol):
    """Counts votes."""

    async def vote(self, poll: str, voter: Identifier, option: int, at: int) -> None:
        """Keep a vote, durably, in place of the one this voter gave in this poll before. Raises StoreUnavailable."""
        ...

    async def tally(self, poll: str, voter: Identifier | None) -> Tally:
        """Return how a poll stands, with this voter's own vote."""
        ...


class Conversions(Protocol):
    """Finds orders and whatever else counts as a conversion."""

    def outcomes(self, names: Collection[str], since: int, until: int) -> AsyncIterator[Sequence[ConversionEvent]]:
        """Yield the usable events of these names in [since, until) by whoever owns them now, in no order.

        With whatever else is ever told under the same names of the same order ids, at any time; all events of one order
        id are in one batch. A batch holds at most a few hundred ids, whatever the span holds. What was received before
        anybody asked for a name is found, too, if with some delay the first time.
        """
        ...


class Storage(msgspec.Struct, frozen=True):
    """Everything one engine keeps for one wetink, shared by every process that opens the same address.

    `start` opens at once all that is opened when it is first used, and gets ready to write in the running event loop:
    so a server learns what cannot be opened (StoreUnavailable). `lost` says what this process could not write for too
    long and keeps no more; `ended` names what should work in the background and ended by itself. `close` writes what
    waits and lets go of everything; calling it twice is fine.
    """

    log: Log
    profiles: Profiles
    catalog: Catalog
    sources: Senders
    polls: Polls
    conversions: Conversions
    projections: Projections
    ledger: Ledger
    archive: Archive
    exposures: Exposures
    memberships: Memberships
    pictures: LastPictures
    sessions: Sessions
    leases: Leases
    content: ContentVersions
    uploads: UploadedFiles
    secrets: Secrets
    crowd: Callable[[], AbstractContextManager[CrowdLog]]
    start: Callable[[], Awaitable[None]]
    lost: Callable[[], Mapping[str, int]]
    ended: Callable[[], Sequence[str]]
    close: Callable[[], Awaitable[None]]
