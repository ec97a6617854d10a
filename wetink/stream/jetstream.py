"""JetStream: `ports.stream.Stream` over NATS, one work queue with a subject per topic and partition.

The servers should run with `sync_interval: always`: otherwise they acknowledge before the disk has it, and a power cut
loses minutes of acknowledged messages. A publication takes one fsync on each replica, so callers publish groups.

Source: NATS documentation, JetStream; Jepsen's report on NATS 2.12.1 (2025).
"""

import asyncio
import json
import logging
import secrets
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import APIError, NotFoundError

from wetink.core.errors import BadSettings, StoreUnavailable
from wetink.ports.stream import TOPICS, Backlog, Bucket, Delivery, StreamState, Topic
from wetink.stream import bucket
from wetink.stream.bucket import JetStreamBucket
from wetink.stream.errors import is_refusal, unavailable
from wetink.stream.pull import BATCH, Pull

logger = logging.getLogger(__name__)

ASIDE, DECISIONS, ID = "aside", "decisions", "Nats-Msg-Id"
FORMAT = "1"
"""The version of what stream messages hold. A stream of another version is refused."""
PARTITIONS, REPLICAS = 4, 3
CONNECT_SECONDS, PUBLISH_SECONDS, PATIENCE_SECONDS = 5.0, 2.0, 8.0
"""How long to wait for a connection, for one try of a publication, and for all tries, in seconds. The servers replace a
leader that fails within about six seconds."""
ACK_SECONDS = 5.0
"""Seconds after which a message that was fetched and not stored goes to another process."""
KEPT_ASIDE_DAYS = 30
SPARE_BYTES = 4_096
"""Room for the header of a stream message."""


class Address:
    """The parts of `nats://HOST:4222,HOST:4222?name=wetink&replicas=3&partitions=4&monitoring=http://HOST:8222`."""

    def __init__(self, text: str) -> None:
        """Read an address. Raises BadSettings."""
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.name = options.pop("name", "wetink")
        self.replicas = _number(options.pop("replicas", str(REPLICAS)), "replicas", 5)
        self.partitions = _number(options.pop("partitions", str(PARTITIONS)), "partitions", 64)
        self.monitoring = options.pop("monitoring", "")
        if parts.scheme not in ("nats", "tls") or not parts.netloc:
            raise _bad("it names no server", "write nats://HOST:4222,HOST:4222")
        if options:
            raise _bad(f"{min(options)[:20]!r} is not an option", "options: name, replicas, partitions, monitoring")
        if not self.name.isidentifier():
            raise _bad(f"name={self.name[:20]!r} is not a name for a stream", "use letters, digits and underscores")
        credentials, _, hosts = parts.netloc.rpartition("@")
        before = f"{credentials}@" if credentials else ""
        self.servers = [f"{parts.scheme}://{before}{host}" for host in hosts.split(",")]


