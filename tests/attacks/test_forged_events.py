"""T3: the page's write key is public. What somebody forges with it must not stand in a victim's email.

Each attack is made twice: as it is, and with its defence taken out, to see that the test would notice.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.web.test_open import SHOP, House
from wetink.core.identifier import Identifier
from wetink.serve import people
from wetink.web.pages import ROUTES

VICTIM = Identifier("email", "victim@shop.example")
MALLORY = "mallory"
EVIL = "https://evil.example"
DEFENCES = [pytest.param(True, id="defended"), pytest.param(False, id="undefended")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    yield made
    asyncio.run(made.wetink.close())


def tells(house: House, source: str, **message: Any) -> None:
    house.now += 1000
    house.count += 1
    house.take({"type": "track", "messageId": f"t{house.count}", "timestamp": house.now, **message}, source)


def shown(house: House, who: Identifier = VICTIM) -> list[str]:
    decision = house.get(house.url("data", "hero", who=who)).json
    return [item["product"].get("name", "") for item in decision["items"]]


def clicked(house: House, who: Identifier = VICTIM) -> str:
    return house.get(house.url("click", "hero", who=who)).headers["location"]


def disarm(house: House, source: str) -> None:
    """Believe a page's key like a server's: the defence is the level."""
    real = house.take
    house.take = lambda message, _=source: real(message, "shop")  # type: ignore[method-assign]


@pytest.mark.parametrize("defended", DEFENCES)
def test_an_address_that_the_shop_gave_to_its_customer_is_not_taken_over_by_an_identify_of_a_page(
    house: House, defended: bool
) -> None:
    tells(house, "shop", type="identify", userId="victim", traits={"email": VICTIM.value})
    house.saw("mug", who="victim")
    house.saw("bait", who=MALLORY)
    if not defended:
        disarm(house, "page")
    tells(house, "page", type="identify", userId=MALLORY, traits={"email": VICTIM.value})
    assert shown(house) == (["The mug"] if defended else ["The bait"])


@pytest.mark.parametrize("defended", DEFENCES)
def test_an_address_that_only_pages_know_is_the_last_ones_but_never_shows_what_a_page_made_up(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(people, "doubtful", lambda person: ())
    tells(house, "page", type="identify", userId=MALLORY, traits={"email": VICTIM.value})
    house.saw("invented", "page", who=MALLORY, name="Call +1 900 555 0100", image_url=f"{SHOP}/x.jpg")
    assert shown(house) == ([] if defended else ["Call +1 900 555 0100"])


@pytest.mark.parametrize("defended", DEFENCES)
@pytest.mark.parametrize("field", ["name", "brand", "category", "url", "image_url"])
def test_what_a_page_says_of_a_product_is_shown_as_the_catalog_has_it(
    house: House, monkeypatch: pytest.MonkeyPatch, field: str, defended: bool
) -> None:
    known = {"name": "The mug", "brand": "Good", "category": "Cups", "image_url": f"{SHOP}/mug.jpg"}
    house.saw("mug", who="somebody", **known)
    if not defended:
        monkeypatch.setattr(people, "doubtful", lambda person: ())
    forged = f"{SHOP}/attack" if field.endswith("url") else "Call +1 900 555 0100"
    house.saw("mug", "page", who="victim", **{**known, field: forged})
    person = asyncio.run(house.wetink.person(Identifier("user", "victim"), house.now))
    values = [getattr(view.product, field) for view in person.views]
    assert (forged in values) is not defended


@pytest.mark.parametrize("defended", DEFENCES)
def test_links_and_photos_lead_to_the_shop_alone_whoever_names_others(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(house.wetink._opens, "_allowed", lambda url: True)
    tells(house, "shop", type="identify", userId="victim", traits={"email": VICTIM.value})
    house.saw("mug", who="victim", url=f"{EVIL}/login", image_url=f"{EVIL}/track.gif")
    [item] = house.get(house.url("data", "hero", who=VICTIM)).json["items"]
    assert (item["product"].get("image_url") == f"{EVIL}/track.gif") is not defended
    assert clicked(house).startswith(EVIL if not defended else SHOP)


@pytest.mark.parametrize("defended", DEFENCES)
def test_an_order_that_a_page_made_up_is_not_shown(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(people, "doubtful", lambda person: ())
    bought = {"order_id": "O", "total": 9, "products": [{"sku": "invented", "name": "Call me", "price": 9}]}
    tells(house, "page", event="Order Completed", userId="victim", properties=bought)
    person = asyncio.run(house.wetink.person(Identifier("user", "victim"), house.now))
    names = [product.name for purchase in person.orders for product in purchase.products]
    assert ("Call me" in names) is not defended


def test_an_address_that_many_claim_within_a_day_is_told_of_in_the_dashboard(house: House) -> None:
    tells(house, "shop", type="identify", userId="victim", traits={"email": VICTIM.value})
    for number in range(3):
        told = asyncio.run(house.wetink.store.contested(0))
        assert told == []
        tells(house, "page", type="identify", userId=f"mallory-{number}", traits={"email": VICTIM.value})
    [contested] = asyncio.run(house.wetink.store.contested(0))
    assert (contested.identifier, contested.claimers) == (VICTIM, 4)
    for number in range(3):  # each the next day
        house.now += 86_400_000
        tells(house, "page", type="identify", userId=f"slow-{number}", traits={"email": "calm@shop.example"})
    assert len(asyncio.run(house.wetink.store.contested(0))) == 1
    app = Starlette(routes=ROUTES)
    app.state.wetink = house.wetink
    with TestClient(app) as browser:
        page = browser.get("/dashboard").text
        assert "Claimed by oddly many" in page
        assert "4 users within a day" in page
        assert "email:victim%40shop.example" in page
        assert "calm%40shop.example" not in page
