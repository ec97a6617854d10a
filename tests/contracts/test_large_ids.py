"""Large ids in rules: what is asked of one person and what is asked of all in columns tell the same ones apart."""

from pathlib import Path
from typing import Any

from tests.contracts.asking import holds
from tests.contracts.columns import columns_of, laid_out
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from wetink.audiences.segment_query import ColumnCrowd
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.rules.evaluate import compiled
from wetink.core.rules.parse import parse
from wetink.ports import Storage

IDS = [
    7, 10**14, 10**15 - 1, 10**15, 10**15 + 1, 1005006123456789, 2**53 - 1, 2**53, 2**53 + 1, 10**17, 10**17 + 1,
    1729382256910270771, 1729382256910270772, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**19, 10**19 + 1, 10**25,
]  # fmt: skip


def _said(who: str, number: int) -> list[dict[str, Any]]:
    shared = {"userId": who, "timestamp": LATE - 60_000}
    item = {"sku": number, "price": 5, "url": "https://shop.example/"}
    order = {"order_id": number, "total": 5, "products": [item], "till": number}
    return [
        {**shared, "type": "identify", "messageId": f"i{who}", "traits": {"card": number}},
        {**shared, "type": "track", "messageId": f"o{who}", "event": "Order Completed", "properties": order},
        {**shared, "type": "track", "messageId": f"v{who}", "event": "Product Viewed", "properties": item},
    ]


def _rules(wanted: Any) -> list[dict[str, Any]]:
    return [
        {"trait": "card", "equals": wanted},
        {"trait": "card", "one_of": [wanted, "none of these"]},
        {"done": "Product Viewed", "where": {"sku": wanted}},
        {"done": "Order Completed", "where": {"order_id": wanted}},
        {"done": "Order Completed", "where": {"till": wanted}},
        {"not": {"trait": "card", "not_equals": wanted}},
    ]


def test_an_id_of_any_length_finds_the_one_who_has_it_by_both_ways_of_asking(store: Storage, tmp_path: Path) -> None:
    run(_agree(store, tmp_path))


async def _agree(store: Storage, folder: Path) -> None:
    people = {number: Identifier("user", f"p{place}") for place, number in enumerate(IDS)}
    await store.log.append([received(each) for number, who in people.items() for each in _said(who.value, number)])
    laid_out(store, folder)
    columns = columns_of(store, folder)
    crowd, moment = ColumnCrowd(store, lambda: columns), Moment(LATE)
    for place, (number, owner) in enumerate(people.items()):
        near = list(people.values())[max(0, place - 2) : place + 3]
        for said in (*_rules(number)[place % 2 :: 2], *_rules(str(number))[1 - place % 2 :: 2]):
            rule = parse(said)
            assert {who for who in near if await holds(store, compiled(rule), moment, who)} == {owner}, said
            assert [who async for some in crowd.members(rule, moment, {}) for who in some] == [owner], said
    await columns.close()


def test_a_number_that_no_float_holds_can_be_asked_for(store: Storage, tmp_path: Path) -> None:
    """It finds nobody, and breaks nothing."""

    async def ask() -> int:
        await store.log.append([received(each) for each in _said("p", 7)])
        laid_out(store, tmp_path)
        columns = columns_of(store, tmp_path)
        crowd, found = ColumnCrowd(store, lambda: columns), 0
        for wanted in (10**400, -(10**400), 10**4000, 1e300, 1e21):
            for said in _rules(wanted):
                rule = parse(said)
                found += await holds(store, compiled(rule), Moment(LATE), Identifier("user", "p")) is True
                found += (await crowd.count(rule, Moment(LATE), {})).matches
        await columns.close()
        return found

    assert run(ask()) == 0
