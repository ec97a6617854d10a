"""What a page's key may say: laws for any messages of servers' keys (S) and of pages' keys (B), by the real store.

1. Pages put no text, link or photo into anybody's picture that a server or the catalog did not say.
2. Pages let no identifier see what a server told of somebody else.
"""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.profiles import LATE, mentioned, received
from tests.examples import examples
from tests.storage import opened
from tests.web.test_open import SHOP, House
from wetink.core.blocks.block import alt_of
from wetink.core.catalog import trust
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, plain
from wetink.opens import drawing
from wetink.opens.drawing import template_values
from wetink.ports import Record, Storage

FAST = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
IDS = {
    "userId": ["42", "66", "victim@shop.example"],
    "anonymousId": ["a", "b"],
    "email": ["victim@shop.example", "mallory@evil.example"],
}
LEVELS = ("server", "browser", "browser", "verified")


@st.composite
def claim(draw: st.DrawFn) -> dict[str, Any]:
    """Return a message that says who is who, or what somebody did."""
    made: dict[str, Any] = {"type": draw(st.sampled_from(["track", "identify", "alias"])), "event": "X"}
    made["timestamp"] = LATE - 1000 * draw(st.integers(1, 6))
    for name, values in IDS.items():
        if draw(st.booleans()):
            value = draw(st.sampled_from(values))
            made |= {"context": {"traits": {"email": value}}} if name == "email" else {name: value}
    if made["type"] == "alias":
        made["previousId"] = draw(st.sampled_from([*IDS["userId"], *IDS["anonymousId"]]))
    return made


async def seen(store: Storage, everyone: set[Identifier]) -> dict[Identifier, set[str]]:
    """Return the ids of the events that each identifier leads to."""
    found = {who: await store.profiles.history(who, FOREVER - 1) for who in everyone}
    return {who: {event.message_id for event in events} for who, events in found.items()}


@settings(max_examples=examples(50), suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(claim(), st.sampled_from(LEVELS)), min_size=2, max_size=9))
def test_page_keys_never_widen_who_sees_what_servers_reported(
    sent: list[tuple[dict[str, Any], str]],
) -> None:
    records = [received({**each, "messageId": f"m{index}"}, level=level) for index, (each, level) in enumerate(sent)]
    everyone = mentioned(records)
    told = [each for each in records if each.event is not None and each.event.level != "browser"]
    with TemporaryDirectory(dir=FAST) as place:
        asyncio.run(compare(Path(place), records, told, everyone))


async def compare(place: Path, records: list[Record], told: list[Record], everyone: set[Identifier]) -> None:
    both, servers = opened(place / "both"), opened(place / "servers")
    try:
        for each in records:
            await both.log.append([each])
        await servers.log.append(told)
        known = {each.message_id for each in told}
        now, alone = await seen(both, everyone), await seen(servers, everyone)
        for who in everyone:
            assert now[who] & known == alone[who]
        users = {each.filed for each in told if each.filed is not None and each.filed.kind == "user"}
        for user, who in itertools.product(users, everyone):
            theirs = {each.message_id for each in records if each.filed == user}
            if await servers.profiles.resolve(who, FOREVER - 1) != await servers.profiles.resolve(user, FOREVER - 1):
                assert not now[who] & theirs, f"{who} sees what is filed under {user}"
    finally:
        await both.close()
        await servers.close()


POISON = (
    "YOU WON! Call 555-0100 now", "https://evil.example/login", "//evil.example/x.png", "evil.example", "555-0100",
    "mail me@evil.example", "<b>555-0100</b>", "{{ 'evil.example' }}", "\u260e555-0100", "a\nevil.example",
    "Free".ljust(41, "x") + "evil.example",
)  # fmt: skip
MARKS = ("evil.example", "555-0100")
TEXT = st.sampled_from(POISON)
GOODS = ("mug", "lamp")
PRODUCT_TEXTS = ("name", "brand", "category", "variant", "coupon", "url", "image_url", "currency", "availability")
ORDER_TEXTS = ("order_id", "checkout_id", "affiliation", "coupon", "currency")
EVENTS = (
    "Product Viewed", "Product Added", "Cart Viewed", "Checkout Started", "Order Completed", "Order Updated",
    "Product Added to Wishlist", "Products Searched", "Order Cancelled",
)  # fmt: skip


def forged(words: str, sku: str, number: int) -> dict[str, Any]:
    """Return properties that have the words wherever an event can say anything."""
    product = {**dict.fromkeys(PRODUCT_TEXTS, words), "sku": sku, "product_id": words, "price": number, "quantity": 1}
    order = {**dict.fromkeys(ORDER_TEXTS, words), "total": number}
    return {**product, **order, "products": [product], "query": words, "campaign": words, words: words}


