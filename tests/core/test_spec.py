"""Names that a mapping makes and that nothing reads are told, with the nearest that is read."""

from typing import Any

import pytest

from wetink.core.app.setting import PROPERTIES, doubts
from wetink.core.events.ecommerce import EVENTS
from wetink.core.messages.mapping import mapping_of


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        (
            {"events": {"Seen": {"name": "Product Vieweddd"}}},
            ["events.Seen.name: 'Product Vieweddd' is not an event of the spec; did you mean Product Viewed?"],
        ),
        (
            {"events": {"Seen": {"name": "Product Viewed", "properties": {"id": "skuu", "link": "url"}}}},
            ["events.Seen.properties.id: 'skuu' is not a property of the spec; did you mean sku?"],
        ),
        (
            {
                "events": {
                    "Bought": {"name": "Order Completed", "products": {"at": "x", "properties": {"id": "pricee"}}}
                }
            },
            ["events.Bought.products.properties.id: 'pricee' is not a property of the spec; did you mean price?"],
        ),
        (
            {"events": {"Seen": {"name": "Product Viewed", "properties": {"hue": "color"}}}},
            [
                "events.Seen.properties.hue: 'color' is not a property of the spec, "
                "so only rules and templates can use it"
            ],
        ),
        (
            {"events": {"Quiz": {"name": "Quiz Done"}}},
            ["events.Quiz.name: 'Quiz Done' is not an event of the spec, so only rules can use it"],
        ),
        ({"traits": {"mail": "emial"}}, ["traits.mail: 'emial' is not a trait of the spec; did you mean email?"]),
        ({"traits": {"tier": "loyalty_tier"}}, []),
        ({"events": {"Quiz": {"properties": {"score": "points"}}}}, []),
        ({"events": {"Seen": {"name": "viewed_product", "properties": {"id": "sku", "t": "title"}}}}, []),
    ],
)
def test_a_name_that_nothing_reads_is_told(mapping: Any, told: list[str]) -> None:
    assert list(doubts(mapping_of(mapping))) == told


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_that_is_a_letter_off_is_told_with_the_right_one(event: str) -> None:
    assert list(doubts(mapping_of({"events": {"X": {"name": event}}}))) == []
    for at in range(len(event)):
        wrong = event[:at] + "q" + event[at + 1 :]
        [told] = doubts(mapping_of({"events": {"X": {"name": wrong}}}))
        assert told.endswith(f"; did you mean {event}?"), told


@pytest.mark.parametrize("name", [name for name in PROPERTIES if len(name) > 4])
def test_every_property_that_is_a_letter_off_is_told(name: str) -> None:
    wrong = f"{name[:2]}q{name[3:]}"
    [told] = doubts(mapping_of({"events": {"Product Viewed": {"properties": {"x": wrong}}}}))
    assert "did you mean" in told
