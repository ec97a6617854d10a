"""T8, T9, T10, T15, T16, T17, T21: one attack of each, with its defence and without."""

import asyncio
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.storage import opened
from tests.web.test_open import NOW, House
from wetink.columns.answer import Values
from wetink.content import versions
from wetink.content.versions import Versions
from wetink.core.errors import BadContent
from wetink.core.events import message
from wetink.core.profile.person import Moment
from wetink.core.rules import operators
from wetink.core.rules.parse import parse
from wetink.core.units import csv
from wetink.ingest.receive import check_body
from wetink.opens import open as opening
from wetink.render import liquid

BOTH = pytest.mark.parametrize("defended", [True, False], ids=["defended", "undefended"])


@BOTH
def test_a_template_does_not_grow_what_it_is_given_beyond_all_bounds(
    monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(liquid, "MOST_KEPT", 1 << 40)
    data = {"text": "a" * 4_000}
    grown = "{{ text | replace: 'a', text | size }}"
    if defended:
        with pytest.raises(BadContent, match="more than"):
            liquid.html(grown, data)
    else:
        assert liquid.html(grown, data) == str(4_000 * 4_000)


@BOTH
def test_a_push_writes_nothing_outside_the_content_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(versions, "check_paths", lambda tree: None)
    content = tmp_path / "content"
    content.mkdir()
    store = opened(tmp_path / "store", lambda: 1)
    kept = Versions(store.content, store.leases, content, lambda tree: ())
    asyncio.run(kept.take_in(1))
    tree = {"blocks/../../outside.yaml": b"x"}
    try:
        asyncio.run(kept.push(tree, 1, by="mallory", message="", now=2))
    except BadContent:
        assert defended
    outside = [each for each in tmp_path.rglob("outside.yaml") if content not in each.parents]
    assert bool(outside) is not defended
    asyncio.run(store.close())


@BOTH
@pytest.mark.parametrize("cell", ['=HYPERLINK("https://evil.example")', "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_text_is_a_formula_of_a_spreadsheet(monkeypatch: pytest.MonkeyPatch, cell: str, defended: bool) -> None:
    if not defended:
        monkeypatch.setattr(csv, "STARTS", ())
    assert csv.line([cell]).startswith("\"'") is defended


@BOTH
def test_a_message_nested_too_deeply_is_parked(monkeypatch: pytest.MonkeyPatch, defended: bool) -> None:
    if not defended:
        monkeypatch.setattr(message, "DEEPEST", 10_000)
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    told = {"type": "track", "event": "X", "userId": "u", "messageId": "m", "properties": {"deep": deep}}
    [dry] = check_body(msgspec.json.encode(told), NOW)
    assert (dry["verdict"] == "parked") is defended


def seconds(pattern: str, length: int) -> float:
    passes = operators.pattern_of(pattern)
    begun = time.thread_time()
    assert not passes("a" * length + "!")
    return time.thread_time() - begun


def test_an_expression_takes_time_in_proportion_and_by_another_engine_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds("^(a+)+$", 50_000) < 5
    backtracking = SimpleNamespace(Options=SimpleNamespace, compile=lambda text, _: re.compile(text), error=re.error)
    monkeypatch.setattr(operators, "re2", backtracking)
    short, longer = seconds("^(a+)+$", 16), seconds("^(a+)+$", 21)
    assert longer > 8 * short, "five letters more take 32 times as long"


@BOTH
def test_opens_that_are_repeated_count_once_a_minute(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(opening, "DECISION_MS", 0)
    house.saw("mug")
    for each in range(10):
        house.now += 100
        house.get(f"{house.url('picture', 'hero')}?x={each}")
    [line] = [
        each
        for each in asyncio.run(house.wetink.reports.lines(house.wetink.content, 0, house.now + 1))
        if each.key["block"] == "hero"
    ]
    assert (line.opens == 1) is defended


@BOTH
def test_a_value_of_a_rule_is_never_part_of_a_query(
    house: House, monkeypatch: pytest.MonkeyPatch, defended: bool
) -> None:
    if not defended:
        monkeypatch.setattr(Values, "__call__", lambda self, value: f"'{value}'")
    for user in ("ann", "bob"):
        house.take({"type": "identify", "userId": user, "traits": {"plan": "gold"}, "messageId": user})
    rule = parse({"trait": "plan", "contains": "x') OR ('1'='1"})
    counted = asyncio.run(house.wetink.audiences.count({}, rule, Moment(house.now + 1_000)))
    assert (counted.matches, counted.of) == ((0, 2) if defended else (2, 2))
