"""Coverage: people in groups by what they would see and why, and the values they lack."""

from typing import Any

from wetink.core.blocks.block import Block, Decision, Fallback, Step, Variant
from wetink.core.blocks.coverage import Coverage, Group, Lack, Seen, coverage, values_of

BLOCK = Block("b", Fallback("https://shop.example/"), (Variant("cart", "custom"), Variant("hello", "custom")))
TEMPLATES = {"hello": "{{ person.traits.name | default: 'you' }} {{ person.traits.tier }}", "cart": "cart"}


def seen(variant: str, why: str = "", **traits: Any) -> Seen:
    trace = (Step("cart", not why, why or "its turn"),)
    return Seen(Decision("", "b", "", "", 0, variant, "", "", {}, (), (), trace), traits)


def test_people_stand_together_by_what_they_see_and_why() -> None:
    found = coverage(
        BLOCK,
        [
            seen("cart"), seen("cart"),
            seen("hello", "Product Added 0 times in 7d, 1 wanted", name="Ada"),
            seen("hello", "Product Added 12 times in 7d, 1 wanted", tier="gold"),
            seen("", "nothing to show"),
        ],
        TEMPLATES,
    )  # fmt: skip
    assert found == Coverage(
        5,
        (
            Group("cart", 2, ""),
            Group("hello", 2, "Product Added … times in …d, … wanted"),
            Group("", 1, "nothing to show"),
        ),
        (Lack("name", 1, True), Lack("tier", 1, False)),
    )


def test_only_the_most_frequent_reasons_are_listed() -> None:
    people = [seen("", f"reason {letter}") for letter in "aaaaaaabbbbbbccccdddeefghi"]
    found = coverage(BLOCK, people, {})
    assert [(group.why, group.people) for group in found.groups] == [
        ("reason a", 7), ("reason b", 6), ("other reasons", 4), ("reason c", 4), ("reason d", 3), ("reason e", 2),
    ]  # fmt: skip
    assert sum(group.people for group in found.groups) == found.people


def test_coverage_of_no_people_is_empty() -> None:
    assert coverage(BLOCK, [], TEMPLATES) == Coverage(0, (), ())


def test_a_value_has_a_default_only_if_it_has_one_everywhere() -> None:
    assert values_of("{{ person.traits.a | default: 'x' }}{{ person.traits.a }}") == {("a",): False}
    assert values_of("{{ person.traits.a | upcase | default: 'x' }}") == {("a",): True}
    assert values_of("{% if person.traits.a %}{{ person.traits.a }}{% endif %}") == {("a",): True}
    assert values_of("{% assign n = person.traits.a | default: person.traits.b %}") == {("a", "b"): False}
    assert values_of("no values, {{ person.name }}") == {}
