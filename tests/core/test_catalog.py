"""What statements change in the catalog, given what it holds."""

from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.catalog.catalog import SAME_WORD_MS, Change, Changes, Held, Pending, Standing, plan, statements
from wetink.core.events.event import Event, Level, Product

HOUR = 3_600_000
NOW = 1_790_000_000_000
LAMP = Product(sku="L", product_id="P", name="Lamp", price=5.0)
KNOWN = Held({"L": plan([(NOW, LAMP)], Held()).facts["L"]}, {"P": "L"})


def told(level: Level, *products: Product) -> Event:
    return Event("track", NOW, "m", "shop", level=level, products=products)


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (told("server", LAMP), ["L"]),
        (told("server", Product(product_id="P"), Product(name="nameless")), ["P"]),
        (told("browser", LAMP), []),
        (told("server"), []),
    ],
)
def test_only_trusted_events_say_something_and_only_of_products_with_a_key(event: Event, names: list[str]) -> None:
    assert [(at, said.key) for at, said in statements([event])] == [(NOW, name) for name in names]


@pytest.mark.parametrize(
    ("said", "at", "fields", "history", "reworded"),
    [
        (LAMP, NOW + 1, {}, [], set()),
        (Product(sku="L", price=4.0), NOW + 1, {"price": 4.0}, [Change(NOW + 1, 4.0)], set()),
        (Product(sku="L", price=4.0), NOW - 1, {}, [], set()),
        (Product(sku="L", name="Lantern"), NOW + 1, {"name": "Lantern"}, [], {"L"}),
        (Product(sku="L", stock=0), NOW + 1, {"stock": 0}, [Change(NOW + 1, 5.0, "", 0)], set()),
        (Product(product_id="P", price=4.0), NOW + 1, {"price": 4.0}, [Change(NOW + 1, 4.0)], set()),
        (Product(sku="L", price=5.0), NOW + HOUR, {"sku": "L", "price": 5.0}, [], set()),
    ],
)
def test_a_statement_changes_what_it_newly_says(
    said: Product, at: int, fields: dict[str, Any], history: list[Change], reworded: set[str]
) -> None:
    changes = plan([(at, said)], KNOWN)
    facts = changes.facts.get("L", {})
    assert {name: value for name, (when, value) in facts.items() if when == at} == fields
    assert changes.history == [("L", each) for each in history]
    assert changes.reworded == reworded
    assert KNOWN.facts["L"]["price"] == (NOW, 5.0), "what is held is not touched"


def test_a_product_id_leads_to_the_sku_that_the_same_batch_says() -> None:
    changes = plan([(NOW, LAMP), (NOW + 1, Product(product_id="P", price=4.0))], Held())
    assert list(changes.facts) == ["L"]
    assert changes.facts["L"]["price"] == (NOW + 1, 4.0)
    assert changes.skus == {"P": "L"}


spoken = st.tuples(
    st.integers(0, 3 * HOUR),
    st.builds(
        Product,
        sku=st.sampled_from(["A", "B"]),
        product_id=st.just(""),
        price=st.sampled_from([None, 1.0, 2.0]),
        name=st.sampled_from(["", "Lamp", "Rug"]),
        stock=st.sampled_from([None, 0, 3]),
    ),
)


@given(batch=st.lists(spoken, max_size=12), cut=st.integers(0, 12))
def test_a_batch_comes_to_the_same_in_one_piece_and_in_two(batch: list[tuple[int, Product]], cut: int) -> None:
    whole = plan(batch, Held())
    first = plan(batch[:cut], Held())
    second = plan(batch[cut:], Held(first.facts, first.skus))
    assert whole.facts == first.facts | second.facts
    assert whole.history == first.history + second.history
    assert whole.reworded == first.reworded | second.reworded


@given(batch=st.lists(spoken, max_size=12, unique_by=itemgetter(0)))
def test_a_repeated_product_message_changes_nothing(batch: list[tuple[int, Product]]) -> None:
    batch.sort(key=itemgetter(0))
    known = plan(batch, Held())
    assert plan(batch, Held(known.facts, known.skus)) == Changes()


anyhow = st.tuples(
    st.integers(0, 2 * SAME_WORD_MS),
    st.builds(
        Product,
        sku=st.sampled_from(["", "A", "B"]),
        product_id=st.sampled_from(["P", "Q"]),
        price=st.sampled_from([None, 1.0, 2.0]),
        name=st.sampled_from(["", "Lamp"]),
        position=st.sampled_from([None, 1, 2]),
    ),
)


@given(slices=st.lists(st.lists(anyhow, max_size=8), max_size=6))
def test_what_stands_since_earlier_slices_changes_no_plan(slices: list[list[tuple[int, Product]]]) -> None:
    """The facts of what a slice merely repeats are not even held."""
    held, standing = Held(), Standing()
    for said in slices:
        lacking = standing.lacking(said)
        skus = {key: sku for key, sku in held.skus.items() if key in lacking}
        keys = {*lacking, *skus.values()}
        known = Held({key: facts for key, facts in held.facts.items() if key in keys}, skus)
        whole = plan(said, held)
        assert plan(said, known, standing) == whole
        held = Held({**held.facts, **whole.facts}, {**held.skus, **whole.skus})


def test_pending_statements_come_on_top_of_what_is_stored() -> None:
    """A product id leads to the sku that an earlier statement or the stored catalog gave it."""
    pending = Pending()
    said = [
        Product(sku="S", product_id="P", price=5.0),
        Product(product_id="P", price=6.0),
        Product(product_id="Q", price=7.0),
    ]
    pending.add([(seq, (seq * 1000, each)) for seq, each in enumerate(said, 1)], {"Q": "T"})
    assert pending.names(["P", "T"]) == {"P", "S", "T"}
    now = pending.current({"P", "S", "Q"}, Held({"T": {"name": (0, "Tea")}}, {"Q": "T"}), 0)
    assert {key: (each.name, each.price) for key, each in now.products(["P", "S", "Q", "X"]).items()} == {
        "P": ("", 6.0),
        "S": ("", 6.0),
        "Q": ("Tea", 7.0),
    }
    assert [each.price for each in now.changes("S", [Change(1, 3.0)])] == [3.0, 5.0, 6.0]
    assert pending.current({"S"}, Held({"S": {"price": (1000, 5.0)}}, {}), 1).products(["S"])["S"].price == 6.0