class JetStream:
    """`ports.stream.Stream` over a NATS cluster. It belongs to the event loop that starts it."""

    def __init__(self, address: str) -> None:
        """Connect to `address` on `start`. Raises BadSettings for an address that cannot be read."""
        self._address = Address(address)
        self.partitions = self._address.partitions
        self._client: Client | None = None
        self._context: JetStreamContext | None = None
        self._opening = asyncio.Lock()
        self.bucket: Bucket = JetStreamBucket(f"{self._address.name}_{DECISIONS}", self._connection)
        self._pulls: dict[tuple[Topic, int], Pull] = {}
        self._warnings: tuple[str, ...] = ()
        self._refusal: Exception | None = None
        self._closed = False

    @property
    def most_bytes(self) -> int:
        return (self._client.max_payload if self._client is not None else 1 << 20) - SPARE_BYTES

    def warnings(self) -> Sequence[str]:
        return self._warnings

    async def start(self) -> None:
        await self._started()

    async def publish(self, topic: Topic, partition: int, body: bytes, id_: str = "") -> None:
        context = self._context or await self._started()
        subject, id_ = self._subject(topic, partition), id_ or secrets.token_hex(12)
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                # The id makes the servers drop a second copy if the first one arrived and its answer was lost.
                await context.publish(subject, body, timeout=PUBLISH_SECONDS, headers={ID: id_})
            except (NatsError, OSError, TimeoutError) as error:
                if time.monotonic() >= until or self._closed:
                    raise unavailable("publishing", error) from error
                await asyncio.sleep(0.1)
            else:
                return

    async def fetch(self, topic: Topic, partition: int, wait: float) -> Sequence[Delivery]:
        context = self._context or await self._started()
        pull = self._pulls.get((topic, partition))
        try:
            if pull is None:
                pull = self._pulls[topic, partition] = await self._pull(context, topic, partition)
            found = await pull.next(wait)
        except (NatsError, OSError, TimeoutError) as error:
            self._pulls.pop((topic, partition), None)
            raise unavailable("fetching", error) from error
        return [_delivery(message) for message in found]

    async def done(self, deliveries: Sequence[Delivery]) -> None:
        with suppress(NatsError, OSError):  # what is not acknowledged comes again, and storing it again changes nothing
            for each in deliveries:
                await each.handle.ack()

    async def hold(self, deliveries: Sequence[Delivery]) -> None:
        with suppress(NatsError, OSError):
            for each in deliveries:
                await each.handle.in_progress()

    async def rewind(self, topic: Topic, partition: int) -> None:
        context = self._context or await self._started()
        pull = self._pulls.pop((topic, partition), None)
        try:
            if pull is not None:
                await pull.close()
            await context.delete_consumer(self._address.name, _consumer(topic, partition))
        except NotFoundError:
            pass
        except (NatsError, OSError, TimeoutError) as error:
            raise unavailable("rewinding", error) from error

    async def set_aside(self, delivery: Delivery, topic: Topic, why: str) -> None:
        context = self._context or await self._started()
        try:
            subject, headers = f"{self._address.name}_{ASIDE}.{topic}", {"Wetink-Reason": why[:500]}
            await context.publish(subject, delivery.body, timeout=PUBLISH_SECONDS, headers=headers)
            await delivery.handle.term()
        except (NatsError, OSError, TimeoutError) as error:
            raise unavailable("setting a message aside", error) from error

    async def oldest(self, topic: Topic) -> int | None:
        context = self._context or await self._started()
        name = self._address.name
        try:
            found = await context.get_msg(name, seq=1, subject=f"{name}.{topic}.*", next=True)
        except NotFoundError:
            return None
        except (NatsError, OSError, TimeoutError) as error:
            raise unavailable("reading its oldest message", error) from error
        return _ms(found.time)

    async def state(self) -> StreamState:
        context = self._context or await self._started()
        name = self._address.name
        try:
            info = await context.stream_info(name, subjects_filter=">")
            aside = await context.stream_info(f"{name}_{ASIDE}")
            consumers = {each.name: each.num_redelivered or 0 for each in await context.consumers_info(name)}
        except (NatsError, OSError, TimeoutError) as error:
            raise unavailable("reading its state", error) from error
        waiting = info.state.subjects or {}
        backlogs = tuple(
            Backlog(
                *(topic, partition, waiting.get(self._subject(topic, partition), 0)),
                consumers.get(_consumer(topic, partition), 0),
            )
            for topic in TOPICS
            for partition in range(self.partitions)
        )
        oldest = {topic: at for topic in TOPICS if waiting and (at := await self.oldest(topic)) is not None}
        return StreamState(backlogs, oldest, aside.state.messages)

    async def close(self) -> None:
        self._closed = True
        client, self._client, self._context = self._client, None, None
        if client is not None:
            with suppress(NatsError, OSError, TimeoutError):
                await client.close()

    def _subject(self, topic: Topic, partition: int) -> str:
        return f"{self._address.name}.{topic}.{partition}"

    async def _started(self) -> JetStreamContext:
        async with self._opening:
            if self._closed:
                raise StoreUnavailable("the stream is closed")
            if self._context is None:
                try:
                    async with asyncio.timeout(CONNECT_SECONDS):
                        self._client = await self._connected()
                        context = self._client.jetstream(timeout=CONNECT_SECONDS)
                        info = await self._stream(context)
                        without = await self._without_bucket(context)
                except BaseException as error:
                    if self._client is not None:
                        await self._client.close()
                        self._client = None
                    if isinstance(error, NatsError | OSError | TimeoutError):
                        raise unavailable("connecting", self._refusal or error) from error
                    raise
                self._warnings = (
                    *_weaknesses(info),
                    *without,
                    *await asyncio.to_thread(_lazy, self._address.monitoring),
                )
                for warning in self._warnings:
                    logger.warning("the stream: %s", warning)
                self._context = context
            return self._context

    async def _connection(self) -> tuple[Client, JetStreamContext]:
        context = self._context or await self._started()
        if self._client is None:
            raise StoreUnavailable("the stream is closed")
        return self._client, context

    async def _connected(self) -> Client:
        async def note(error: Exception) -> None:
            logger.info("the stream: %s", type(error).__name__)
            if is_refusal(error):
                self._refusal = error  # the client only tries again

        client, self._refusal = Client(), None
        try:
            await client.connect(
                self._address.servers,
                name="wetink",
                ping_interval=1,
                max_outstanding_pings=2,
                reconnect_time_wait=0.2,  # type: ignore[arg-type]  # the library sleeps so long
                max_reconnect_attempts=-1,
                error_cb=note,
            )
        except BaseException:
            await client.close()
            raise
        return client

    async def _stream(self, context: JetStreamContext) -> StreamInfo:
        """Return the stream, made if it is missing. Raises BadSettings for one of another version."""
        name = self._address.name
        try:
            info = await context.stream_info(name)
        except NotFoundError:
            await self._make(context, f"{name}_{ASIDE}", f"{name}_{ASIDE}.*", RetentionPolicy.LIMITS)
            info = await self._make(context, name, f"{name}.*.*", RetentionPolicy.WORK_QUEUE)
        made = info.config.metadata or {}
        if made.get("wetink_format") != FORMAT:
            raise _bad(
                f"the stream {name!r} was not made by this version of wetink",
                "choose another with ?name=, or delete it when it is empty",
            )
        if made.get("wetink_partitions") != str(self.partitions):
            raise _bad(
                f"partitions={self.partitions}, and the stream {name!r} has {made.get('wetink_partitions')}",
                "name a new stream with ?name= to change the number, and let the workers empty the old one first",
            )
        return info

    async def _without_bucket(self, context: JetStreamContext) -> list[str]:
        """Make the bucket of decisions if it is missing. Returns a warning if the servers have no room for it."""
        name = f"{self._address.name}_{DECISIONS}"
        try:
            await context.stream_info(name)
        except NotFoundError:
            try:
                await context.add_stream(bucket.config(name, self._address.replicas))
            except APIError as error:
                return [
                    f"its servers have no room for decisions, so the store settles them: {error.description}:"
                    f" let each server have max_memory_store of {bucket.KEPT_BYTES >> 20} MB or more"
                ]
        return []

    async def _make(self, context: JetStreamContext, name: str, subject: str, kept: RetentionPolicy) -> StreamInfo:
        return await context.add_stream(
            StreamConfig(
                name=name,
                subjects=[subject],
                retention=kept,
                storage=StorageType.FILE,
                num_replicas=self._address.replicas,
                discard=DiscardPolicy.NEW,
                max_age=KEPT_ASIDE_DAYS * 86_400 if kept is RetentionPolicy.LIMITS else 0,
                duplicate_window=120,
                metadata={"wetink_format": FORMAT, "wetink_partitions": str(self.partitions)},
            )
        )

    async def _pull(self, context: JetStreamContext, topic: Topic, partition: int) -> Pull:
        if self._client is None:
            raise StoreUnavailable("the stream is closed")
        name = _consumer(topic, partition)
        await context.add_consumer(
            self._address.name,
            ConsumerConfig(
                durable_name=name,
                filter_subject=self._subject(topic, partition),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_SECONDS,
                max_ack_pending=BATCH * 8,
            ),
        )
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)
        return Pull(self._client, subscription, inbox, f"$JS.API.CONSUMER.MSG.NEXT.{self._address.name}.{name}")


