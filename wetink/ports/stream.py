"""Port of the stream: a replicated buffer in front of the store, for writes that must not wait for it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

Topic = Literal["messages", "opens"]
"""What a stream message holds: received messages, or opens, clicks, deliveries and decisions."""
TOPICS: tuple[Topic, ...] = ("messages", "opens")


class Delivery(msgspec.Struct, frozen=True, eq=False):
    """A stream message on its way to the store. `tries` counts its deliveries, this one included.

    Every delivery of it has the same `id`, and `at`, when it was published (Unix ms).
    """

    body: bytes
    tries: int
    id: str
    at: int
    handle: Any
    """The stream's own name for it."""


class Backlog(msgspec.Struct, frozen=True):
    """The number of stream messages of a topic and partition that are not stored yet.

    `redelivered` is the number of those that were delivered more than once.
    """

    topic: Topic
    partition: int
    waiting: int
    redelivered: int


class StreamState(msgspec.Struct, frozen=True):
    """What waits in a stream. `oldest` is the time when the oldest waiting message of a topic was published (Unix ms).

    `aside` is the number of stream messages that were set aside.
    """

    backlogs: tuple[Backlog, ...]
    oldest: Mapping[Topic, int]
    aside: int

    @property
    def waiting(self) -> int:
        """The number of stream messages that are not stored yet."""
        return sum(each.waiting for each in self.backlogs)


class Bucket(Protocol):
    """Keeps values in the memory of a majority of servers for a while. All processes share it.

    If a majority of the servers restarts at the same time, all values are lost.
    """

    async def get(self, key: str) -> tuple[bytes, int] | None:
        """Return a value and its revision; None without one. Raises StoreUnavailable."""
        ...

    async def put(self, key: str, value: bytes, revision: int) -> int | None:
        """Store a value in place of the one with this revision; 0: of none. Returns its revision.

        Returns None if the key has another revision. Raises StoreUnavailable: it may be stored nevertheless.
        """
        ...


class Stream(Protocol):
    """Keeps what was published on a quorum of disks until it is stored. All processes share it.

    What has the same topic and partition is delivered in the order of publishing, and at least once.
    """

    partitions: int
    bucket: Bucket

    async def publish(self, topic: Topic, partition: int, body: bytes, id_: str = "") -> None:
        """Publish a stream message of at most `most_bytes`. It is on a quorum of disks (fsync) on return.

        Its deliveries have this ID, or a random one. Raises StoreUnavailable: it may be in the stream nevertheless, so
        what is in it must be safe to store twice.
        """
        ...

    @property
    def most_bytes(self) -> int:
        """The largest body that the stream takes, in bytes."""
        ...

    async def fetch(self, topic: Topic, partition: int, wait: float) -> Sequence[Delivery]:
        """Return the next stream messages in order, after at most `wait` seconds; none if none has come by then.

        One process at a time should fetch from a partition. Raises StoreUnavailable.
        """
        ...

    async def done(self, deliveries: Sequence[Delivery]) -> None:
        """Remove stream messages whose content is stored."""
        ...

    async def hold(self, deliveries: Sequence[Delivery]) -> None:
        """Keep stream messages that cannot be stored yet from being delivered again, for a few seconds."""
        ...

    async def rewind(self, topic: Topic, partition: int) -> None:
        """Let the next `fetch` begin with the oldest stream message that is not stored, whoever has fetched it before.

        Raises StoreUnavailable.
        """
        ...

    async def set_aside(self, delivery: Delivery, topic: Topic, why: str) -> None:
        """Keep a stream message that can never be stored, with the reason, where nobody fetches it from."""
        ...

    async def oldest(self, topic: Topic) -> int | None:
        """Return when the oldest stream message was published that is not stored yet (Unix ms); None without one.

        Raises StoreUnavailable.
        """
        ...

    async def state(self) -> StreamState:
        """Return what waits in the stream. Raises StoreUnavailable."""
        ...

    def warnings(self) -> Sequence[str]:
        """Return what the stream's set-up can lose, each with the remedy."""
        ...

    async def start(self) -> None:
        """Connect, and create the stream if it is missing. Raises StoreUnavailable, BadSettings."""
        ...

    async def close(self) -> None:
        """Close the connection. A second call does nothing."""
        ...
