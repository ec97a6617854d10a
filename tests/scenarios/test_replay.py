"""Replay: a mapping made today is applied to last week, as if it had always been there."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.contracts.columns import laid_out
from tests.web.test_open import JANE, SHOP, House
from wetink.cli import main
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.rules.parse import parse
from wetink.ingest.replay import Replayed, ReplayQuery

MAPPING = """
events:
  Item Seen:
    name: Product Viewed
    properties: {id: sku, title: name, link: url}
  Bought:
    name: Order Completed
    properties: {number: order_id, amount: total}
    products: {at: basket, properties: {id: sku, cost: price}}
traits: {mail: email}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data", draws=False)
    yield made
    asyncio.run(made.wetink.close())


def maps(house: House, text: str = MAPPING) -> None:
    folder = house.wetink.settings.data / "content" / "mappings"
    folder.mkdir(exist_ok=True)
    (folder / "shop.yaml").write_text(text)
    asyncio.run(house.wetink.look_again())
    assert house.wetink.content.problems == ()


def replayed(house: House, *, dry: bool = False, **asked: Any) -> Replayed:
    return asyncio.run(
        house.wetink.replay.run(ReplayQuery(asked.pop("since", 0), asked.pop("until", FOREVER), **asked), dry=dry)
    )


def messages(start: int) -> list[dict[str, Any]]:
    """What a shop sends in words of its own: views, an order, who somebody is; a visitor turns out to be her."""
    seen = {"type": "track", "event": "Item Seen",
            "properties": {"id": "mug", "title": "The mug", "link": f"{SHOP}/mug"}}  # fmt: skip
    bought = {"type": "track", "event": "Bought", "userId": "jane",
              "properties": {"number": "O-1", "amount": 20, "basket": [{"id": "mug", "cost": 20}]}}  # fmt: skip
    said = [
        {**seen, "anonymousId": "visitor"},
        {"type": "identify", "anonymousId": "visitor", "traits": {"mail": "jane@shop.example"}},
        {"type": "identify", "userId": "jane", "traits": {"mail": "jane@shop.example", "name": "Jane"}},
        {**seen, "userId": "jane"},
        {"type": "identify", "traits": {"mail": "only@shop.example"}},
        bought,
        {"type": "page", "userId": "jane", "name": "Home"},
        {"type": "nonsense"},
    ]
    return [{**each, "messageId": f"r{number}", "timestamp": start + number} for number, each in enumerate(said)]


def sends(house: House) -> None:
    for message in messages(house.now):
        house.take(message)
    house.now += 1000


def sees_a_lamp(house: House) -> None:
    properties = {"id": "lamp", "title": "The lamp", "link": f"{SHOP}/lamp"}
    house.take({"type": "track", "event": "Item Seen", "userId": "jane", "messageId": "lamp", "timestamp": house.now,
                "properties": properties})  # fmt: skip
    house.now += 1000


def known(house: House) -> Any:
    """All that the store makes of the log."""

    async def run() -> Any:
        store = house.wetink.store
        people = [
            Identifier("user", "jane"),
            Identifier("email", "jane@shop.example"),
            Identifier("email", "only@shop.example"),
            Identifier("anonymous", "visitor"),
        ]
        return (
            [await store.profiles.profile(who, house.now) for who in people],
            [await store.profiles.history(who, house.now) for who in people],
            sorted(
                [each async for some in store.conversions.outcomes(["Order Completed"], 0, house.now) for each in some],
                key=lambda each: each.event.message_id,
            ),
            [(each.verdict, each.problems, each.type, each.name, each.filed) for each in await store.log.messages()],
            await store.catalog.products(["mug"]),
        )

    return asyncio.run(run())


def test_after_a_replay_all_is_as_if_the_mapping_had_always_been_there(house: House, tmp_path: Path) -> None:
    other = House(tmp_path / "other", draws=False)
    maps(other)
    sends(other)
    sends(house)
    before = known(house)
    maps(house)
    assert known(house) == before, "a mapping alone changes nothing of the past"
    told = replayed(house, dry=True)
    assert known(house) == before, "nothing is written by a dry run"
    done = replayed(house)
    assert done == told
    assert done.messages == 8
    assert done.changed == 6
    assert done.names == {"Product Viewed": 2, "identify": 3, "Order Completed": 1}
    assert done.verdicts["parked to usable"] == 1
    assert known(house) == known(other) != before
    assert replayed(house).changed == 0, "once is enough"
    asyncio.run(other.wetink.close())


def test_a_mapping_that_is_taken_back_is_undone_by_a_replay(house: House) -> None:
    sends(house)
    before = known(house)
    maps(house)
    replayed(house)
    (house.wetink.settings.data / "content" / "mappings" / "shop.yaml").unlink()
    asyncio.run(house.wetink.look_again())
    replayed(house)
    assert known(house)[:4] == before[:4]


