"""Decide: the first variant that holds and has something to show; its products, its links, and why."""

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.app.app import OURS, App, Shop, Shown
from wetink.core.blocks.block import Block, Decision, Fallback, Step, Variant, stands
from wetink.core.blocks.decide import choose, decide, prepared
from wetink.core.events.event import Event, Product
from wetink.core.profile.history import History
from wetink.core.profile.person import Moment, Person, Seen
from wetink.core.rules.evaluate import Rulebook
from wetink.core.rules.parse import parse

NOW = 1_000_000
SHOP = "https://shop.example/"
HOME = Fallback(SHOP)


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    items: Annotated[int, msgspec.Meta(ge=1)] = 3
    color: str = "blue"


def seen(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    items = tuple(seen for seen in person.views if seen.at <= moment.now)[: settings.items]
    return Shown(items) if items else None


def page(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown:
    return seen(person, settings, moment, shop) or Shown()


APPS = {
    "seen": App("seen", "Seen", Settings, seen),
    "page": App("page", "Page", Settings, page),
}


def product(sku: str, **more: Any) -> Product:
    return Product(**{"sku": sku, "name": f"The {sku}", "url": f"{SHOP}{sku}", **more})


def viewer(*skus: str | Product) -> Person:
    products = [product(each) if isinstance(each, str) else each for each in skus]
    return Person(views=tuple(Seen(each, NOW - at) for at, each in enumerate(products)), last_seen=NOW)


def block(*variants: Variant, **more: Any) -> Block:
    return Block("hero", HOME, variants, **more)


def local(url: str) -> bool:
    return url.startswith(SHOP)


def decided(of: Block, person: Person, **catalog: Product) -> Decision:
    moment = Moment(NOW, campaign="spring")
    choice = choose(prepared(of, APPS, Rulebook()), person, moment, Shop())
    return decide(of, choice, moment, catalog, recipient="user:jane", decision_id="d1", allowed=local)


GOLD = parse({"trait": "plan", "equals": "gold"})
VIEWED = parse({"done": "Product Viewed"})


@pytest.mark.parametrize(
    ("variants", "person", "taken"),
    [
        ((), viewer("mug"), ""),
        ((Variant("a", "seen"),), viewer("mug"), "a"),
        ((Variant("a", "seen"), Variant("b", "seen")), viewer("mug"), "a"),
        ((Variant("a", "seen"),), Person(), ""),
        ((Variant("a", "seen"), Variant("b", "page")), Person(), "b"),
        ((Variant("a", "page", when=(GOLD,)), Variant("b", "page")), Person(), "b"),
        ((Variant("a", "page", when=(GOLD,)), Variant("b", "page")), Person(traits={"plan": "gold"}), "a"),
        ((Variant("a", "page", when=(GOLD, VIEWED)),), Person(traits={"plan": "gold"}), ""),
        ((Variant("a", "page", when=(GOLD, VIEWED)),), Person(traits={"plan": "gold"}, done={"Product Viewed": (1,)}),
         "a"),
        ((Variant("a", "gone"), Variant("b", "page")), Person(), "b"),
        ((Variant("a", "page", settings={"items": 0}), Variant("b", "page")), Person(), "b"),
        ((Variant("a", "page", settings={"colour": "red"}), Variant("b", "page")), Person(), "b"),
    ],
)  # fmt: skip
def test_the_first_variant_that_holds_and_has_something_to_show_is_taken(
    variants: tuple[Variant, ...], person: Person, taken: str
) -> None:
    decision = decided(block(*variants), person)
    assert decision.variant == taken
    assert [step.variant for step in decision.trace if step.taken] == [taken]
    assert decision.trace[-1].taken, "nothing is asked after the one that was taken"


def test_the_trace_says_why_of_each_variant_that_was_asked() -> None:
    variants = (
        Variant("for gold", "seen", when=(GOLD,)),
        Variant("unknown", "gone"),
        Variant("wrong", "seen", settings={"items": "many"}),
        Variant("old", "seen", when=(parse({"not_done": "Order Completed"}),), settings={"items": 2}),
        Variant("never asked", "page"),
    )
    trace = decided(block(*variants), viewer("mug", "lamp", "tent")).trace
    assert [(step.variant, step.taken) for step in trace] == [
        ("for gold", False), ("unknown", False), ("wrong", False), ("old", True),
    ]  # fmt: skip
    whys = [step.why for step in trace]
    assert whys[0] == "trait plan is not set"
    assert whys[1] == "there is no app called gone"
    assert "items" in whys[2]
    assert whys[3] == "did not do Order Completed; Seen shows The mug, The lamp"


@pytest.mark.parametrize(
    ("variants", "trace"),
    [
        ((), [Step("", True, "fallback: the block has no variants")]),
        ((Variant("a", "seen"),),
         [Step("a", False, "Seen has nothing to show"), Step("", True, "fallback: no variant matches")]),
        ((Variant("a", "page"),), [Step("a", True, "Page is shown")]),
    ],
)  # fmt: skip
def test_the_trace_of_a_stranger_says_why_each_variant_was_passed_over(
    variants: tuple[Variant, ...], trace: list[Step]
) -> None:
    assert list(decided(block(*variants), Person()).trace) == trace


def test_the_settings_are_the_variants_completed_by_the_apps() -> None:
    decision = decided(block(Variant("a", "seen", settings={"items": 1})), viewer("mug", "lamp"))
    assert decision.settings == {"items": 1, "color": "blue"}
    assert [item.sku for item in decision.items] == ["mug"]


def test_a_decision_carries_what_it_was_made_for() -> None:
    variant = Variant("a", "seen", template="own.liquid")
    decision = decided(block(variant), viewer("mug"))
    assert (decision.id, decision.block, decision.recipient, decision.campaign) == ("d1", "hero", "user:jane", "spring")
    assert (decision.at, decision.app, decision.template) == (NOW, "seen", "own.liquid")
    nothing = decided(block(variant), Person())
    assert (nothing.app, nothing.template, nothing.items, nothing.settings) == ("", "", (), {})
    assert nothing.links == (SHOP,)


def test_the_catalogs_newest_facts_are_filled_in_for_the_products_wanted() -> None:
    person = viewer("mug", "lamp", "mug")
    assert choose(prepared(block(Variant("a", "seen")), APPS, Rulebook()), person, Moment(NOW), Shop()).wanted == [
        "mug",
        "lamp",
    ]
    decision = decided(block(Variant("a", "seen")), person, mug=Product(sku="mug", price=7.0, url=f"{SHOP}new"))
    assert [(item.price, item.url) for item in decision.items[:2]] == [(7.0, f"{SHOP}new"), (None, f"{SHOP}lamp")]
    assert decision.links == (f"{SHOP}new",)


LAMP, BARE = product("lamp"), product("bare", url="")
EVIL = product("evil", url="https://evil.example/", image_url="https://evil.example/x.png")


@pytest.mark.parametrize(
    ("slots", "link", "seen", "links"),
    [
        (1, "", (LAMP, EVIL), (f"{SHOP}lamp",)),
        (1, "", (EVIL, LAMP), (SHOP,)),
        (1, "", (BARE,), (SHOP,)),
        (1, f"{SHOP}sale", (LAMP,), (f"{SHOP}sale",)),
        (1, f"{SHOP}sale", (EVIL,), (f"{SHOP}sale",)),
        (1, "", (), (SHOP,)),
        (3, "", (LAMP, EVIL), (f"{SHOP}lamp", SHOP, SHOP)),
        (3, f"{SHOP}sale", (LAMP, BARE, EVIL), (f"{SHOP}lamp", f"{SHOP}sale", f"{SHOP}sale")),
        (2, "", (LAMP, BARE, LAMP), (f"{SHOP}lamp", SHOP)),
        (2, "", (LAMP, product("mug")), (f"{SHOP}lamp", f"{SHOP}mug")),
    ],
)
def test_each_slot_links_to_its_product_or_the_variants_or_fallbacks_link(
    slots: int, link: str, seen: tuple[Product, ...], links: tuple[str, ...]
) -> None:
    decision = decided(block(Variant("a", "seen", link=link), slots=slots), viewer(*seen))
    assert decision.links == links


@pytest.mark.parametrize(("package", "counted"), [(OURS, 2), ("shop_apps", 1)])
def test_an_app_of_another_package_sees_no_events_that_pages_told(package: str, counted: int) -> None:
    told = [Event("track", 1, level, "s", "Product Viewed", level) for level in ("server", "browser")]
    looked: list[int] = []

    def looks(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown:
        looked.append(len(person.history.named("Product Viewed")))
        return Shown()

    app = App("looks", "Looks", Settings, looks, package=package)
    ready = prepared(block(Variant("v", app="looks")), {"looks": app}, Rulebook())
    choose(ready, Person(history=History(told)), Moment(NOW), Shop())
    assert looked == [counted]


def test_a_photo_of_another_host_is_left_out_wherever_it_was_named() -> None:
    photo = f"{SHOP}lamp.png"
    person = viewer(EVIL, product("lamp", image_url=photo), product("mug"))
    decision = decided(block(Variant("a", "seen")), person, mug=Product(sku="mug", image_url="https://evil.example/"))
    assert [(item.url, item.image_url) for item in decision.items] == [
        ("", ""), (f"{SHOP}lamp", photo), (f"{SHOP}mug", ""),
    ]  # fmt: skip


URLS = st.sampled_from(["", SHOP, f"{SHOP}a", "https://evil.example/", "javascript:alert(1)"])
PRODUCTS = st.builds(Product, sku=st.sampled_from("abc"), url=URLS, image_url=URLS)


@given(st.lists(PRODUCTS, max_size=5), st.integers(1, 6), st.dictionaries(st.sampled_from("abc"), PRODUCTS))
def test_every_slot_has_a_link_and_no_address_is_foreign(
    products: list[Product], slots: int, catalog: dict[str, Product]
) -> None:
    decision = decided(block(Variant("a", "page"), slots=slots), viewer(*products), **catalog)
    assert len(decision.links) == slots
    assert all(local(link) for link in decision.links)
    for item in decision.items:
        assert all(local(url) for url in (item.url, item.image_url) if url)
    again = decided(block(Variant("a", "page"), slots=slots), viewer(*products), **catalog)
    assert again == decision


@pytest.mark.parametrize(
    ("served", "age", "changed", "slot", "expected"),
    [
        (0b0010, 0, False, 1, True),
        (0b0010, 59, True, 2, True),
        (0b0010, 59, True, 1, False),
        (0b0010, 59, False, 1, True),
        (0b0110, 1, True, 2, False),
        (0b0010, 60, False, 1, False),
        (0b0010, 60, True, 2, False),
        (0b0010, -1, True, 2, True),
        (0b0010, -59, False, 1, True),
        (0b0010, -60, False, 2, False),
    ],
)
def test_a_kept_decision_stands_for_all_slots_of_one_open(
    served: int, age: int, changed: bool, slot: int, expected: bool
) -> None:
    kept = decided(block(Variant("a", "seen"), slots=2), viewer("mug"))
    fresh = decided(block(Variant("a", "seen"), slots=2), viewer("lamp" if changed else "mug"))
    fresh = msgspec.structs.replace(fresh, id="d2", at=kept.at + age)
    assert stands(kept, served, fresh, slot, 60) is expected
