"""Sample data: a shop and its shoppers to try wetink with, as messages of a source of their own, and their removal."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from wetink.core.app.sample import GOODS, REDUCED, RETURNED, SCARCE, TRAITS, crowd, life
from wetink.core.catalog.trends import DAY, HOUR
from wetink.core.errors import BadSettings, NotFound
from wetink.core.events.event import Event, Product
from wetink.core.events.message import BATCH
from wetink.ingest.receive import Ingest
from wetink.ports import Record, Storage

SOURCE = "sample-data"
"""The name of the source that sample data comes from."""
WHO = TRAITS["email"]
"""The address of the shopper with a story."""
SLICE, MINUTE = 200, 60_000
_NAMES = ("Ben", "Cleo", "Dana", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kai", "Lea", "Milo")


def messages(now: int) -> Iterator[dict[str, Any]]:
    """Yield the sample's messages in Segment's format, as of `now` (Unix ms).

    >>> first = next(messages(0))
    >>> first["type"], first["userId"]
    ('identify', 'ada')
    """
    for event in life(now):
        yield _message(event)
    first = now - 40 * DAY
    said: list[tuple[str, int, dict[str, Any]]] = [
        *((sku, 40 * DAY, {"availability": "in_stock"}) for sku in GOODS),
        (REDUCED, MINUTE, {"price": 99.0, "list_price": 129.0, "availability": "in_stock"}),
        (RETURNED, 5 * DAY, {"availability": "out_of_stock", "stock": 0}),
        (RETURNED, 9 * HOUR, {"availability": "in_stock", "stock": 14}),
        (SCARCE, 3 * HOUR, {"availability": "in_stock", "stock": 3}),
    ]
    for sku, ago, more in said:
        product = msgspec.structs.replace(GOODS[sku], **more)
        at = now - ago
        yield _message(Event("track", at, f"g-{sku}-{at}", SOURCE, "Product Viewed", products=(product,), user="shop"))
    for number, name in enumerate(_NAMES):
        email = f"{name.lower()}@sample.invalid"
        traits = {"firstName": name, "email": email, "points": 40 * number}
        yield _message(Event("identify", first, f"i-{number}", SOURCE, user=f"c{number}", traits=traits))
    yield from (_message(event) for event in crowd(now))


def _message(event: Event) -> dict[str, Any]:
    at = max(event.at, 0)
    said: dict[str, Any] = {"type": event.type, "userId": event.user, "messageId": f"sample-{event.message_id}"}
    said["timestamp"] = msgspec.to_builtins(_date(at))
    if event.type == "identify":
        return {**said, "traits": dict(event.traits)}
    goods = [_plain(product) for product in event.products]
    properties: dict[str, Any] = {"query": event.query} if event.query else dict(goods[0]) if goods else {}
    if event.order is not None:
        order = event.order
        properties = {"order_id": order.order_id, "total": order.total, "currency": order.currency, "products": goods}
    return {**said, "event": event.name, "properties": properties}


def _date(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)


def _plain(product: Product) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(product).items() if value not in (None, "")}


class SampleData:
    """Brings the sample data, and removes it."""

    def __init__(self, store: Storage, ingest: Ingest) -> None:
        """Take messages in by `ingest`, as any source's."""
        self._store, self._ingest = store, ingest

    async def there(self) -> bool:
        """Return whether the sample data is there. Raises StoreUnavailable."""
        return any(source.name == SOURCE for source in await self._store.sources.all())

    async def bring(self, now: int) -> int:
        """Take the sample data in, at `now` (Unix ms). Returns its number of messages. Raises StoreUnavailable."""
        sources = await self._store.sources.all()
        hosts = ["sample.invalid"] if any(source.hosts for source in sources) else []
        with suppress(BadSettings):  # an earlier try ended in the middle: a message is stored once
            await self._store.sources.create_key(SOURCE, "server", hosts, now)
        source = next(each for each in await self._store.sources.all() if each.name == SOURCE)
        found, count = list(messages(now)), 0
        for start in range(0, len(found), SLICE):
            body = msgspec.json.encode({"batch": found[start : start + SLICE]})
            count += len(await self._ingest.receive(body, source, BATCH, now))
        return count

    async def remove(self) -> int:
        """Take the sample data out of profiles, reports and the catalog. Returns its number of messages.

        Its raw messages stay in the log as parked. Raises StoreUnavailable; then it can be called again.
        """
        log, count = self._store.log, 0
        created = next((each.created for each in await self._store.sources.all() if each.name == SOURCE), None)
        if created is None:
            return 0
        place = await log.cursor(created)
        while (read := await log.read(place, SLICE))[1]:
            place, found = read
            pairs = [
                (each, Record(each.source, each.message_id, each.received, 0, each.raw, "parked"))
                for each in found
                if each.source == SOURCE and each.verdict != "parked"
            ]
            if pairs:
                await log.renew(pairs)
                count += len(pairs)
            elif count and found[0].received > created + DAY:
                break
        try:
            await self._store.sources.delete_source(SOURCE)
        except NotFound:  # somebody else has just removed it
            return count
        await self._store.projections.rebuild("catalog")
        return count
