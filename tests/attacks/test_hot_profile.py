"""T13: a flood in the name of one person costs whoever opens their email little, and nobody else anything.

A page's key is public: whoever has it may send as many events as it lets through, all in the name of one user, or claim
one device for many. Work is counted, not timed. Without each defence the same flood takes what it likes.
"""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.asgi import ask
from tests.web.test_open import NOW, SHOP, House, image
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile import fold as fold_module
from wetink.ingest.receive import BATCH
from wetink.ports import ENTRY_BYTES
from wetink.store.sqlite import profiles

HOT, OTHER = Identifier("user", "hot"), Identifier("user", "other")
PRODUCTS, LINES = 1_000, 50
"""The bounds of a fold, smaller than they are."""


def flood(house: House, messages: list[dict[str, Any]], at_once: int = 15) -> None:
    """Send messages by the page's key, all of them in the past."""
    house.now += 1_000_000

    async def run() -> None:
        [sender] = [each for each in await house.wetink.store.sources.all() if each.name == "page"]
        told = [
            {"type": "track", "messageId": f"hot-{number}", "timestamp": NOW + number, **message}
            for number, message in enumerate(messages)
        ]
        for start in range(0, len(told), at_once):
            body = msgspec.json.encode({"batch": told[start : start + at_once]})
            await house.wetink.ingest.receive(body, sender, BATCH, house.now)

    asyncio.run(run())


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many products are compared at a time, to find one of them in a cart or among wishes."""
    counts: list[int] = []
    line_of, same = fold_module.line_of, Product.same

    def counted(lines: Any, product: Product) -> int | None:
        counts.append(len(lines))
        return line_of(lines, product)

    def counting(one: Product, other: Product) -> bool:
        counts.append(1)
        return same(one, other)

    monkeypatch.setattr(fold_module, "line_of", counted)
    monkeypatch.setattr(Product, "same", counting)
    return counts


async def together(house: House, *paths: str) -> list[Any]:
    return await asyncio.gather(*(ask(house.door, "GET", path, headers={"user-agent": "Mozilla"}) for path in paths))


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
@pytest.mark.parametrize("event", ["Product Added", "Cart Viewed", "Product Added to Wishlist"])
def test_a_flooded_cart_is_not_compared_with_itself_at_an_open(
    house: House, compared: list[int], monkeypatch: pytest.MonkeyPatch, event: str, defended: bool
) -> None:
    assert (fold_module.PRODUCTS, fold_module.LINES, fold_module.WISHES) == (5_000, 200, 200)
    for name, bound in (("PRODUCTS", PRODUCTS), ("LINES", LINES), ("WISHES", LINES)):
        monkeypatch.setattr(fold_module, name, bound if defended else 10**9)
    house.saw("mug", who="other")
    house.saw("lamp", who="hot")
    same = event == "Cart Viewed"  # each is looked for in the cart of before, from its beginning
    skus = [[f"s{0 if same else number}-{each}" for each in range(500)] for number in range(3)]
    flood(house, [told(event, each[:: -1 if number % 2 else 1]) for number, each in enumerate(skus)])
    paths = [house.url("picture", "hero", who=HOT), house.url("data", "hero", who=OTHER)]
    hot, other = asyncio.run(together(house, *paths))
    assert (sum(compared) <= PRODUCTS * LINES) is defended, sum(compared)
    assert [item["key"] for item in other.json["items"]] == ["mug"]
    assert image(hot).size == (600, 300)
    assert house.get(house.url("click", "hero", who=HOT)).headers["location"] == f"{SHOP}/lamp"


def told(event: str, skus: list[str]) -> dict[str, Any]:
    return {"event": event, "userId": "hot", "properties": {"products": [{"sku": sku} for sku in skus]}}


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_an_open_reads_only_the_newest_of_a_flood_of_long_events(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(profiles, "ENTRY_BYTES", 1 << 60)
    long = {f"trait {number}": "x" * 100 for number in range(200)}
    flood(house, [{"type": "identify", "userId": "hot", "traits": {**long, "turn": turn}} for turn in range(60)])
    entries = asyncio.run(house.wetink.store.profiles.load({HOT: ""}, house.now))[HOT].entries
    read = sum(len(msgspec.msgpack.encode(entry.traits)) for entry in entries)
    assert (read <= ENTRY_BYTES) is defended
    assert (len(entries) < 60) is defended
    assert max(entry.traits["turn"] for entry in entries if entry.traits) == 59
    person = asyncio.run(house.wetink.opens.person(HOT, house.now))
    assert person.traits["turn"] == 59
    assert image(house.get(house.url("picture", "hero", who=HOT))).size == (600, 300)


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_an_open_reads_a_bounded_number_of_events(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(profiles, "ENTRIES", 1 << 60)
    flood(house, [{"event": "Looked", "userId": "hot"} for _ in range(1_200)], 1_200)
    read = asyncio.run(house.wetink.store.profiles.load({HOT: ""}, house.now))[HOT].entries
    assert len(read) == (1_000 if defended else 1_200)
    assert min(entry.at for entry in read) == NOW + (200 if defended else 0), "the newest"


@pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])
def test_a_device_that_everybody_claims_is_held_by_few_and_leads_nobody_astray(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr("wetink.core.identity.holding.MAX_CLAIMERS", 10**9)
    house.saw("mug", who="other")
    users = [f"claimer-{number}" for number in range(60)]
    flood(house, [{"event": "Looked", "anonymousId": "shared", "userId": user} for user in users])
    device = Identifier("anonymous", "shared")

    async def owners() -> set[Identifier]:
        return {await house.wetink.store.profiles.resolve(device, NOW + number) for number in range(60)}

    assert (len(asyncio.run(owners())) <= 25) is defended
    last = Identifier("user", users[-1])
    mine = asyncio.run(house.wetink.store.profiles.history(last, house.now))
    assert [event.user for event in mine] == [users[-1]]
    assert [item["key"] for item in house.get(house.url("data", "hero", who=OTHER)).json["items"]] == ["mug"]
    assert house.get(house.url("click", "hero", who=OTHER)).headers["location"] == f"{SHOP}/mug"
