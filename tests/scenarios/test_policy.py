"""The policy of a block: what a prefetch, a scanner, a proxy or a person gets, and whether it counts."""

import asyncio

import pytest

from tests.scenarios.test_what_counts import results
from tests.scenarios.test_who_fetched import CHROME, GMAIL
from tests.web.test_open import JANE, SHOP, House
from wetink.core.profile.person import Moment

APPLE, BARRACUDA = "Mozilla/5.0", "Barracuda Sentinel"


def treats(house: House, policy: str, block: str = "hero") -> None:
    path = house.wetink.settings.data / "content" / "blocks" / f"{block}.yaml"
    path.write_text(f"{path.read_text()}\nfetches: {policy}\n")
    asyncio.run(house.wetink.look_again())
    assert house.wetink.content.problems == ()


@pytest.mark.parametrize(
    ("policy", "agent", "decided", "counted"),
    [
        ("{}", APPLE, True, 0),
        ("{prefetch: {show: fallback}}", APPLE, False, 0),
        ("{prefetch: {show: fallback, count: true}}", APPLE, False, 1),
        ("{prefetch: {count: true}}", APPLE, True, 1),
        ("{scanner: {show: fallback}}", BARRACUDA, False, 0),
        ("{scanner: {show: fallback}}", CHROME, True, 1),
        ("{proxy: {show: fallback, count: false}}", GMAIL, False, 0),
        ("{unknown: {count: false}}", "curl/8.5.0", True, 0),
        ("{unknown: {show: decide}}", "curl/8.5.0", True, 1),
        ("{person: {count: false}}", CHROME, True, 0),
    ],
)
def test_each_class_gets_what_the_policy_says_and_counts_as_it_says(
    house: House, policy: str, agent: str, decided: bool, counted: int
) -> None:
    treats(house, policy)
    house.saw("mug")
    fallback = house.wetink.fallbacks.of(house.wetink.content.block("hero")).body
    assert (house.get(house.url("picture", "hero"), agent=agent).body != fallback) is decided
    assert results(house)["hero"].opens == counted
    assert asyncio.run(house.wetink.store.ledger.contacts("hero", str(JANE))) == (counted, 0)
    target = house.get(house.url("click", "hero"), agent=agent).headers["location"]
    told_when_clicked = {APPLE: f"{SHOP}/mug"}.get(agent, f"{SHOP}/mug" if decided else f"{SHOP}/")
    assert target == told_when_clicked


def test_after_a_prefetch_got_the_fallback_a_person_sees_their_own_slots(house: House) -> None:
    treats(house, "{prefetch: {show: fallback}}", "cards")
    house.saw("mug")
    house.saw("lamp")
    fallback = house.get(house.url("picture", "cards", 1), agent=APPLE).body
    assert house.get(house.url("picture", "cards", 2), agent=APPLE).body == fallback
    for slot in (1, 2):
        assert house.get(house.url("picture", "cards", slot), agent=CHROME).body != fallback
    assert results(house)["cards"].opens == 1


def test_the_trace_says_that_it_was_the_policy(house: House) -> None:
    treats(house, "{scanner: {show: fallback}}")
    house.saw("mug")
    decision = asyncio.run(
        house.wetink.opens.preview(
            house.wetink.content, house.wetink.content.block("hero"), JANE, Moment(house.now, fetch_class="scanner")
        )
    )
    assert decision.trace[-1].why == "fallback: the block's policy for this class of fetch: scanner"
    assert decision.items == ()


def test_a_policy_that_is_changed_is_applied_to_the_past_on_request(house: House) -> None:
    house.saw("mug")
    house.get(house.url("picture", "hero"), agent=APPLE)
    assert results(house)["hero"].opens == 0
    treats(house, "{prefetch: {count: true}}")
    assert results(house)["hero"].opens == 0
    asyncio.run(house.wetink.reports.reclassify(house.wetink.content))
    assert results(house)["hero"].opens == 1


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("{robot: {count: false}}", "Invalid enum value 'robot'"),
        ("{proxy: {show: blank}}", "Invalid enum value 'blank' - at `$.fetches[...].show`"),
        ("{proxy: {counts: true}}", "unknown field `counts`"),
    ],
)
def test_a_policy_that_means_nothing_is_refused_with_its_place(house: House, policy: str, said: str) -> None:
    path = house.wetink.settings.data / "content" / "blocks" / "hero.yaml"
    path.write_text(f"{path.read_text()}\nfetches: {policy}\n")
    asyncio.run(house.wetink.look_again())
    [problem] = house.wetink.content.problems
    assert problem.startswith("blocks/hero.yaml: ")
    assert said in problem
