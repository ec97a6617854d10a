"""Conversions: one for each order, however often it is told of, with what refunds and cancellations leave of it."""

import json
import math
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wetink.core.events.event import Event, Order, Product
from wetink.core.events.message import Endpoint, pieces
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.normalize import normalize
from wetink.core.signals.conversion import Conversion, ConversionEvent, conversions
from wetink.core.signals.goal import Currencies, Goal, Signals

JANE, VISITOR = Identifier("user", "jane"), Identifier("anonymous", "x")


def told(name: str, at: int, order: Order | None = None, **more: Any) -> ConversionEvent:
    owner = more.pop("owner", JANE)
    message = more.pop("message_id", f"{name}-{at}")
    return ConversionEvent(
        Event("track", at, message, more.pop("source", "shop"), name, order=order, **more), owner, (owner,)
    )


def bought(at: int, total: float = 50, order_id: str = "O", currency: str = "EUR", **more: Any) -> ConversionEvent:
    return told("Order Completed", at, Order(order_id, total=total, currency=currency), **more)


def refunded(at: int, total: float | None = None, currency: str = "", **more: Any) -> ConversionEvent:
    return told("Order Refunded", at, Order("O", total=total, currency=currency), **more)


def made(*outcomes: ConversionEvent, goal: Goal | None = None, signals: Signals | None = None) -> list[Conversion]:
    return conversions(outcomes, "order", goal or Goal(), signals or Signals())


def test_an_order_reported_twice_counts_once_at_its_first_time_by_the_server() -> None:
    page = bought(10, 49, source="page", level="browser", owner=VISITOR)
    [one] = made(bought(20), page, bought(900, source="nightly export"))
    assert (one.at, one.amount, one.owner, one.received) == (10, 50, JANE, 3)


def test_orders_without_an_id_are_told_apart_by_their_messages() -> None:
    assert len(made(bought(1, order_id=""), bought(2, order_id=""))) == 2


LAMP = Product(sku="lamp", price=15.0, quantity=2)


@pytest.mark.parametrize(
    ("after", "value", "counts"),
    [
        ([], 50, True),
        ([refunded(20, 20)], 30, True),
        ([refunded(20, 20), refunded(21, 20)], 10, True),
        ([refunded(20, -20)], 30, True),
        ([refunded(20, products=(LAMP,))], 20, True),
        ([refunded(20)], 0, False),
        ([refunded(20, 80)], 0, False),
        ([refunded(20, 20, properties={"refund_id": "R"}), refunded(30, 20, properties={"refund_id": "R"})], 30, True),
        ([told("Order Cancelled", 20, Order("O"))], 0, False),
        ([told("Order Updated", 20, Order("O", total=60))], 60, True),
        ([told("Order Updated", 20, Order("O", total=60)), refunded(30, 60)], 0, False),
        ([refunded(20, 5, "USD")], 50, True),
    ],
)
def test_refunds_cancellations_and_updates_change_what_an_order_is_worth(
    after: list[ConversionEvent], value: float, counts: bool
) -> None:
    for events in ([bought(10), *after], [*after[::-1], bought(10)]):
        [one] = made(*events)
        assert (one.value, one.counts) == (value, counts)


def test_a_refund_of_an_order_nobody_told_of_is_no_conversion() -> None:
    assert made(refunded(5, 5)) == []


def test_a_refund_in_another_currency_is_converted_or_left_out_with_a_note() -> None:
    table = Signals(currencies=Currencies("EUR", {"USD": 0.5}))
    [one] = made(bought(10), refunded(20, 10, "USD"), signals=table)
    assert (one.value, one.notes) == (45, ())
    [one] = made(bought(10), refunded(20, 10, "USD"))
    assert one.value == 50
    assert "no rate to EUR" in one.notes[0]


def test_any_event_named_a_goal_counts_with_its_value_and_its_own_id() -> None:
    goal = Goal("Quiz Taken", value="score.points", currency="eur", id="quiz")
    events = [
        told("Quiz Taken", n, message_id=f"m{n}", properties={"quiz": f"q{n // 2}", "score": {"points": "7.5"}})
        for n in range(4)
    ]
    assert [(each.id, each.value, each.currency) for each in made(*events, goal=goal)] == [
        ("q0", 7.5, "EUR"),
        ("q1", 7.5, "EUR"),
    ]
    viewed = told("Product Viewed", 1, products=(Product(sku="S", price=9.0),))
    assert made(viewed, goal=Goal("Product Viewed", value="price"))[0].value == 9
    assert made(viewed, goal=Goal("Product Viewed"))[0].value == 0


