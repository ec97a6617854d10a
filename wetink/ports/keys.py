"""Ports of keys: senders with their trust and limits, dashboard sessions, and secrets."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from wetink.core.events.event import Level
from wetink.core.identity.user_hash import VALID, IdentityVerification

Orders = Literal["count", "wait"]
"""A page's order counts by itself, or waits for a server's order with the same id."""


class Source(msgspec.Struct, frozen=True):
    """A sender: its name, its trust level, and the allowed hosts of its links and pictures (empty: any public host).

    `secrets` prove user ids, the newest first; with `verify`, nobody is identified without such a proof. `per_second`
    is the average limit of events (0: none), `burst` the number allowed at once. Times are Unix ms, 0 for never:
    `rotated` is when the key got a successor, `old_used` when the old key was last used since.
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
        """The check of user ids from this source; None for a server, which is trusted without proof."""
        return IdentityVerification(self.secrets[:VALID], required=self.verify) if self.level == "browser" else None

    def __repr__(self) -> str:
        """Leave the secrets out."""
        return f"Source({self.name!r}, {self.level!r})"

    def without_secrets(self) -> dict[str, Any]:
        """Return all fields except the secrets."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if name != "secrets"}


class NewKey(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A new key, which is shown once: the store has only hashes of write key and secret.

    `identity_secret` proves a page's user ids. The store has to keep it, but nothing shows it again.
    """

    write_key: str
    access_key: str
    secret: str
    path: str
    identity_secret: str = ""


class Senders(Protocol):
    """Stores sources. A change takes effect in every process within two seconds."""

    async def create_key(self, name: str, level: Level, hosts: Sequence[str], now: int) -> NewKey:
        """Create a source with its write key, access key and secret. Raises BadSettings if the name is taken."""
        ...

    async def rotate_key(self, name: str, now: int) -> NewKey:
        """Give a source new keys. The current ones stay valid, older ones do not. Raises NotFound."""
        ...

    async def retire_key(self, name: str) -> None:
        """End the old keys of a source with new ones. Raises NotFound, and BadSettings if there are none."""
        ...

    async def renew_secret(self, name: str) -> str:
        """Give a source a new secret for user ids. The previous one stays valid. Raises NotFound."""
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
        hosts: Sequence[str] | None = None,
    ) -> Source:
        """Change the given fields of a source, and return it. Raises NotFound, BadSettings."""
        ...

    async def rename_source(self, name: str, new: str) -> None:
        """Give a source another name. Its earlier messages keep the old one. Raises NotFound, BadSettings."""
        ...

    async def delete_source(self, name: str) -> None:
        """Remove a source with its keys. Its messages stay. Raises NotFound."""
        ...

    async def old_key_used(self, name: str, now: int) -> None:
        """Note that the old key of a source was used at `now` (Unix ms)."""
        ...

    async def source_of_write_key(self, key: str) -> Source | None:
        """Return the source of a write key; None if the key is certainly unknown or its source is disabled."""
        ...

    async def is_old_key(self, key: str) -> bool:
        """Return whether this write key or secret has a successor."""
        ...

    async def source_of_access_key(self, path_key: str, access_key: str, secret: str) -> Source | None:
        """Return the source of a `/behavioral/{path_key}` and its Basic pair; None as for `source_of_write_key`."""
        ...

    async def knows_path(self, path_key: str) -> bool:
        """Return whether a source has `/behavioral/{path_key}`."""
        ...

    async def all(self) -> Sequence[Source]:
        """Return all sources by name."""
        ...


HOUR_MS = 3_600_000
IDLE_MS, LONGEST_MS = 48 * HOUR_MS, 14 * 24 * HOUR_MS
"""A session ends after this long without use, and at the latest this long after login."""
NOTED_MS = 60_000
"""The age of a session's last recorded use, in milliseconds, after which a new use is written."""

FREE_TRIES = 5
"""Failed logins of an address that cost no wait."""

LONGEST_WAIT_MS = 60_000
FORGOTTEN_MS = HOUR_MS
"""Time without a login attempt after which an address starts over."""

