"""Bucket: `ports.stream.Bucket` as a JetStream stream in memory, with the last message of each subject.

Writes carry the revision that they replace, and the leader checks it. Reads ask the leader as well: another server may
be a little behind.
"""

import base64
import json
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import APIError

from wetink.core.errors import StoreUnavailable

SECONDS = 2.0
"""How long one request may take, in seconds. Callers have shorter limits."""
KEPT_SECONDS, KEPT_BYTES = 900, 256 << 20
"""How long a value is kept, in seconds, and how many bytes of all values; the oldest go first."""
FASTER, MISSING = (10071, 10164), 10037
"""The servers' codes for a value that another has replaced (or is just replacing), and for none."""


def config(name: str, replicas: int) -> StreamConfig:
    """Return how the bucket of this name is made."""
    return StreamConfig(
        name=name,
        subjects=[f"{name}.*"],
        storage=StorageType.MEMORY,
        num_replicas=replicas,
        max_msgs_per_subject=1,
        max_age=KEPT_SECONDS,
        max_bytes=KEPT_BYTES,
        discard=DiscardPolicy.OLD,
        duplicate_window=1,
    )


class JetStreamBucket:
    """`ports.stream.Bucket` over a stream called `name`."""

    def __init__(self, name: str, connected: Callable[[], Awaitable[tuple[Client, JetStreamContext]]]) -> None:
        """Use the connection that `connected` returns, which raises StoreUnavailable."""
        self._name, self._connected = name, connected

    async def get(self, key: str) -> tuple[bytes, int] | None:
        found = await self._asked(f"$JS.API.STREAM.MSG.GET.{self._name}", {"last_by_subj": self._subject(key)})
        if found is None:
            return None
        return base64.b64decode(found["message"].get("data", "")), found["message"]["seq"]

    async def put(self, key: str, value: bytes, revision: int) -> int | None:
        _, context = await self._connected()
        headers = {"Nats-Expected-Last-Subject-Sequence": str(revision)}
        try:
            return (await context.publish(self._subject(key), value, timeout=SECONDS, headers=headers)).seq
        except APIError as error:
            if error.err_code in FASTER:
                return None
            raise _unavailable(error) from error
        except (NatsError, OSError, TimeoutError) as error:
            raise _unavailable(error) from error

    async def _asked(self, subject: str, what: dict[str, Any]) -> Any:
        """Return an answer of JetStream's API; None if there is nothing."""
        client, _ = await self._connected()
        try:
            answer = json.loads((await client.request(subject, json.dumps(what).encode(), timeout=SECONDS)).data)
        except (NatsError, OSError, TimeoutError) as error:
            raise _unavailable(error) from error
        wrong = answer.get("error")
        if wrong is not None and wrong.get("err_code") != MISSING:
            raise StoreUnavailable(f"the bucket: {wrong.get('description', '')[:100]}")
        return answer if wrong is None else None

    def _subject(self, key: str) -> str:
        """Return the subject of a key: a hash, since the servers list subjects and keys name people."""
        return f"{self._name}.{blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def _unavailable(error: BaseException) -> StoreUnavailable:
    return StoreUnavailable(f"the bucket cannot be reached: {str(error) or type(error).__name__}")