def test_an_order_says_no_currency_only_where_segments_spec_means_dollars() -> None:
    assert made(bought(1, currency=""))[0].currency == "USD"
    assert made(bought(1, currency="eur"))[0].currency == "EUR"


CUP, RUG = Product(sku="cup", price=10.0), Product(sku="rug", product_id="7", price=30.0, quantity=2)
CART = (CUP, RUG)


def sent(total: object = None, **properties: Any) -> ConversionEvent:
    """A refund as it comes in: what cannot be read of it stays among the properties."""
    body = {"order_id": "O", **({"total": total} if total is not None else {}), **properties}
    message = {"type": "track", "event": "Order Refunded", "userId": "jane", "messageId": "m", "properties": body}
    [piece] = pieces(json.dumps(message).encode(), Endpoint())[0]
    event = normalize(piece, source="shop", level="server", received=20).event
    assert event is not None
    return ConversionEvent(event, JANE, (JANE,))


@pytest.mark.parametrize(
    ("refund", "back"),
    [
        # Products without a price take the order's, by sku or product id, times how many came back.
        (sent(products=[{"sku": "cup"}]), 10),
        (sent(products=[{"sku": "rug", "quantity": 2}]), 60),
        (sent(products=[{"product_id": "7"}]), 30),
        (sent(products=[{"sku": "cup"}, {"sku": "rug", "price": 5}]), 15),
        (sent(products=[{"sku": "cup", "price": "4,50 €"}]), 4.5),
        (sent(products=[{"sku": "cup", "price": -4.5}]), 4.5),
        # A total, however it is written, is what it says.
        (sent("-$5.00", currency="EUR"), 5),
        (sent("(5,00 €)"), 5),
        (sent(-5), 5),
        (sent({"amount": "5.00", "currency": "EUR"}), 5),
        (sent(0, products=[{"sku": "cup"}]), 0),
        # Neither: all of it, by Segment's spec; never more than was paid.
        (sent(), 70),
        (
            sent(refund_id="r", reason="too small", status="done", shipping=0, notes=["x"], coupon="C", partial=False),
            70,
        ),
        (sent("", products=[]), 70),
        (sent(900), 70),
        (sent(products=[{"sku": "rug", "quantity": 9}]), 70),
    ],
)
def test_a_refund_gives_back_what_it_says(refund: ConversionEvent, back: float) -> None:
    [one] = made(bought(10, 70, products=CART), refund)
    assert (one.refunded, one.notes) == (back, ())


@pytest.mark.parametrize(
    ("refund", "why"),
    [
        (sent("n/a"), 'its total "n/a" cannot be read'),
        (sent("1.299", currency="USD"), 'its total "1.299" cannot be read'),
        (sent(True), "its total true cannot be read"),
        (sent([5]), "its total [5] cannot be read"),
        (sent("n/a", products=[{"sku": "cup"}]), 'its total "n/a" cannot be read'),
        (sent("n/a", revenue=5), 'its total "n/a" cannot be read'),
        (sent(revenue="half"), 'its revenue "half" cannot be read'),
        (sent(products="the cup"), 'its products "the cup" cannot be read'),
        (sent(products=["cup"]), 'its products ["cup"] cannot be read'),
        (sent(products=7), "its products 7 cannot be read"),
        *(
            (sent(**{name: 5}), f"it has {name}, but no total and no products")
            for name in (
                "amount",
                "refund_amount",
                "refundAmount",
                "amount_refunded",
                "total_refunded",
                "refund_total",
                "subtotal",
                "price",
                "sku",
                "product_id",
                "items",
                "line_items",
                "refund_line_items",
                "returned_items",
                "lines",
                "transactions",
                "quantity",
                "partial",
                "partial_refund",
                "total_refunded_set",
                "order_amount",
            )
        ),
        (sent(products=[{"sku": "gone"}]), "product gone has no price, here or in the order"),
        (sent(products=[{"name": "Cup"}]), "a product without sku and product_id has no price"),
        (sent(5, currency="USD"), "5 USD is not converted: there is no rate to EUR"),
        (sent(products=[{"sku": "cup"}, {"sku": "rug", "price": 5}], currency="USD"), "it has prices in USD"),
    ],
)
def test_a_refund_that_is_not_understood_gives_nothing_back_and_is_told(refund: ConversionEvent, why: str) -> None:
    [one] = made(bought(10, 70, products=CART), refund)
    assert (one.refunded, one.value, one.counts) == (0, 70, True)
    [note] = one.notes
    assert note.startswith("refund m: ")
    assert why in note


