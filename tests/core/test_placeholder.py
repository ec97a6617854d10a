"""Placeholders: what stands for nobody and nothing is never told apart by, and real ids always are."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.blocks.esp import ESPS, HOLE
from wetink.core.catalog.trust import filled
from wetink.core.events.message import Endpoint, pieces
from wetink.core.identity.identifier import anonymous, email, user
from wetink.core.messages.normalize import normalize
from wetink.core.messages.record import Record
from wetink.core.text.placeholder import USUAL, Placeholders
from wetink.opens.recipient import parse

FACTS = json.loads((Path(__file__).parents[1] / "facts" / "placeholders.json").read_text())
EVERYWHERE = [*FACTS["tags"], *FACTS["nulls"]]
IDS = [*EVERYWHERE, *FACTS["words"]]
PEOPLE = [*IDS, *FACTS["guests"]]
REAL = FACTS["real"]


def test_a_placeholder_is_nobody_however_it_is_quoted_and_written() -> None:
    for text in PEOPLE:
        for variant in variants(text):
            assert USUAL.nobody(variant), variant
            assert user(variant) is None
            assert anonymous(variant) is None
            assert parse(f"user:{variant}") is None


def test_a_placeholder_is_no_product_and_no_order() -> None:
    for text in IDS:
        for variant in variants(text):
            assert USUAL.nothing(variant), variant


def test_a_placeholder_is_no_event() -> None:
    for text in EVERYWHERE:
        assert all(USUAL.no_name(variant) for variant in variants(text))


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_tag_stays_one_however_often_it_was_encoded(times: int) -> None:
    for text in FACTS["tags"]:
        for form in (text, text.upper()):
            coded = form
            for _ in range(times):
                coded = quote(coded, safe="")
            assert USUAL.nobody(coded), coded
            assert USUAL.nobody(re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), coded)), coded


def variants(text: str) -> set[str]:
    changed = {text.upper(), text.lower()} if "\\x" not in text and "%" not in text and "&" not in text else set()
    cased = {text, *changed}
    return {form for each in cased for form in (each, f"  {each}\t", f'"{each}"', f"'{each}'", f"\n{each} ")}


def test_an_id_that_somebody_may_have_is_one() -> None:
    for text in REAL:
        for variant in (text, f" {text} "):
            assert not USUAL.nobody(variant)
            assert not USUAL.nothing(variant)
        found = user(text)
        assert found is not None
        assert found.value == text


def test_the_tables_are_as_large_as_they_are_said_to_be() -> None:
    assert (len(set(REAL)) >= 200, len(set(PEOPLE)) >= 300) == (True, True)


@pytest.mark.parametrize("esp", ESPS, ids=lambda esp: esp.name)
def test_no_tag_of_an_esp_that_stays_unfilled_names_anybody(esp: object) -> None:
    for field in (esp.user, esp.email, esp.campaign):  # type: ignore[attr-defined]
        for tag in {esp.tag, esp.link_tag} - {""}:  # type: ignore[attr-defined]
            if not field:
                continue
            said = tag.replace(HOLE, field)
            asked = dict(parse_qsl(f"user={said.partition('#')[0]}", keep_blank_values=True)).get("user", "")
            for text in (said,) if "\ufffd" in asked else (said, asked):
                assert USUAL.nobody(text), text
                assert email(text) is None
                assert parse(f"email:{text}") is None


def take(message: dict[str, object], known: Placeholders = USUAL) -> Record:
    [piece], _ = pieces(json.dumps(message).encode(), Endpoint(type="track"))
    return normalize(piece, source="s", level="server", received=1_795_000_000_000, known=known)


def track(event: str = "Product Viewed", **said: object) -> dict[str, object]:
    fields = {"url": "https://shop.example/p", "name": "P", "price": 1, **said}
    return {"type": "track", "event": event, "userId": "u-1", "properties": fields}


def named(normal: Record) -> list[str]:
    return [each.property for each in normal.problems if each.code == "placeholder"]


def test_each_place_of_a_person_says_that_it_holds_a_placeholder() -> None:
    for text in PEOPLE:
        sent = {"type": "identify", "userId": text, "anonymousId": "a-1", "traits": {"email": text}}
        normal = take(sent)
        assert normal.event is not None
        assert (normal.event.user, normal.event.email, normal.event.anonymous) == ("", "", "a-1")
        assert (normal.claims, normal.joins, normal.verdict) == ((), None, "usable")
        assert named(normal) == ["userId", "traits.email"]
        normal = take({"type": "track", "event": "X", "userId": "u-1", "anonymousId": text})
        assert (named(normal), normal.claims) == (["anonymousId"], ())
        alias = take({"type": "alias", "userId": "u-1", "previousId": text})
        assert (alias.joins, alias.claims, named(alias)) == (None, (), ["previousId"])
        nobody = take({"type": "track", "event": "X", "userId": text})
        assert (nobody.verdict, named(nobody)) == ("parked", ["userId"])


def test_each_place_of_a_thing_says_that_it_holds_a_placeholder() -> None:
    for text in IDS:
        for name, other in (("sku", "product_id"), ("product_id", "sku"), ("productId", "sku"), ("id", "sku")):
            normal = take(track(**{name: text, other: "P-1"}))
            assert normal.event is not None
            assert (normal.event.products[0].key, normal.verdict) == ("P-1", "usable")
            assert named(normal) == [name]
        bare = take(track(sku=text))
        assert (bare.verdict, named(bare)) == ("unusable", ["sku"])
        bought = [{"sku": text, "product_id": "P-1", "price": 5}, {"sku": "S-2", "price": 6}]
        for name in ("order_id", "orderId"):
            order = take(track("Order Completed", **{name: text, "total": 11, "products": bought}))
            assert order.event is not None
            assert order.event.order is not None
            assert (order.event.order.order_id, order.event.products[0].key) == ("", "P-1")
            assert named(order) == ["products[0].sku", name]
            assert order.verdict == "usable"


def test_an_event_whose_name_is_a_placeholder_is_set_aside() -> None:
    for text in EVERYWHERE:
        normal = take(track(text))
        assert (normal.verdict, named(normal)) == ("parked", ["event"])


def test_pandas_prints_a_time_that_is_none_and_nat_may_be_a_person() -> None:
    assert (USUAL.nobody("NaT"), USUAL.nothing("'NaT'"), USUAL.nobody("nat"), USUAL.nobody("NAT")) == (
        True,
        True,
        False,
        False,
    )


def test_numbers_of_nothing_are_placeholders_and_others_are_ids() -> None:
    for value in (0, -1, 0.0):
        normal = take(track("Order Completed", order_id=value, total=1, products=[{"sku": value, "price": 1}]))
        assert named(normal) == ["products[0].sku", "order_id"]
    normal = take(track("Order Completed", order_id=7, total=1, products=[{"sku": 7, "price": 1}]))
    assert (normal.verdict, named(normal)) == ("usable", [])


def test_a_variant_that_is_none_is_left_out_but_a_size_is_not() -> None:
    for text in ("N/A", "null", "-", "{{ variant.title }}", "undefined", "None"):
        normal = take(track(sku="S", variant=text))
        assert normal.event is not None
        assert (normal.event.products[0].variant, named(normal)) == ("", ["variant"])
    for text in ("0", "00", "4", "Small", "Blue / L", "Default Title", "true"):
        normal = take(track(sku="S", variant=text))
        assert normal.event is not None
        assert (normal.event.products[0].variant, named(normal)) == (text, [])


def test_the_name_of_an_event_may_be_a_word_that_is_no_id() -> None:
    for text in (
        "Unknown",
        "Guest",
        "Missing",
        "Test",
        "[Amplitude] Page Viewed",
        "$pageview",
        "Null Island Visited",
        "email",
    ):
        normal = take(track(text))
        assert (normal.verdict, named(normal)) == ("usable", [])


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Enter Email",
            "Your Name",
            "Insert Key",
            "Подписка на «Новости»",
            "«Корзина»",
            "Offre «Noël» vue",
            "Enter Your Email",
        ),
    ],
)
def test_the_name_of_an_event_may_have_quotes_or_be_a_step_of_a_form(text: str) -> None:
    normal = take(track(text))
    assert (normal.verdict, named(normal)) == ("usable", [])


UNFILLED = [
    *(
        "{{ contact.first_name }}",
        "Dear {{name}}",
        "*|FNAME|*",
        "%%first_name%%",
        "%FIRSTNAME%",
        "${name}",
        "#{name}",
        "<%= name %>",
    ),
    *("[FIRST NAME]", "[Name]", "{first_name}", "<first_name>", "«first_name»", "-name-", "{% if name %}"),
    *(
        "null",
        "NULL",
        "(null)",
        "<null>",
        "(none)",
        "[nil]",
        "undefined",
        "NaN",
        "N/A",
        "n/a",
        "#N/A",
        "[object Object]",
        "'null'",
    ),
]
WRITTEN = [
    *(
        "Null",
        "Nil",
        "None",
        "none",
        "Nan",
        "Nat",
        "None Such",
        "Undefined Records",
        "Null Island Tee",
        "Your Name.",
        "Hash Brown",
    ),
    *(
        "«Nana»",
        "«Le Petit Prince»",
        "Война и «мир»",
        "[A] <<Sale>>",
        "##NEW## Mug",
        "[[New]] Mug",
        "[NEW]",
        "(PRODUCT)RED",
    ),
    *(
        "~Serenity~",
        "#love#",
        "*Star*",
        "<3",
        "50% off",
        "100%",
        "$100",
        "(Mug)",
        "First",
        "Key",
        "#Hash",
        "O'Neil",
        "김",
        "0",
        "-",
    ),
]


@pytest.mark.parametrize("text", UNFILLED)
def test_text_that_was_not_filled_in_is_read_by_nobody(text: str) -> None:
    assert USUAL.unfilled(text)
    assert filled({"name": text, "inside": {"tags": [text, "a"]}}) == {"name": None, "inside": {"tags": [None, "a"]}}
    normal = take(track(sku="S", name=text, title="Mug"))
    assert normal.event is not None
    assert (normal.event.products[0].name, normal.verdict, named(normal)) == ("Mug", "usable", ["name"])
    alone = take(track(sku="S", name=text))
    assert alone.event is not None
    assert (alone.event.products[0].name, named(alone)) == ("", ["name"])


@pytest.mark.parametrize("text", WRITTEN)
def test_a_name_that_somebody_or_something_may_have_is_shown(text: str) -> None:
    assert not USUAL.unfilled(text)
    assert filled({"name": text}) == {"name": text}
    normal = take(track(sku="S", name=text))
    assert normal.event is not None
    assert (normal.event.products[0].name, named(normal)) == (text, [])


def test_a_trait_may_be_called_null() -> None:
    normal = take({"type": "identify", "userId": "u", "traits": {"lastName": "Null", "plan": "none"}})
    assert normal.event is not None
    assert (normal.event.traits, normal.problems) == ({"lastName": "Null", "plan": "none"}, ())


def test_messages_with_the_same_placeholder_as_their_id_are_not_one() -> None:
    for text in ("undefined", "null", "{{ message.id }}", "0", "${id}", "00000000-0000-0000-0000-000000000000"):
        one, other = (take({**track(sku=sku), "messageId": text}) for sku in "AB")
        assert one.message_id != other.message_id
    assert take({**track(), "messageId": "m-1"}).message_id == "m-1"


def test_an_operator_adds_to_the_list_and_takes_from_it() -> None:
    known = Placeholders(["Till-*", "dummy", "!unknown", " !guest ", "", "!"])
    for text, nobody in (("till-4", True), ("DUMMY", True), ("unknown", False), ("Guest", False), ("null", True)):
        assert (take({"type": "identify", "userId": text}, known).verdict == "parked") is nobody
    assert take(track(sku="dummy", product_id="P"), known).event.products[0].key == "P"  # type: ignore[union-attr]
    off = Placeholders(["!*"])
    assert not any(off.nobody(text) for text in PEOPLE)


@given(st.integers(1, 10**19), st.text("ABCdef-_", max_size=6))
def test_a_number_with_whatever_before_it_is_an_id(number: int, before: str) -> None:
    text = f"{before}{number}"
    assert not USUAL.nothing(text) or text.strip("-") in ("1",)


@given(st.uuids(version=4))
def test_a_random_uuid_is_an_id(value: object) -> None:
    for text in (str(value), str(value).upper(), f"{{{value}}}", str(value).replace("-", "")):
        assert not USUAL.nobody(text)


@given(
    st.sampled_from(["{{%s}}", "${%s}", "#{%s}", "<%%= %s %%>", "*|%s|*", "[[%s]]", "{%%%s%%}", "%%%%%s%%%%"]),
    st.data(),
)
def test_a_tag_is_nobody_whatever_it_names(tag: str, data: st.DataObject) -> None:
    inner = data.draw(st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_. ]{0,20}", fullmatch=True))
    before = data.draw(st.sampled_from(["", "user-", "7"]))
    assert USUAL.nobody(before + tag % inner)


@given(st.text(max_size=60))
def test_any_text_has_an_answer_and_what_is_nothing_is_nobody(text: str) -> None:
    assert USUAL.nobody(text) or not USUAL.nothing(text)
    assert USUAL.nothing(text) or not USUAL.no_name(text)
    assert USUAL.nothing(f" {text} ") == USUAL.nothing(text)
