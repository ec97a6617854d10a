"""Changes of blocks: each edit that a page can make is said in a marketer's words, and nothing else is."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wetink import apps
from wetink.core.blocks.block import Block, Fallback, Treatment, Variant
from wetink.core.blocks.changes import LONGEST, _moved, block_changes, block_words
from wetink.core.blocks.experiment import Arm, Bandit, Experiment
from wetink.core.blocks.schedule import Schedule
from wetink.core.rules.parse import parse

APPS = apps.load()
GOLD = parse({"trait": "plan", "equals": "gold"})
VIEWED = parse({"done": "Product Viewed", "within": "7d"})
SEEN = Variant("Last viewed", "last-viewed")
DROP = Variant("Price drop", "price-drop", when=(VIEWED,))
TIMER = Variant("Timer", "countdown")
BASE = Block("hero", Fallback("https://shop.example/", title="Hello"), (SEEN, DROP, TIMER))


def variant(**fields: Any) -> Callable[[Block], Block]:
    """Changes the first variant."""
    return lambda block: replace(block, variants=(replace(block.variants[0], **fields), *block.variants[1:]))


def fallback(**fields: Any) -> Callable[[Block], Block]:
    return lambda block: replace(block, fallback=replace(block.fallback, **fields))


def fields(**changed: Any) -> Callable[[Block], Block]:
    return lambda block: replace(block, **changed)


EDITS: list[tuple[str, Callable[[Block], Block], list[str]]] = [
    ("nothing", fields(), []),
    ("title", fields(title="Hero"), ["Title: none → “Hero”"]),
    ("size", fields(width=500), ["Size: 600 \u00d7 300 → 500 \u00d7 300"]),
    ("switch", fields(moving=True), ["Animation: off → on"]),
    ("list", fields(recipients=("user", "email")), ["Identifiers in the link: none → user, email"]),
    ("tag", fields(utm={"campaign": "sale"}), ["Campaign tag campaign: none → “sale”"]),
    ("paused", fields(paused=True), ["Paused: off → on"]),
    (
        "schedule",
        fields(schedule=Schedule("2026-11-27T18:00", "2026-11-30", "Europe/Berlin")),
        ["Schedule: always → from 2026-11-27 18:00 until 2026-11-30 (Europe/Berlin)"],
    ),
    (
        "schedule of a variant",
        variant(schedule=Schedule(until="2026-11-30")),
        ["Schedule of “Last viewed”: always → until 2026-11-30 (UTC)"],
    ),
    ("headline", fallback(title="Hi"), ["Headline of the fallback: “Hello” → “Hi”"]),
    (
        "link",
        fallback(link="https://a.example/"),
        ["Link of the fallback: “https://shop.example/” → “https://a.example/”"],
    ),
    ("moved up", fields(variants=(DROP, SEEN, TIMER)), ["Variant “Price drop” moved above “Last viewed”"]),
    ("moved down", fields(variants=(DROP, TIMER, SEEN)), ["Variant “Last viewed” moved below “Timer”"]),
    ("removed", fields(variants=(SEEN, TIMER)), ["Variant “Price drop” removed"]),
    (
        "added",
        fields(variants=(SEEN, Variant("Gold", "loyalty", when=(GOLD,)), DROP, TIMER)),
        ['Variant “Gold” added: Loyalty for people whose trait plan is "gold", above “Price drop”'],
    ),
    ("renamed", variant(name="Seen"), ["Variant “Last viewed” renamed to “Seen”"]),
    ("app", variant(app="recommended"), ["App of “Last viewed”: Last Viewed → Recommended"]),
    ("template", variant(template="a.liquid"), ["Template of “Last viewed”: none → “a.liquid”"]),
    ("rule", variant(when=(GOLD,)), ['Rule of “Last viewed”: everyone → people whose trait plan is "gold"']),
    (
        "rule of two",
        fields(variants=(SEEN, replace(DROP, when=(VIEWED, GOLD)), TIMER)),
        [
            "Rule of “Price drop”: people who did Product Viewed within 7d → "
            'people who did Product Viewed within 7d and whose trait plan is "gold"'
        ],
    ),
    (
        "experiment",
        fields(experiment=Experiment(holdout="10%")),
        ["Experiment “hero” added"],
    ),
    (
        "fetches",
        fields(fetches={"prefetch": Treatment("fallback")}),
        ["Fetches of class prefetch: none → “get the fallback”"],
    ),
]


@pytest.mark.parametrize(("edit", "said"), [each[1:] for each in EDITS], ids=[each[0] for each in EDITS])
def test_an_edit_of_a_block_is_said_in_words(edit: Callable[[Block], Block], said: list[str]) -> None:
    assert block_changes(BASE, edit(BASE), APPS) == said


def test_an_experiment_that_changes_is_said_part_by_part() -> None:
    one = Experiment("t", arms=(Arm("a", ("Timer",)), Arm("b", ("Price drop",))), holdout="10%")
    two = replace(one, arms=(Arm("a", ("Timer",), "60%"), one.arms[1]), holdout="5%", bandit=Bandit())
    assert block_changes(replace(BASE, experiment=one), replace(BASE, experiment=two)) == [
        "Experiment: holdout: “10%” → “5%”",
        "Experiment: arm a: “Timer” → “Timer for 60%”",
        "Experiment: shares that follow results on",
    ]
    assert block_changes(replace(BASE, experiment=one), BASE) == ["Experiment “t” removed"]


def test_settings_are_said_with_the_labels_and_defaults_of_their_form() -> None:
    old = replace(BASE, variants=(Variant("Timer", "countdown", {"at": "2030-01-01T00:00"}),))
    new = replace(BASE, variants=(Variant("Timer", "countdown", {"at": "2030-02-01T00:00", "accent": "#ff0000"}),))
    assert block_changes(old, new, APPS) == [
        "Fixed end of “Timer”: “2030-01-01T00:00” → “2030-02-01T00:00”",
        "Accent of “Timer”: “#ff6b4a” → “#ff0000”",
    ]
    broken = replace(BASE, variants=(Variant("Timer", "countdown", {"at": 7, "deep": {"a": [1, 2]}}),))
    assert block_changes(old, broken, APPS) == [
        "at of “Timer”: “2030-01-01T00:00” → 7", "deep.a of “Timer”: none → 1, 2",
    ]  # fmt: skip


def test_a_new_block_is_said_with_its_variants_and_fallback() -> None:
    assert block_words(BASE, APPS)[1:] == [
        "Variant “Price drop” added: Price Drop for people who did Product Viewed within 7d",
        "Variant “Timer” added: Countdown for everyone",
        "Headline of the fallback: “Hello”",
        "Link of the fallback: https://shop.example/",
    ]


def test_a_long_text_is_cut_and_keeps_to_one_line() -> None:
    [change] = block_changes(BASE, fallback(text="a\nb" * 500)(BASE))
    assert "\n" not in change
    assert len(change) < LONGEST + 60


@given(st.permutations("abcdef"), st.permutations("abcdef"))
def test_moving_the_named_ones_turns_one_order_into_the_other(old: list[str], new: list[str]) -> None:
    moved = _moved(old, new)
    assert [each for each in old if each not in moved] == [each for each in new if each not in moved]
    assert (moved == []) == (old == new)


@pytest.mark.parametrize("name", Block.__struct_fields__)
def test_no_field_of_a_block_changes_unsaid(name: str) -> None:
    other: dict[str, Any] = {
        "fallback": Fallback("https://other.example/"), "variants": (), "utm": {"source": "x"}, "name": "other",
        "experiment": Experiment("t"), "fetches": {"scanner": Treatment(count=True)}, "recipients": ("user",),
        "title": "x", "alt": "x", "email": "x", "gone": "https://x.example/", "control": "Timer",
        "schedule": Schedule(until="2030-01-01"), "aliases": ("old",),
    }  # fmt: skip
    was = getattr(BASE, name)
    value = other.get(name, (not was) if isinstance(was, bool) else was + 1 if isinstance(was, int) else None)
    assert bool(block_changes(BASE, replace(BASE, **{name: value}))) == (name != "name")