def test_after_a_replay_the_next_open_and_trends_have_the_events(house: House) -> None:
    sends(house)
    sees_a_lamp(house)
    nothing = house.get(house.url("picture", "hero")).body
    asyncio.run(house.wetink.follower.step())
    assert house.wetink.trends.people("mug", "viewed", 0, house.now) == 0
    maps(house)
    replayed(house)
    assert house.get(house.url("picture", "hero")).body != nothing
    assert [item["key"] for item in house.data()["items"]] == ["lamp"]
    asyncio.run(house.wetink.follower.step())
    since = house.now - 86_400_000
    assert house.wetink.trends.people("mug", "viewed", since, house.now + 3_600_000) == 2


def test_a_message_that_is_sent_again_meets_itself_after_a_replay(house: House) -> None:
    sends(house)
    maps(house)
    replayed(house)
    after = known(house)
    for message in messages(house.now - 1000):
        house.take(message)
    assert known(house) == after


def test_only_what_is_asked_for_is_replayed(house: House) -> None:
    sends(house)
    maps(house)
    assert replayed(house, source="page", dry=True).messages == 0
    assert replayed(house, verdict="parked", dry=True).messages == 2
    assert replayed(house, since=house.now + 1, dry=True).messages == 0
    assert replayed(house, until=house.now - 1000, dry=True).messages == 0
    assert replayed(house, verdict="parked").changed == 1
    assert replayed(house, dry=True).changed == 5


def test_new_messages_are_mapped_as_they_come(house: House) -> None:
    maps(house)
    sends(house)
    sees_a_lamp(house)
    assert replayed(house, dry=True).changed == 0
    assert [item["key"] for item in house.data()["items"]] == ["lamp"]
    events = asyncio.run(house.wetink.store.profiles.history(JANE, house.now))
    assert {event.name for event in events if event.type == "track"} == {"Product Viewed", "Order Completed"}
    raw = [message.raw for message in asyncio.run(house.wetink.store.log.messages())]
    assert any(b"Item Seen" in each for each in raw), "what was received stays as it was"


def test_the_command_says_what_would_come_of_it_and_does_it(house: House) -> None:
    sends(house)
    maps(house)
    command = ["replay", "--since", "2000-01-01T00:00:00Z", "--data", str(house.wetink.settings.data)]
    said = CliRunner().invoke(main, [*command, "--dry-run"]).output
    assert "6 of 8 messages would come to something else" in said
    assert "Product Viewed" in said
    assert json.loads(CliRunner().invoke(main, [*command, "--json"]).output)["changed"] == 6
    wrong = CliRunner().invoke(main, ["replay", "--since", "soon", *command[3:]])
    assert wrong.exit_code == 1
    assert "write 7d" in wrong.output


@pytest.mark.parametrize("before", [True, False], ids=["laid out before", "read from the log"])
def test_audiences_are_counted_as_if_the_mapping_had_always_been_there(house: House, before: bool) -> None:
    async def counted() -> int:
        return (await house.wetink.crowd.count(parse({"done": "Product Viewed"}), Moment(house.now), {})).matches

    sends(house)
    data = house.wetink.settings.data
    if before:
        laid_out(house.wetink.store, data)
    assert asyncio.run(counted()) == 0
    maps(house)
    replayed(house)
    assert asyncio.run(counted()) == 1
    laid_out(house.wetink.store, data)
    assert asyncio.run(counted()) == 1


def test_an_address_that_a_replay_parts_from_its_user_is_counted_alone(house: House) -> None:
    async def counted() -> tuple[int, int]:
        rule = parse({"done": "Subscribed", "where": {"list": "news"}})
        count = await house.wetink.crowd.count(rule, Moment(house.now), {})
        return count.matches, count.of

    maps(house)
    subscribed = {"type": "track", "event": "Subscribed", "properties": {"list": "news"}}
    house.take(
        {**subscribed, "messageId": "s", "timestamp": house.now, "context": {"traits": {"email": "a@x.example"}}}
    )
    house.take({"type": "identify", "messageId": "i", "timestamp": house.now, "userId": "jane",
                "traits": {"mail": "a@x.example"}})  # fmt: skip
    house.now += 1000
    laid_out(house.wetink.store, house.wetink.settings.data)
    assert asyncio.run(counted()) == (1, 1)
    (house.wetink.settings.data / "content" / "mappings" / "shop.yaml").unlink()
    asyncio.run(house.wetink.look_again())
    assert replayed(house).changed == 1
    assert asyncio.run(counted()) == (1, 2)