MOST_ADDRESSES = 50_000
"""Addresses with recorded attempts. Beyond that, those with the oldest attempts are deleted."""


def wait_of(failures: int) -> int:
    """Return the wait of an address in milliseconds after so many failed logins.

    >>> wait_of(5), wait_of(6), wait_of(8), wait_of(99)
    (0, 1000, 4000, 60000)
    """
    return min(1_000 << min(failures - FREE_TRIES - 1, 16), LONGEST_WAIT_MS) if failures > FREE_TRIES else 0


def wait_left(failures: int, at: int, now: int) -> int:
    """Return the rest of an address's wait in milliseconds at `now` after failed logins, the last of them at `at`.

    A clock that was set back blocks nobody.

    >>> wait_left(8, 1_000, 2_500), wait_left(8, 1_000, 5_000), wait_left(8, 1_000, 0)
    (2500, 0, 0)
    """
    wait = at + wait_of(failures) - now
    return wait if 0 < wait <= wait_of(failures) else 0


class Session(msgspec.Struct, frozen=True):
    """A session of the dashboard. `id` is its stored form, in hexadecimal; `account` is empty for the server's token.

    `address` and `device` say where it began. `proved` is when its holder last proved who they are.
    """

    id: str
    account: str = ""
    began: int = 0
    used: int = 0
    address: str = ""
    device: str = ""
    proved: int = 0

    def lasts(self, now: int) -> bool:
        """Return whether it is valid at `now`."""
        return now - self.used < IDLE_MS and now - self.began < LONGEST_MS


class Sessions(Protocol):
    """Sessions of the dashboard. Times are Unix ms. The stored form of a session does not open the dashboard."""

    async def begin(
        self,
        token: str,
        now: int,
        *,
        account: str = "",
        address: str = "",
        device: str = "",
    ) -> str:
        """Return the secret ID of a new session. It ends when the server's `token` changes. Raises StoreUnavailable."""
        ...

    async def find(self, session: str, token: str, now: int) -> Session | None:
        """Return a valid session that began with this `token`, and note its use. Raises StoreUnavailable."""
        ...

    async def of(self, account: str, now: int) -> Sequence[Session]:
        """Return the valid sessions of an account, the last used first. Raises StoreUnavailable."""
        ...

    async def prove(self, session: str, now: int) -> None:
        """Note that a session's holder has proved who they are. Raises StoreUnavailable."""
        ...

    async def end(self, session: str) -> None:
        """End a session, in every process. Raises StoreUnavailable."""
        ...

    async def end_of(self, account: str, *, only: str = "", but: str = "") -> None:
        """End sessions of an account: the one with the stored ID `only`, or all `but` one. Raises StoreUnavailable."""
        ...

    async def tried(self, address: str) -> bool:
        """Return whether login attempts of an address are on record. Raises StoreUnavailable."""
        ...

    async def try_from(self, address: str, now: int) -> int:
        """Count a login attempt of an address before its check. Returns the wait in ms; 0 means it may try.

        An attempt that must wait is not counted. Raises StoreUnavailable.
        """
        ...

    async def forgive(self, address: str) -> None:
        """Forget the attempts of an address after a success. Raises StoreUnavailable."""
        ...


class Secrets(Protocol):
    """Stores secrets by name, readable by the store's owner alone."""

    async def all(self) -> Mapping[str, str]:
        """Return all secrets by name. Cheap: every process calls it each second. Raises StoreUnavailable."""
        ...

    async def keep(self, name: str, value: str) -> None:
        """Store a secret unless the name has one. On disk (fsync) on return. Raises StoreUnavailable."""
        ...

    async def replace(self, name: str, known: str, value: str) -> None:
        """Replace the `known` value of a secret. On disk (fsync) on return.

        Raises Conflict if the stored value differs, and StoreUnavailable. Then nothing has changed.
        """
        ...

    async def close(self) -> None:
        """Close everything. A second call does nothing."""
        ...
