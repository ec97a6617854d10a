"""Conversions: one for each order, however often it is told of, with what refunds and cancellations leave of it."""

from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wetink.core.conversion import Conversion, Outcome, conversions
from wetink.core.event import Event, Order, Product
from wetink.core.goal import Currencies, Goal, Signals
from wetink.core.identifier import Identifier

JANE, VISITOR = Identifier("user", "jane"), Identifier("anonymous", "x")


def told(name: str, at: int, order: Order | None = None, **more: Any) -> Outcome:
    owner = more.pop("owner", JANE)
    message = more.pop("message_id", f"{name}-{at}")
    return Outcome(Event("track", at, message, more.pop("source", "shop"), name, order=order, **more), owner, (owner,))


def bought(at: int, total: float = 50, order_id: str = "O", currency: str = "EUR", **more: Any) -> Outcome:
    return told("Order Completed", at, Order(order_id, total=total, currency=currency), **more)


def refunded(at: int, total: float | None = None, currency: str = "", **more: Any) -> Outcome:
    return told("Order Refunded", at, Order("O", total=total, currency=currency), **more)


def made(*outcomes: Outcome, goal: Goal | None = None, signals: Signals | None = None) -> list[Conversion]:
    return conversions(outcomes, "order", goal or Goal(), signals or Signals())


def test_the_same_order_told_twice_by_any_source_counts_once_at_its_first_time_by_the_servers_word() -> None:
    page = bought(10, 49, source="page", level="browser", owner=VISITOR)
    [one] = made(bought(20), page, bought(900, source="nightly export"))
    assert (one.at, one.amount, one.owner, one.told) == (10, 50, JANE, 3)


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
    after: list[Outcome], value: float, counts: bool
) -> None:
    for events in ([bought(10), *after], [*after[::-1], bought(10)]):
        [one] = made(*events)
        assert (one.value, one.counts) == (value, counts)


def test_a_refund_of_an_order_nobody_told_of_is_no_conversion() -> None:
    assert made(refunded(5, 5)) == []


def test_a_refund_in_another_currency_is_converted_by_the_stated_table_else_left_out_with_a_word() -> None:
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
    events: list[Outcome], chance: Random
) -> None:
    mixed = list(events)
    chance.shuffle(mixed)
    found = made(*events)
    assert made(*mixed) == found
    assert len({each.id for each in found}) == len(found)
    assert all(0 <= each.value <= each.amount for each in found)