def test_what_cannot_be_read_of_a_refund_is_a_problem_of_its_message() -> None:
    body = {"type": "track", "event": "Order Refunded", "userId": "j", "properties": {"order_id": "O", "total": "n/a"}}
    [piece] = pieces(json.dumps(body).encode(), Endpoint())[0]
    found = normalize(piece, source="shop", level="server", received=20)
    assert found.verdict == "usable"
    assert [(each.code, each.property) for each in found.problems] == [("not_a_number", "total")]


@given(st.lists(st.none() | st.text(max_size=9) | st.floats() | st.integers(-99, 99), max_size=4), st.integers(0, 90))
def test_no_refunds_give_back_more_than_was_paid(totals: list[Any], paid: int) -> None:
    refunds = [msgspec.structs.replace(sent(total), event=sent(total, refund_id=f"r{n}").event)
               for n, total in enumerate(totals) if not isinstance(total, float) or math.isfinite(total)]  # fmt: skip
    [one] = made(bought(0, paid, products=CART), *refunds)
    assert 0 <= one.refunded <= paid


def test_an_update_or_a_value_that_cannot_be_read_is_told() -> None:
    update = told("Order Updated", 20, Order("O"), properties={"total": "n/a"})
    [one] = made(bought(10), update)
    assert one.amount == 50
    assert "cannot be read" in one.notes[0]
    [quiz] = made(told("Quiz", 1, properties={"score": "n/a"}), goal=Goal("Quiz", value="score"))
    assert (quiz.amount, len(quiz.notes)) == (0, 1)


def test_sums_have_the_digits_of_their_currency() -> None:
    [one] = made(bought(10, 1.255, currency="KWD"), refunded(20, 0.005, "KWD"))  # type: ignore[arg-type]
    assert (one.amount, one.value) == (1.255, 1.25)
    assert made(bought(10, currency="€"))[0].currency == "EUR"


EVENTS = st.lists(
    st.one_of(
        st.builds(
            bought, st.integers(0, 50), st.integers(0, 90), st.sampled_from("OPQ"), source=st.sampled_from(["a", "b"])
        ),
        st.builds(refunded, st.integers(0, 50), st.none() | st.integers(0, 90)),
        st.builds(lambda at: told("Order Cancelled", at, Order("P")), st.integers(0, 50)),
    ),
    max_size=8,
)


@example([bought(0, 0), bought(0, 1)], Random(3))
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter_and_nothing_is_worth_less_than_nothing(
    events: list[ConversionEvent], chance: Random
) -> None:
    mixed = list(events)
    chance.shuffle(mixed)
    found = made(*events)
    assert made(*mixed) == found
    assert len({each.id for each in found}) == len(found)
    assert all(0 <= each.value <= each.amount for each in found)


def test_of_an_order_that_a_server_told_of_a_pages_word_counts_for_nothing() -> None:
    page: dict[str, Any] = {"source": "page", "level": "browser"}
    told_by_page = [
        bought(5, 9_999, **page),
        told("Order Updated", 30, Order("O", total=1), **page),
        refunded(31, 50, **page),
        told("Order Cancelled", 32, Order("O"), **page),
    ]
    [one] = made(bought(20), *told_by_page)
    assert (one.amount, one.refunded, one.cancelled, one.page) == (50, 0, False, False)
    [alone] = made(*told_by_page)
    assert (alone.cancelled, alone.page) == (True, True)


def test_a_pages_order_waits_for_a_servers_where_its_source_says_so() -> None:
    page, proven = bought(5, 70, source="page", level="browser"), bought(6, 70, source="page", level="verified")
    other = bought(7, 70, source="shop-page", level="browser")
    for waiting, sent, expected in (
        ((), [page], [70]),
        (("page",), [page], []),
        (("page",), [page, proven], []),
        (("page",), [page, other], [70]),
        (("page",), [page, bought(20)], [50]),
    ):
        found = conversions(sent, "order", Goal(), Signals(), waiting)
        assert [each.amount for each in found] == expected
    quiz = told("Quiz Taken", 5, source="page", level="browser")
    assert conversions([quiz], "quiz", Goal("Quiz Taken"), Signals(), ("page",))
