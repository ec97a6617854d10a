"""The seam of keys: who may send, how far they are believed, and how much they may send."""

from collections.abc import Sequence
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
