"""Apps of the moment: countdowns that never move, progress bars, and what others do."""

from typing import Any

import msgspec
import pytest

from tests.apps.test_shelves import NOW, did, product, shop, who
from wetink.apps import load
from wetink.core.app.app import Shop, Shown
from wetink.core.catalog.trends import DAY, HOUR
from wetink.core.events.clock import parse
from wetink.core.profile.person import Moment, Person

APPS = load()


def run(
    name: str, settings: dict[str, Any], person: Person | None = None, there: Shop | None = None, **more: Any
) -> Shown | None:
    app = APPS[name]
    moment = Moment(**{"now": NOW, **more})
    return app.show(person or Person(), msgspec.convert(settings, app.settings), moment, there or Shop())


def ends(settings: dict[str, Any], person: Person | None = None, there: Shop | None = None, **more: Any) -> int | None:
    """Return the end a countdown shows (Unix ms)."""
    shown = run("countdown", settings, person, there, **more)
    return shown.facts["ends_at"] if shown is not None else None


CART = who(did("Product Added", HOUR, product("mug")))


@pytest.mark.parametrize(
    ("now", "settings", "zone", "expected"),
    [
        ("2026-11-24T10:00:00Z", {"at": "2026-12-24T18:00"}, "Europe/Berlin", "2026-12-24T17:00:00Z"),
        ("2026-11-24T10:00:00Z", {"at": "2026-12-24T18:00"}, "", "2026-12-24T18:00:00Z"),
        ("2026-11-24T10:00:00Z", {"at": "2026-12-24T18:00", "zone": "America/New_York"}, "Europe/Berlin",
         "2026-12-24T23:00:00Z"),
        ("2026-11-24T10:00:00Z", {"at": "2026-12-24T18:00+02:00"}, "Asia/Tokyo", "2026-12-24T16:00:00Z"),
        ("2026-11-24T10:00:00Z", {"at": "2026-11-24T10:00"}, "", None),
        ("2026-11-24T10:00:00Z", {"at": "tomorrow"}, "", None),
        ("2026-11-24T10:00:00Z", {"at": "2026-12-24T18:00"}, "Mars/Olympus", "2026-12-24T18:00:00Z"),
        ("2026-11-24T13:59:00Z", {"ends": "dispatch"}, "Europe/Berlin", "2026-11-24T14:00:00Z"),
        ("2026-11-24T14:00:00Z", {"ends": "dispatch"}, "Europe/Berlin", "2026-11-25T14:00:00Z"),
        ("2026-11-27T20:00:00Z", {"ends": "dispatch"}, "Europe/Berlin", "2026-11-30T14:00:00Z"),
        ("2026-11-27T20:00:00Z", {"ends": "dispatch", "working_days": ["sat"]}, "", "2026-11-28T15:00:00Z"),
        ("2026-11-27T20:00:00Z", {"ends": "dispatch", "working_days": []}, "", None),
        ("2026-03-28T20:00:00Z", {"ends": "dispatch", "working_days": ["sun"]}, "Europe/Berlin",
         "2026-03-29T13:00:00Z"),
    ],
    ids=["the reader's zone", "no zone", "the shop's zone", "an offset", "over", "no time", "no such zone",
         "a minute left", "the next day", "over the weekend", "Saturdays only", "never", "summer time begins"],
)  # fmt: skip
def test_a_countdown_ends(now: str, settings: dict[str, Any], zone: str, expected: str | None) -> None:
    assert ends(settings, now=parse(now), time_zone=zone) == (parse(expected) if expected else None)


def test_a_countdown_to_a_cart_ends_so_long_after_its_last_change() -> None:
    assert ends({"ends": "cart", "hours": 2}, CART) == NOW + HOUR
    assert ends({"ends": "cart", "hours": 1}, CART) is None
    assert ends({"ends": "cart"}) is None, "there is no cart"


def test_a_persons_own_end_is_promised_and_then_holds() -> None:
    shown = run("countdown", {"ends": "after_first_open", "hours": 48})
    assert shown is not None
    assert dict(shown.promise) == {"first": NOW + 48 * HOUR}
    promised = Shop(promised=shown.promise)
    assert ends({"ends": "after_first_open", "hours": 1}, there=promised, now=NOW + HOUR) == NOW + 48 * HOUR
    assert ends({"ends": "after_first_open"}, there=promised, now=NOW + 3 * DAY) is None, "over is over"
    again = {"ends": "after_first_open", "hours": 1, "promise": "second"}
    assert ends(again, there=promised, now=NOW + 3 * DAY) == NOW + 3 * DAY + HOUR


@pytest.mark.parametrize(
    ("have", "goal", "left", "percent", "reward"),
    [
        (0, 500, 500, 0, "free shipping"),
        (740, 1000, 260, 74, "a €20 voucher"),
        ("740", 1000, 260, 74, "a €20 voucher"),
        (499.5, 500, 0.5, 100, "free shipping"),
        (500, 1000, 500, 50, "a €20 voucher"),
        (9000, 2500, 0, 100, "early access"),
    ],
)
def test_loyalty_shows_the_way_to_the_next_reward(
    have: Any, goal: float, left: float, percent: int, reward: str
) -> None:
    shown = run("loyalty", {}, Person(traits={"points": have}))
    assert shown is not None
    found = [shown.facts[name] for name in ("goal", "left", "percent", "reward")]
    assert found == [goal, left, percent, reward]


@pytest.mark.parametrize("traits", [{}, {"points": None}, {"points": "many"}, {"points": True}, {"points": -1}])
def test_loyalty_shows_nothing_to_who_has_no_such_number(traits: dict[str, Any]) -> None:
    assert run("loyalty", {}, Person(traits=traits)) is None


def test_loyalty_reads_a_trait_inside_another_and_more_goals_than_rewards() -> None:
    shown = run("loyalty", {"trait": "club.stars", "goals": [10], "rewards": []}, Person(traits={"club": {"stars": 4}}))
    assert shown is not None
    assert (shown.facts["left"], shown.facts["reward"]) == (6, "")


def test_social_proof_says_how_many_once_there_are_enough() -> None:
    mug, lamp = product("mug"), product("lamp")
    crowd = tuple(did("Order Completed", HOUR, mug, who=f"c{number}") for number in range(6))
    person = who(did("Product Viewed", 2 * HOUR, mug), did("Product Viewed", HOUR, lamp))
    shown = run("social-proof", {}, person, shop(mug, lamp, events=crowd))
    assert shown is not None
    assert [seen.product.sku for seen in shown.items] == ["mug"]
    assert shown.facts["says"][0]["note"] == "6 bought this today"
    assert run("social-proof", {"least": 7}, person, shop(mug, lamp, events=crowd)) is None
