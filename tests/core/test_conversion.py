"""Conversions: the last click of the seven days before an order, else the last open; and what each block brought."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.conversion import WINDOW_MS, BlockResult, Contact, credited, results

ORDERED = 100 * 86_400_000
FIRST = ORDERED - WINDOW_MS
"""The first moment that still counts."""


def opened(block: str, at: int) -> Contact:
    return Contact("open", block, at)


def clicked(block: str, at: int) -> Contact:
    return Contact("click", block, at)


@pytest.mark.parametrize(
    ("contacts", "block"),
    [
        ([], None),
        ([opened("a", ORDERED - 1)], "a"),
        ([opened("a", ORDERED - 2), opened("b", ORDERED - 1)], "b"),
        ([clicked("a", ORDERED - 2), clicked("b", ORDERED - 1)], "b"),
        ([clicked("a", ORDERED - 2), opened("b", ORDERED - 1)], "a"),
        ([clicked("a", FIRST), opened("b", ORDERED)], "a"),
        ([clicked("a", FIRST - 1), opened("b", FIRST)], "b"),
        ([clicked("a", FIRST - 1), opened("b", FIRST - 1)], None),
        ([clicked("a", ORDERED)], "a"),
        ([clicked("a", ORDERED + 1), opened("b", ORDERED + 1)], None),
        ([clicked("a", ORDERED + 1), opened("b", ORDERED - 1)], "b"),
    ],
)
def test_an_order_is_credited_to_the_last_click_before_it_else_to_the_last_open(
    contacts: list[Contact], block: str | None
) -> None:
    for told in (contacts, contacts[::-1]):
        contact = credited(ORDERED, told)
        assert (contact.block if contact is not None else None) == block


CONTACTS = st.lists(
    st.builds(
        Contact,
        st.sampled_from(["open", "click"]),
        st.sampled_from("abc"),
        st.integers(FIRST - 3, FIRST + 3) | st.integers(ORDERED - 3, ORDERED + 3),
    ),
    max_size=8,
)


@given(CONTACTS, st.randoms(use_true_random=False))
def test_nothing_that_counts_comes_after_what_is_credited(contacts: list[Contact], chance: Random) -> None:
    counting = [each for each in contacts if FIRST <= each.at <= ORDERED]
    contact = credited(ORDERED, contacts)
    if contact is None:
        assert not counting
        return
    assert contact in counting
    rivals = [each for each in counting if each.kind == "click"] or counting
    assert contact in rivals
    assert contact.at == max(each.at for each in rivals)
    mixed = list(contacts)
    chance.shuffle(mixed)
    assert credited(ORDERED, mixed) == contact


def test_each_block_has_its_opens_clicks_orders_and_revenue_by_currency() -> None:
    orders = [("hero", 20.0, "EUR"), ("hero", 5.5, "USD"), ("hero", 0.1, "EUR"), ("picks", 1.0, "")]
    assert results([("hero", 7, 3), ("quiet", 2, 0)], orders, ["hero", "quiet", "picks", "new"]) == [
        BlockResult("hero", 7, 3, 3, {"EUR": 20.1, "USD": 5.5}),
        BlockResult("new"),
        BlockResult("picks", orders=1, revenue={"": 1.0}),
        BlockResult("quiet", opens=2),
    ]


def test_a_block_whose_file_is_gone_keeps_what_it_brought() -> None:
    assert results([("gone", 1, 1)], [("older", 3.0, "EUR")], []) == [
        BlockResult("gone", 1, 1),
        BlockResult("older", orders=1, revenue={"EUR": 3.0}),
    ]


@given(st.lists(st.integers(1, 99_999), min_size=1, max_size=40))
def test_revenue_is_right_to_the_cent(cents: list[int]) -> None:
    [block] = results([], [("hero", each / 100, "EUR") for each in cents], ["hero"])
    assert (block.orders, block.revenue) == (len(cents), {"EUR": sum(cents) / 100})
