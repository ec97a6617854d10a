"""The contract of inspection: an operator sees the sizes of a store, and whether its derived data is right."""

from pathlib import Path

import msgspec
import pytest

from tests.contracts.engines import damage
from tests.contracts.loop import run
from wetink.core.events.message import Endpoint, pieces
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.normalize import normalize
from wetink.ports import Record, Storage
from wetink.ports.inspection import Checked, Part


def messages(count: int) -> list[Record]:
    return [Record("shop", f"m-{number}", 1, 0, b"x" * 1_000, "parked") for number in range(count)]


def test_sizes_grow_with_the_stored_messages(store: Storage) -> None:
    async def story() -> None:
        before = sum((await store.inspection.sizes()).values())
        await store.log.append(messages(500))
        after = await store.inspection.sizes()
        assert sum(after.values()) >= before + 500 * 1_000 / 2, "an engine may compress them"
        assert all(name and size >= 0 for name, size in after.items())

    run(story())


VIEW = {"sku": "S-1", "name": "Mug", "price": 12.5, "currency": "EUR", "url": "https://shop.example/mug"}
ORDER = {"order_id": "o-1", "total": 12.5, "currency": "EUR", "products": [VIEW]}


def shop(people: int) -> list[Record]:
    """Return the messages of visitors who become customers, view a product and order."""
    found = []
    for number in range(people):
        for index, (type_, who) in enumerate(
            (
                ("Product Viewed", {"anonymousId": f"a{number}"}),
                ("Signed Up", {"anonymousId": f"a{number}", "userId": f"u{number}"}),
                ("Signed In", {"anonymousId": f"a{number}", "userId": f"u{number % 7}"}),
                ("Order Completed", {"userId": f"u{number}"}),
            )
        ):
            properties = VIEW if index == 0 else {**ORDER, "order_id": f"o-{number}"} if index == 3 else {}
            body = {"type": "track", "event": type_, "messageId": f"{number}-{index}", "properties": properties, **who}
            body["timestamp"] = f"2026-11-20T08:{number % 60:02}:{index:02}Z"
            piece, *_ = pieces(msgspec.json.encode(body), Endpoint(type="track"))[0]
            found.append(normalize(piece, "shop", "server", 1_795_000_000_000 + number))
    return found


async def filled(store: Storage, people: int = 30) -> None:
    await store.log.append(shop(people))
    while await store.projections.settle():
        pass


@pytest.mark.parametrize("part", ["identities", "catalog", "conversions"])
@pytest.mark.parametrize("limit", [None, 1, 20, 10_000])
def test_data_that_was_derived_is_derived_again_alike(store: Storage, part: Part, limit: int | None) -> None:
    async def story() -> None:
        await filled(store)
        checked = await store.inspection.sample(part, limit)
        assert checked.wrong == 0
        assert checked.count > 0
        assert limit is None or checked.count <= limit
        assert not await store.inspection.faults()

    run(story())


@pytest.mark.parametrize("part", ["identities", "catalog", "conversions"])
def test_an_empty_store_has_nothing_to_check(store: Storage, part: Part) -> None:
    async def story() -> None:
        assert await store.inspection.sample(part, 100) == Checked(0, 0)

    run(story())


def test_a_check_changes_nothing_that_a_reader_sees(store: Storage) -> None:
    async def story() -> None:
        await filled(store)
        who = Identifier("anonymous", "a3")
        before = await store.profiles.load({who: ""}, 1_796_000_000_000)
        for part in ("identities", "catalog", "conversions"):
            await store.inspection.sample(part, None)
            await store.inspection.sample(part, None, repair=True)
        assert await store.profiles.load({who: ""}, 1_796_000_000_000) == before

    run(story())


WRONG: dict[Part, str] = {
    "identities": "UPDATE holding SET owner = 'unobody' WHERE identifier = 'aa3'",
    "catalog": "DELETE FROM product WHERE key = 'S-1'",
    "conversions": "DELETE FROM outcome WHERE id LIKE '%o-3%'",
}
"""Changes to the tables that no wetink makes."""


@pytest.mark.parametrize("part", WRONG)
def test_wrong_derived_data_is_found_and_repaired(store: Storage, engine: str, tmp_path: Path, part: Part) -> None:
    async def story() -> None:
        await filled(store)
        sample = store.inspection.sample
        damage(engine, tmp_path, WRONG[part])
        first = await sample(part, None)
        assert first.wrong > 0
        assert await sample(part, None) == first, "looking changes nothing"
        assert (await sample(part, first.count)).wrong > 0, "a sample of all finds it as well"
        assert (await sample(part, None, repair=True)).wrong > 0
        assert await sample(part, None) == Checked(first.count, 0)
        assert [each.wrong for other in WRONG for each in [await sample(other, None)]] == [0, 0, 0]

    run(story())
