"""The seam of keys: who may send, how far they are believed, how much they may send; who is signed in; and secrets."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from wetink.core.events.event import Level
from wetink.core.identity.user_hash import VALID, IdentityVerification

Orders = Literal["count", "wait"]
"""What a page's order is worth by itself: it counts, or waits for a server's order of the same id."""


class Source(msgspec.Struct, frozen=True):
    """A sender: its name, how far it is trusted, and the hosts its links and pictures may name (empty: any public).

    `secrets` prove user ids, the newest first; `verify` says that nobody is identified without such a proof.
    `per_second` events are taken on average (0: any number), `burst` of them at once. Times are Unix ms, 0 for never:
    `rotated` is when the key got a successor while it stays valid itself, `old_used` when it was last used since.
    """

    name: str
    level: Level
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    verify: bool = False
    orders: Orders = "count"
    per_second: float = 0.0
    burst: int = 0
    disabled: bool = False
    created: int = 0
    rotated: int = 0
    old_used: int = 0

    @property
    def verification(self) -> IdentityVerification | None:
        """How this source proves user ids; None for a server's, which is believed as it is."""
        return IdentityVerification(self.secrets[:VALID], required=self.verify) if self.level == "browser" else None

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Source({self.name!r}, {self.level!r})"

    def told(self) -> dict[str, Any]:
        """Return what may be shown of it: all but the secrets."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if name != "secrets"}


class NewKey(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What `keys create` and `keys rotate` show once: only hashes of the write key and the secret are kept.

    `identity_secret` proves a page's user ids; it is kept, and `keys secret` shows it again.
    """

    write_key: str
    access_key: str
    secret: str
    path: str
    identity_secret: str = ""


class Senders(Protocol):
    """Keeps sources. What changes holds in every process within a second or two."""

    async def create_key(self, name: str, level: Level, hosts: Sequence[str], now: int) -> NewKey:
        """Make a source with its write key, access key and secret. Raises BadSettings when the name is taken."""
        ...

    async def rotate_key(self, name: str, now: int) -> NewKey:
        """Give a source new keys; those of now stay valid, and those before them do not. Raises NotFound."""
        ...

    async def retire_key(self, name: str) -> None:
        """End the old keys of a source that got new ones. Raises NotFound, BadSettings when there are none."""
        ...

    async def renew_secret(self, name: str) -> str:
        """Give a source a new secret to prove user ids with; the one before stays valid, too. Raises NotFound."""
        ...

    async def set_source(
        self,
        name: str,
        *,
        disabled: bool | None = None,
        verify: bool | None = None,
        orders: Orders | None = None,
        per_second: float | None = None,
        burst: int | None = None,
    ) -> Source:
        """Change what is given of a source, and return it. Raises NotFound, BadSettings."""
        ...

    async def delete_source(self, name: str) -> None:
        """Remove a source with its keys. What it sent stays. Raises NotFound."""
        ...

    async def old_key_used(self, name: str, now: int) -> None:
        """Note that the old key of a source was used at `now` (Unix ms)."""
        ...

    async def source_of_write_key(self, key: str) -> Source | None:
        """Return whose write key this is, None when it is certainly nobody's, or of a disabled source."""
        ...

    async def is_old_key(self, key: str) -> bool:
        """Return whether this write key, or secret, is one that has a successor."""
        ...

    async def source_of_access_key(self, path_key: str, access_key: str, secret: str) -> Source | None:
        """Return whose `/behavioral/{path_key}` and Basic pair this is, None as for `source_of_write_key`."""
        ...

    async def knows_path(self, path_key: str) -> bool:
        """Return whether `/behavioral/{path_key}` is anybody's."""
        ...

    async def all(self) -> Sequence[Source]:
        """Return all sources by name."""
        ...


HOUR_MS = 3_600_000
IDLE_MS, LONGEST_MS = 48 * HOUR_MS, 14 * 24 * HOUR_MS
"""A session ends when nobody uses it for this long, and at the latest this long after log-in."""

FREE_TRIES = 5
"""Failed tries of an address that cost no time."""

LONGEST_WAIT_MS = 60_000
FORGOTTEN_MS = HOUR_MS
"""An address that has not tried for this long begins afresh."""


def wait_of(failures: int) -> int:
    """Return for how many milliseconds an address must wait after so many failed tries.

    >>> wait_of(5), wait_of(6), wait_of(8), wait_of(99)
    (0, 1000, 4000, 60000)
    """
    return min(1_000 << min(failures - FREE_TRIES - 1, 16), LONGEST_WAIT_MS) if failures > FREE_TRIES else 0


class Sessions(Protocol):
    """Sessions of the dashboard. Times are Unix ms. What is kept of a session does not open the dashboard."""

    async def begin(self, door: str, now: int) -> str:
        """Return the id of a new session behind a log-in with `door`. Raises StoreUnavailable."""
        ...

    async def holds(self, session: str, door: str, now: int) -> bool:
        """Whether a session lasts that began with this very `door`; notes that it is used. Raises StoreUnavailable."""
        ...

    async def end(self, session: str) -> None:
        """End a session, in every process. Raises StoreUnavailable."""
        ...

    async def tried(self, address: str) -> bool:
        """Whether tries of an address are remembered. Raises StoreUnavailable."""
        ...

    async def try_from(self, address: str, now: int) -> int:
        """Count a try of an address before it is looked at; return how long (ms) it must wait, 0: it may try.

        A try that must wait is not counted. Raises StoreUnavailable.
        """
        ...

    async def forgive(self, address: str) -> None:
        """Forget the tries of an address: it has succeeded. Raises StoreUnavailable."""
        ...


class Secrets(Protocol):
    """Keeps secrets by name, readable by the store's owner alone."""

    async def all(self) -> Mapping[str, str]:
        """Return all of them. Cheap: every process asks each second. Raises StoreUnavailable."""
        ...

    async def keep(self, name: str, value: str) -> None:
        """Keep a secret unless there is one of this name; on disk (fsync) on return. Raises StoreUnavailable."""
        ...

    async def replace(self, name: str, known: str, value: str) -> None:
        """Put a secret in the place of the `known` one; on disk (fsync) on return.

        Raises Conflict if another is kept by now, StoreUnavailable: then nothing has changed.
        """
        ...

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...
