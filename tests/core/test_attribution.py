"""Credit: who gets a conversion under each model, by which rule, and why the others do not."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import RULES, Attribution, Touch, attribute
from wetink.core.signals.conversion import Conversion
from wetink.core.signals.goal import DEFAULT_MODEL, MODELS, Goal

DAY = 86_400_000
WINDOW = 7 * DAY
ORDERED = 100 * DAY
FIRST = ORDERED - WINDOW
"""The first moment that still counts."""
ORDER = Conversion("order", "O", ORDERED, 60, "EUR", Identifier("user", "jane"))


def opened(block: str, at: int, campaign: str = "", **more: object) -> Touch:
    return Touch("open", block, "user:jane", campaign, at, **{"variant": "v", **more})  # type: ignore[arg-type]


def clicked(block: str, at: int, campaign: str = "", **more: object) -> Touch:
    return Touch("click", block, "user:jane", campaign, at, **more)  # type: ignore[arg-type]


def given_to(touches: list[Touch], model: str = DEFAULT_MODEL, goal: Goal | None = None) -> dict[str, float]:
    made = attribute(ORDER, touches, goal or Goal(), model)
    return {credit.touch.block: credit.part for credit in made.credits}


@pytest.mark.parametrize(
    ("touches", "block"),
    [
        ([], None),
        ([opened("a", ORDERED - 1)], "a"),
        ([opened("a", ORDERED - 9_000), opened("b", ORDERED - 1)], "b"),
        ([clicked("a", ORDERED - 2), clicked("b", ORDERED - 1)], "b"),
        ([clicked("a", ORDERED - 2), opened("b", ORDERED - 1)], "a"),
        ([clicked("a", FIRST), opened("b", ORDERED)], "a"),
        ([clicked("a", FIRST - 1), opened("b", FIRST)], "b"),
        ([clicked("a", FIRST - 1), opened("b", FIRST - 1)], None),
        ([clicked("a", ORDERED)], "a"),
        ([clicked("a", ORDERED + 1), opened("b", ORDERED + 1)], None),
        ([clicked("a", ORDERED + 1), opened("b", ORDERED - 1)], "b"),
        ([clicked("a", ORDERED - 1, human=False, fetch_class="scanner"), opened("b", ORDERED - 2)], "b"),
    ],
)
def test_by_default_the_last_click_gets_it_else_the_last_open(touches: list[Touch], block: str | None) -> None:
    for told in (touches, touches[::-1]):
        assert given_to(told) == ({block: 1} if block else {})


JOURNEY = [
    opened("a", ORDERED - 5 * DAY),
    clicked("b", ORDERED - 4 * DAY),
    opened("b", ORDERED - 4 * DAY - 1),
    clicked("c", ORDERED - 3 * DAY),
    opened("d", ORDERED - 2 * DAY),
    opened("d", ORDERED - DAY),
]


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        (DEFAULT_MODEL, {"c": 1}),
        ("last-click", {"c": 1}),
        ("last-open", {"d": 1}),
        ("first", {"a": 1}),
        ("linear", {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25}),
    ],
)
def test_each_model_gives_the_same_journey_to_whom_it_names(model: str, parts: dict[str, float]) -> None:
    assert given_to(JOURNEY, model) == parts
    assert given_to(JOURNEY[::-1], model) == parts


def test_a_goal_has_windows_of_its_own_for_clicks_and_opens() -> None:
    short = Goal(clicks="3d", opens="12h")
    assert given_to(JOURNEY, goal=short) == {"c": 1}
    assert given_to(JOURNEY, "last-open", short) == {}
    assert given_to(JOURNEY, "first", short) == {"c": 1}


@pytest.mark.parametrize(
    ("touches", "parts"),
    [
        # Blocks whose pictures were fetched in one moment: one open of the email.
        ([opened("a", ORDERED - 9), opened("b", ORDERED - 9), opened("c", ORDERED - 7)], {"a": 3, "b": 3, "c": 3}),
        ([opened("c", ORDERED - 9_000), opened("b", ORDERED - 5_000), opened("a", ORDERED)], {"a": 3, "b": 3, "c": 3}),
        ([opened("a", ORDERED - 5_002), opened("b", ORDERED - 1)], {"b": 1}),
        # The same block twice in it is one of its blocks.
        ([opened("a", ORDERED - 9), opened("b", ORDERED - 8), opened("a", ORDERED - 7)], {"a": 2, "b": 2}),
        # Another campaign is another email; two in the same millisecond share alike, whatever they are called.
        ([opened("a", ORDERED - 9, "x"), opened("b", ORDERED - 8, "y")], {"b": 1}),
        ([opened("a", ORDERED - 9, "x"), opened("b", ORDERED - 9, "x"), opened("c", ORDERED - 9, "y")],
         {"a": 4, "b": 4, "c": 2}),
        # A fallback earns nothing unless it was clicked.
        ([opened("a", ORDERED - 9), opened("b", ORDERED - 9, variant="")], {"a": 1}),
        ([opened("b", ORDERED - 9, variant="")], {}),
        ([opened("a", ORDERED - 9), opened("b", ORDERED - 9, variant=""), clicked("b", ORDERED - 1)], {"b": 1}),
        # A click is of the block that was clicked.
        ([clicked("a", ORDERED - 9), opened("b", ORDERED - 8), clicked("c", ORDERED - 7)], {"c": 1}),
        ([clicked("a", ORDERED - 9), clicked("c", ORDERED - 9)], {"a": 2, "c": 2}),
    ],
)  # fmt: skip
def test_the_blocks_of_one_email_share_what_its_open_brought(touches: list[Touch], parts: dict[str, int]) -> None:
    for told in (touches, touches[::-1]):
        assert given_to(told) == {block: 1 / count for block, count in parts.items()}


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        (DEFAULT_MODEL, {"c": 1}),
        ("last-click", {"c": 1}),
        ("last-open", {"d": 1 / 2, "e": 1 / 2}),
        ("first", {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}),
        ("linear", {"a": 1 / 9, "b": 1 / 9, "c": 1 / 9, "d": 1 / 6, "e": 1 / 6, "f": 1 / 3}),
    ],
)
def test_each_model_shares_an_emails_credit_among_its_blocks(model: str, parts: dict[str, float]) -> None:
    journey = [
        *(opened(block, ORDERED - 3 * DAY, "one") for block in "abc"),
        opened("fallback", ORDERED - 3 * DAY, "one", variant=""),
        clicked("c", ORDERED - 2 * DAY, "one"),
        opened("f", ORDERED - 2 * DAY, "three"),
        *(opened(block, ORDERED - DAY, "two") for block in "de"),
    ]
    assert given_to(journey, model) == pytest.approx(parts)
    assert given_to(journey[::-1], model) == pytest.approx(parts)


def why(made: Attribution) -> dict[tuple[str, str, int], str]:
    return {(loss.touch.kind, loss.touch.block, loss.touch.at): loss.why for loss in made.losses}


def test_each_touch_that_gets_nothing_says_why() -> None:
    odd = [
        clicked("later", ORDERED + 5),
        clicked("old", FIRST - 1),
        clicked("robot", ORDERED - 2, human=False, fetch_class="scanner"),
    ]
    made = attribute(ORDER, [*JOURNEY, *odd], Goal(), DEFAULT_MODEL)
    assert [credit.why for credit in made.credits] == ["the last click before it"]
    assert why(made) == {
        ("open", "a", ORDERED - 5 * DAY): "a click counts before any open",
        ("click", "b", ORDERED - 4 * DAY): "a later click counts",
        ("open", "b", ORDERED - 4 * DAY - 1): "a click counts before any open",
        ("open", "d", ORDERED - 2 * DAY): "a click counts before any open",
        ("open", "d", ORDERED - DAY): "a click counts before any open",
        ("click", "later", ORDERED + 5): "it happened after the conversion",
        ("click", "old", FIRST - 1): "a click counts for 7d",
        ("click", "robot", ORDERED - 2): "taken for a scanner, so nobody looked",
    }


TOUCHES = st.lists(
    st.builds(
        Touch,
        st.sampled_from(["open", "click"]),
        st.sampled_from("abc"),
        st.sampled_from(["user:jane", "email:jane@shop.example"]),
        st.sampled_from(["", "spring"]),
        st.integers(FIRST - 3, FIRST + 3) | st.integers(ORDERED - 3, ORDERED + 3),
        variant=st.sampled_from(["v", "w", ""]),
        human=st.booleans(),
    ),
    max_size=8,
)


@pytest.mark.parametrize("model", MODELS)
@given(touches=TOUCHES, chance=st.randoms(use_true_random=False))
def test_credit_sums_to_one_and_never_goes_to_machines_or_the_future(
    model: str, touches: list[Touch], chance: Random
) -> None:
    made = attribute(ORDER, touches, Goal(), model)
    assert sum(credit.part for credit in made.credits) == pytest.approx(1 if made.credits else 0)
    for credit in made.credits:
        assert credit.touch.human
        assert FIRST <= credit.touch.at <= ORDERED
    assert len(made.credits) + len(made.losses) == len(touches)
    mixed = list(touches)
    chance.shuffle(mixed)
    again = attribute(ORDER, mixed, Goal(), model)
    assert [credit.touch.at for credit in again.credits] == [credit.touch.at for credit in made.credits]


def test_every_model_has_a_rule() -> None:
    assert set(RULES) == set(MODELS)


VALUES = st.tuples(st.integers(0, 10**9), st.sampled_from(["EUR", "JPY", "KWD", "XOF", "gems"]))


@pytest.mark.parametrize("model", MODELS)
@given(touches=TOUCHES, worth=VALUES, names=st.permutations("abc"), chance=st.randoms(use_true_random=False))
def test_credit_sums_to_the_cent_for_any_block_names_and_order(
    model: str, touches: list[Touch], worth: tuple[int, str], names: list[str], chance: Random
) -> None:
    units, currency = worth
    scale = 10 ** {"JPY": 0, "XOF": 0, "KWD": 3}.get(currency, 2)
    order = replace(ORDER, amount=units / scale, currency=currency)
    made = attribute(order, touches, Goal(), model).credits
    if made:
        assert sum(round(credit.amount * scale) for credit in made) == units
        assert all(credit.amount == round(credit.amount * scale) / scale for credit in made)
        assert all(abs(credit.amount - order.amount * credit.part) < 1 / scale for credit in made)
    renamed = dict(zip("abc", names, strict=True))
    others = [replace(touch, block=renamed[touch.block]) for touch in touches]
    chance.shuffle(others)
    again = attribute(order, others, Goal(), model).credits
    parts = sorted((renamed[credit.touch.block], credit.touch.at, credit.part) for credit in made)
    assert parts == sorted((credit.touch.block, credit.touch.at, credit.part) for credit in again)


def test_the_odd_cent_goes_to_no_name_for_long() -> None:
    got = {"a": 0, "b": 0, "c": 0}
    for number in range(300):
        made = attribute(
            replace(ORDER, id=str(number), amount=10),
            [opened(block, ORDERED - 1) for block in got],
            Goal(),
            "last-open",
        )
        for credit in made.credits:
            got[credit.touch.block] += credit.amount > 3.33
    assert min(got.values()) > 60