@st.composite
def page(draw: st.DrawFn) -> dict[str, Any]:
    """Return a message of a page with its words in every field."""
    words = draw(TEXT)
    traits: dict[str, Any] = {
        **dict.fromkeys(draw(st.lists(st.sampled_from(TRAITS), max_size=9)), words),
        words: words,
        "address": {"city": words, words: "Oslo", "timeZone": words},
        "tags": [words, {"name": words}],
        "points": draw(st.sampled_from([120, 15555550100, words])),
    }
    kind = draw(st.sampled_from(["track", "track", "identify", "page", "screen", "group", "alias"]))
    made: dict[str, Any] = {"type": kind, "traits": traits, "context": {"traits": traits, "campaign": {"name": words}}}
    if draw(st.booleans()):
        made["traits"] = dict.fromkeys((*TRAITS, "first_name"))
    if kind == "track":
        made["event"] = draw(st.sampled_from((*EVENTS, words)))
    made["name"] = made["previousId"] = words
    made["properties"] = forged(words, draw(st.sampled_from([*GOODS, words])), draw(st.integers(1, 9)))
    return made


TRAITS = ("first_name", "firstName", "name", "city", "language", "locale", "currency", "timezone", "plan", "email")


class Gallery(House):
    """A house with a block of each app, and a template of its own that shows whatever there is."""

    def blocks(self) -> list[str]:
        return [name for name in self.wetink.content.blocks if name.startswith("all-")]

    async def look(self, who: Identifier) -> Iterator[str]:
        """Return everything that is sent to somebody, as text."""
        moment, found = Moment(self.now, fetch_class="person"), []
        person = await self.wetink.opens.person(who, self.now)
        found.append(msgspec.json.encode(plain(trust.shown(person))).decode())
        for name in self.blocks():
            block = self.wetink.content.block(name)
            decision = await self.wetink.opens.preview(
                self.wetink.content, self.wetink.content.block(name), who, moment
            )
            found.append(alt_of(block, decision, 1))
            found += decision.links
            found.append(msgspec.json.encode([decision.items, decision.facts]).decode())
            found.append(msgspec.json.encode(template_values(block, decision, 1, person, moment, {})).decode())
            found.append(await self.wetink.embed.words(self.wetink.content, name, 1, who, moment))
            found.append(await self.wetink.embed.fragment(self.wetink.content, name, who, moment))
        return iter(found)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    folder = tmp_path_factory.mktemp("gallery") / "data"
    made = Gallery(folder)
    blocks = folder / "content" / "blocks"
    for name, app in made.wetink.apps.items():
        text = msgspec.json.encode(app.sample.settings).decode()
        template = ", template: hello.liquid" if not app.template else ""
        (blocks / f"all-{name}.yaml").write_text(
            f"variants:\n  - {{name: it, app: {name}, settings: {text}{template}}}\n"
            'fallback: {link: "https://shop.example/", title: Come in}\nrecipients: [user, email]\n'
        )
    asyncio.run(made.wetink.look_again())
    for sku in GOODS:
        made.saw(sku, who="somebody", image_url=f"{SHOP}/{sku}.jpg", brand="Good", category="Cups")
    yield made
    asyncio.run(made.wetink.close())


count = itertools.count()


@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(page(), min_size=1, max_size=5), st.booleans())
def test_pages_put_no_words_links_or_photos_into_anything_that_is_sent(
    gallery: Gallery, forgeries: list[dict[str, Any]], before: bool
) -> None:
    who = f"victim-{next(count)}"
    tell_of(gallery, who, forgeries, before=before)
    sent = list(asyncio.run(gallery.look(Identifier("user", who))))
    for mark in MARKS:
        assert not [text for text in sent if mark in text]
    person = asyncio.run(gallery.wetink.opens.person(Identifier("user", who), gallery.now))
    assert (person.traits["first_name"], person.traits["plan"]) == ("Ada", "gold")


def tell_of(gallery: Gallery, who: str, forgeries: list[dict[str, Any]], *, before: bool) -> None:
    """Have the shop tell of somebody, and pages forge messages in their name before or after that."""
    told = {"type": "identify", "userId": who, "traits": {"first_name": "Ada", "plan": "gold"}}
    for source, message in [("page", each) for each in forgeries] + [("shop", told)]:
        gallery.count += 1
        shift = -5_000 if (source == "shop") is before else 0
        at = gallery.now + shift + gallery.count % 100
        gallery.take({**message, "userId": who, "messageId": f"f{gallery.count}", "timestamp": at}, source)
    gallery.now += 1_000


@pytest.mark.parametrize("words", POISON)
def test_without_the_filter_of_page_words_each_of_them_is_sent(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr(drawing, "shown", lambda person, **_: person)
    monkeypatch.setattr(drawing, "filled", lambda traits: traits)  # it hides unfilled tags, whoever sent them
    who = f"undefended-{next(count)}"
    tell_of(gallery, who, [{"type": "identify", "traits": {"nick": words}}], before=True)
    sent = list(asyncio.run(gallery.look(Identifier("user", who))))
    assert any(msgspec.json.encode(words).decode()[1:-1] in text for text in sent)