def _consumer(topic: Topic, partition: int) -> str:
    return f"{topic}-{partition}"


def _delivery(message: Msg) -> Delivery:
    about, headers = message.metadata, message.headers or {}
    id_ = headers.get(ID) or f"{about.stream}:{about.sequence.stream}"
    return Delivery(message.data, about.num_delivered, id_, _ms(about.timestamp), message)


def _ms(at: datetime | None) -> int:
    return int(at.timestamp() * 1000) if at is not None else 0


def _weaknesses(info: StreamInfo) -> list[str]:
    replicas = info.config.num_replicas or 1
    if replicas < REPLICAS:
        return [
            f"it has {replicas} replica{'s' if replicas > 1 else ''}, so one lost disk loses what is not stored yet:"
            f" run three servers and set replicas to {REPLICAS}"
        ]
    return []


def _lazy(monitoring: str) -> list[str]:
    """Return a warning if the server does not sync before it acknowledges, or if that is unknown."""
    if not monitoring:
        return ["add &monitoring=http://HOST:8222 to the address, so that wetink can check sync_interval"]
    try:
        with urllib.request.urlopen(f"{monitoring.rstrip('/')}/varz", timeout=2) as answer:  # noqa: S310 (a setting)
            config: dict[str, Any] = json.load(answer).get("jetstream", {}).get("config", {})
    except (OSError, ValueError) as error:
        return [f"its monitoring does not answer, so sync_interval is unknown: {error}"]
    if config.get("sync_always"):
        return []
    return [
        "its servers acknowledge before the disk has it, so a power cut loses up to two minutes of messages:"
        " set sync_interval: always in the jetstream block of each server"
    ]


def _number(text: str, name: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise _bad(f"{name}={text[:20]!r} is not a number from 1 to {most}", "leave it out for the default")
    return int(text)


def _bad(message: str, hint: str) -> BadSettings:
    return BadSettings(f"WETINK_LOG: {message}", hint=hint, where="WETINK_LOG")
