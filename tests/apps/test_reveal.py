"""Reveal: covered at first, revealed a while after the first open, and so it stays."""

from typing import Any

import msgspec
import pytest

from wetink.apps import load
from wetink.core.app.app import Shop, Shown
from wetink.core.profile.person import Moment, Person

APP = load()["reveal"]
NOW = 1_800_000_000_000
MINUTE = 60_000


def run(now: int, promised: dict[str, Any], **settings: Any) -> Shown:
    shown = APP.show(Person(), msgspec.convert(settings, APP.settings), Moment(now), Shop(promised=promised))
    assert shown is not None
    return shown


@pytest.mark.parametrize(
    ("promised", "settings", "revealed"),
    [
        ({}, {}, False),
        ({"first": NOW}, {}, False),
        ({"first": NOW - 5 * MINUTE + 1}, {}, False),
        ({"first": NOW - 5 * MINUTE}, {}, True),
        ({"first": NOW - 5 * MINUTE}, {"wait": "1h"}, False),
        ({"first": NOW - 5 * MINUTE}, {"promise": "spring"}, False),
        ({"first": NOW + MINUTE}, {}, False),
        ({"first": "soon"}, {}, False),
    ],
    ids=["never opened", "the same moment", "almost", "the wait is over", "a longer wait", "another promise",
         "a clock that went back", "a promise that is not a time"],
)  # fmt: skip
def test_the_cover_goes_a_while_after_the_first_open(
    promised: dict[str, Any], settings: dict[str, Any], revealed: bool
) -> None:
    assert run(NOW, promised, **settings).facts["revealed"] is revealed


@pytest.mark.parametrize(
    ("opened", "clicked", "settings", "revealed"),
    [
        (0, 0, {"by": "opens"}, False),
        (1, 0, {"by": "opens"}, True),
        (1, 9, {"by": "opens", "opens": 3}, False),
        (2, 0, {"by": "opens", "opens": 3}, True),
        (9, 0, {"by": "click"}, False),
        (0, 1, {"by": "click"}, True),
    ],
)
def test_the_cover_goes_at_the_nth_open_or_with_a_click(
    opened: int, clicked: int, settings: dict[str, Any], revealed: bool
) -> None:
    shop = Shop(opened=opened, clicked=clicked)
    shown = APP.show(Person(), msgspec.convert(settings, APP.settings), Moment(NOW), shop)
    assert shown is not None
    assert shown.facts["revealed"] is revealed


def test_every_open_promises_the_time_of_the_first() -> None:
    kept = dict(run(NOW, {}).promise)
    assert kept == {"first": NOW}
    later = run(NOW + 6 * MINUTE, kept)
    assert later.facts["revealed"]
    assert dict(later.promise) == kept
