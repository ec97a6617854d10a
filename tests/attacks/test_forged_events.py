"""T3: the page's write key is public. What somebody forges with it must not stand in a victim's email.

Each attack is made twice: as it is, and with its defence taken out, to see that the test would notice.
"""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.web.test_open import SHOP, House
from wetink.core.identity.identifier import Identifier
from wetink.core.identity.user_hash import hash_of
from wetink.opens import lookup
from wetink.web.app import ROUTES

VICTIM = Identifier("email", "victim@shop.example")
MALLORY = "mallory"
EVIL = "https://evil.example"
DEFENCES = [pytest.param(True, id="defended"), pytest.param(False, id="undefended")]


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
def test_a_page_identify_cannot_take_over_an_address_set_by_the_server(house: House, defended: bool) -> None:
    tells(house, "shop", type="identify", userId="victim", traits={"email": VICTIM.value})
    house.saw("mug", who="victim")
    house.saw("bait", who=MALLORY)
    if not defended:
        disarm(house, "page")
    tells(house, "page", type="identify", userId=MALLORY, traits={"email": VICTIM.value})
    assert shown(house) == (["The mug"] if defended else ["The bait"])


@pytest.mark.parametrize("defended", DEFENCES)
def test_an_address_known_only_to_pages_never_shows_what_a_page_made_up(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(lookup, "doubtful", lambda person: ())
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
        monkeypatch.setattr(lookup, "doubtful", lambda person: ())
    forged = f"{SHOP}/attack" if field.endswith("url") else "Call +1 900 555 0100"
    house.saw("mug", "page", who="victim", **{**known, field: forged})
    person = asyncio.run(house.wetink.opens.person(Identifier("user", "victim"), house.now))
    values = [getattr(view.product, field) for view in person.views]
    assert (forged in values) is not defended


@pytest.mark.parametrize("defended", DEFENCES)
def test_links_and_photos_lead_to_the_shop_alone_whoever_names_others(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(house.wetink.opens, "_allowed", lambda url: True)
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
        monkeypatch.setattr(lookup, "doubtful", lambda person: ())
    bought = {"order_id": "O", "total": 9, "products": [{"sku": "invented", "name": "Call me", "price": 9}]}
    tells(house, "page", event="Order Completed", userId="victim", properties=bought)
    person = asyncio.run(house.wetink.opens.person(Identifier("user", "victim"), house.now))
    names = [product.name for purchase in person.orders for product in purchase.products]
    assert ("Call me" in names) is not defended


def test_an_address_that_many_claim_within_a_day_is_told_of_in_the_dashboard(house: House) -> None:
    tells(house, "shop", type="identify", userId="victim", traits={"email": VICTIM.value})
    for number in range(3):
        told = asyncio.run(house.wetink.store.profiles.contested(0))
        assert told == []
        tells(house, "page", type="identify", userId=f"mallory-{number}", traits={"email": VICTIM.value})
    [contested] = asyncio.run(house.wetink.store.profiles.contested(0))
    assert (contested.identifier, contested.claimers) == (VICTIM, 4)
    for number in range(3):  # each the next day
        house.now += 86_400_000
        tells(house, "page", type="identify", userId=f"slow-{number}", traits={"email": "calm@shop.example"})
    assert len(asyncio.run(house.wetink.store.profiles.contested(0))) == 1
    app = Starlette(routes=ROUTES)
    app.state.wetink = house.wetink
    with TestClient(app) as browser:
        page = browser.get("/dashboard").text
        assert "Suspicious identifiers" in page
        assert "4 users within a day" in page
        assert "email:victim%40shop.example" in page
        assert "calm%40shop.example" not in page


EVIL_ADDRESS = Identifier("email", "mallory@evil.example")


def signed(house: House, user: str) -> dict[str, Any]:
    """Return the context in which the shop's server vouches for a user."""
    [page] = [each for each in asyncio.run(house.wetink.store.sources.all()) if each.name == "page"]
    return {"userHash": hash_of(user, page.secrets[0])}


@pytest.mark.parametrize("defended", DEFENCES)
@pytest.mark.parametrize("first", [True, False], ids=["before the shop tells", "after"])
@pytest.mark.parametrize("attack", ["identify", "alias", "alias-back", "device"])
def test_no_address_is_led_to_a_customer_by_a_page(house: House, attack: str, first: bool, defended: bool) -> None:
    forged: dict[str, list[dict[str, Any]]] = {
        "identify": [{"type": "identify", "userId": "victim"}],
        "alias": [
            {"type": "alias", "userId": MALLORY, "previousId": "victim"},
            {"type": "identify", "userId": MALLORY},
        ],
        "alias-back": [
            {"type": "alias", "userId": "victim", "previousId": MALLORY},
            {"type": "identify", "userId": MALLORY},
        ],
        "device": [
            {"type": "identify", "anonymousId": "evil-device", "userId": "victim"},
            {"type": "identify", "anonymousId": "evil-device"},
        ],
    }

    def forge() -> None:
        for message in forged[attack]:
            last = message is forged[attack][-1]
            traits = {"traits": {"email": EVIL_ADDRESS.value}} if last else {}
            tells(house, "page", **message, **traits)

    if not defended:
        disarm(house, "page")
    if first:
        forge()
    house.saw("mug", who="victim")
    if not first:
        forge()
    shows = shown(house, EVIL_ADDRESS)
    if defended:
        assert shows == []
    elif attack != "device":
        assert shows == ["The mug"]
    assert shown(house, Identifier("user", "victim")) == ["The mug"]


def test_anonymous_page_events_reach_the_customer_but_show_the_page_nothing(
    house: House,
) -> None:
    house.saw("lamp", who="somebody")
    house.saw("mug", who="victim")
    tells(
        house, "page", event="Product Viewed", anonymousId="device", properties={"sku": "lamp", "url": f"{SHOP}/lamp"}
    )
    tells(house, "page", type="identify", anonymousId="device", userId="victim")
    assert shown(house, Identifier("user", "victim")) == ["The lamp", "The mug"]
    assert asyncio.run(house.wetink.opens.person(Identifier("anonymous", "device"), house.now)).views == ()


@pytest.mark.parametrize("proof", [True, False])
def test_a_page_that_proves_its_user_leads_the_address_to_what_the_shop_told(house: House, proof: bool) -> None:
    house.saw("mug", who="42")
    context = signed(house, "42") if proof else {}
    traits = {"email": VICTIM.value, "name": "Ada 2nd, née 1815"}
    tells(house, "page", type="identify", userId="42", traits=traits, context=context)
    assert shown(house) == (["The mug"] if proof else [])
    person = asyncio.run(house.wetink.opens.person(Identifier("user", "42"), house.now))
    assert (person.page_traits == ()) is proof


def test_a_shop_with_pages_alone_is_safe_from_others_once_it_proves_its_users(house: House) -> None:
    house.saw("mug", who="somebody")
    mug = {"sku": "mug", "name": "Call +1 900 555 0100", "url": f"{SHOP}/mug"}
    tells(house, "page", type="identify", userId="42", traits={"email": VICTIM.value}, context=signed(house, "42"))
    tells(house, "page", event="Product Viewed", userId="42", properties=mug, context=signed(house, "42"))
    assert shown(house) == ["The mug"]
    tells(house, "page", type="identify", userId="42", traits={"email": EVIL_ADDRESS.value})
    tells(house, "page", type="identify", userId=MALLORY, traits={"email": VICTIM.value})
    wrong = {"userHash": signed(house, MALLORY)["userHash"]}
    tells(house, "page", type="identify", userId="42", traits={"email": EVIL_ADDRESS.value}, context=wrong)
    assert shown(house, EVIL_ADDRESS) == []
    assert shown(house) == ["The mug"]
    [parked] = asyncio.run(house.wetink.store.log.messages(verdict="parked"))
    assert (parked.problems[0].code, parked.problems[0].property) == ("wrong_user_hash", "context.userHash")
