"""Summaries: made while nobody asks, by the rules of now."""

import ast
import asyncio
from importlib.resources import files
from pathlib import Path

import pytest

from tests.contracts.profiles import LATE, received
from tests.storage import opened
from tests.web.test_open import House
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.history import History
from wetink.core.profile.person import Person
from wetink.core.profile.summary import NEWEST, Summary, summarize
from wetink.opens import lookup
from wetink.opens.lookup import Lookups

JANE, DAY = Identifier("user", "jane"), 86_400_000


def said(number: int, at: int) -> dict[str, object]:
    properties = {"sku": f"S-{number % 7}", "url": f"https://shop.example/{number % 7}", "price": number}
    message = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}", "userId": "jane"}
    return {**message, "timestamp": at, "properties": properties}


def shown(person: Person) -> tuple[object, ...]:
    return tuple(person.views), person.done, person.first_seen, person.last_seen, person.traits


def test_a_person_is_the_same_with_a_summary_and_without(tmp_path: Path) -> None:
    async def story() -> None:
        store = opened(tmp_path)
        await store.log.append([received(said(number, LATE - DAY + number)) for number in range(40)])
        folded = await Lookups(store).begin().person(JANE, LATE)
        works = lookup.Summaries(store.profiles, lambda: LATE + DAY)
        while await works.step():
            pass
        assert (await store.profiles.load({JANE: ""}, LATE, rules=lookup.RULES))[JANE].summary is not None
        summed_up = await Lookups(store).begin().person(JANE, LATE)
        assert shown(summed_up) == shown(folded)
        past = await Lookups(store).begin().person(JANE, LATE - DAY + 5)
        assert past.last_seen == LATE - DAY + 5, "at a past moment nothing that came later has happened"
        await store.log.append([received(said(41, LATE - 5))])
        assert (await Lookups(store).begin().person(JANE, LATE)).last_seen == LATE - 5
        await store.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        (frozenset[str](), False),
        (frozenset(["Order Completed"]), False),
        (frozenset(["Order Completed", "Product Viewed"]), True),
        (frozenset(["*"]), True),
    ],
)
def test_events_are_read_when_a_rule_looks_into_some_that_happened(
    asked: frozenset[str], read: bool, tmp_path: Path
) -> None:
    async def story() -> None:
        store = opened(tmp_path)
        await store.log.append([received(said(number, LATE - DAY + number)) for number in range(40)])
        folded = await Lookups(store).begin().person(JANE, LATE)
        while await lookup.Summaries(store.profiles, lambda: LATE + DAY).step():
            pass
        look = Lookups(store).begin()
        assert not (await look.person(JANE, LATE)).history
        summed_up = await look.person(JANE, LATE, events=asked)
        assert shown(summed_up) == shown(folded)
        assert summed_up.history == (folded.history if read else History())
        await store.close()

    asyncio.run(story())


def test_a_summary_that_cannot_be_read_costs_time_and_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        store = opened(tmp_path)
        await store.log.append([received(said(number, LATE - DAY + number)) for number in range(40)])
        while await store.profiles.summarize(lambda entries: Summary(b"\xff"), lookup.RULES, LATE + DAY, 100):
            pass
        assert len((await Lookups(store).begin().person(JANE, LATE)).views) == 7
        await store.close()

    asyncio.run(story())


@pytest.mark.parametrize("source", ["shop", "page"])
def test_an_app_that_reads_past_the_newest_views_finds_the_older_ones(source: str, tmp_path: Path) -> None:
    """She has bought everything that she looked at lately, so the block shows what came before."""
    house = House(tmp_path / "data", draws=False)
    for number in range(NEWEST + 5):
        house.saw(f"S-{number}")
        house.saw(f"S-{number}", source)
    bought = [{"product_id": f"S-{number}", "sku": f"S-{number}"} for number in range(4, NEWEST + 5)]
    order = {"type": "track", "event": "Order Completed", "userId": "jane", "timestamp": house.now, "messageId": "o"}
    house.take(order | {"properties": {"order_id": "1", "products": bought}}, "shop")
    house.now += 1_000
    profiles = house.wetink.store.profiles
    assert asyncio.run(profiles.summarize(summarize, lookup.RULES, house.now + DAY, 1_000))
    house.now += 60_000
    loaded = asyncio.run(profiles.load({JANE: ""}, house.now, rules=lookup.RULES, brief=True))
    assert loaded[JANE].summary is not None
    found = house.data()
    asyncio.run(house.wetink.close())
    assert [item["key"] for item in found["items"]] == ["S-3", "S-2", "S-1"]


def test_the_rules_of_summaries_name_all_code_a_fold_is_made_of() -> None:
    core = files("wetink.core")
    for name in ("fold", "summary"):
        for node in ast.walk(ast.parse(core.joinpath(f"profile/{name}.py").read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("wetink.core."):
                assert (node.module or "").removeprefix("wetink.core.").replace(".", "/") in lookup.CODE
