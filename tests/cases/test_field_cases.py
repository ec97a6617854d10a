"""The field cases: small inputs as real shops, SDKs, feeds and mail programs send them, each with its right answer.

The first line of `field_cases.jsonl` says how to read it. Each other line has `how` it is tried (see `runners`), its
`input` and what to `expect` (see `judged`).
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cases.judged import wrong_with
from tests.cases.runners import DRAWING, RUNNERS
from tests.cases.shop import shop

ABOUT, *CASES = [
    json.loads(line) for line in (Path(__file__).parent / "field_cases.jsonl").read_text().splitlines() if line.strip()
]


def _seen(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        async with shop(folder, draws=case["how"] in DRAWING) as there:
            return await RUNNERS[case["how"]](case["input"], there)

    return asyncio.run(run())


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['id']}-{case['how']}") for case in CASES])
def test_a_field_case_gets_its_expected_answer(case: dict[str, Any], tmp_path: Path) -> None:
    wrong = wrong_with(_seen(case, tmp_path), case["expect"])
    assert not wrong, "\n".join(wrong)


def test_every_kind_of_case_has_a_runner() -> None:
    assert set(RUNNERS) == set(ABOUT["how"])


MORE = [
    {"how": "glyphs", "input": "Aß9é€", "expect": {"drawn": "all"}},
    {"how": "feed_price", "input": "15.00 EUR", "expect": {"price": 15, "currency": "EUR"}},
    {"how": "merchant_item", "input": {}, "expect": {"products": 1, "photo": "https://shop.example/mug.jpg"}},
    {"how": "merchant_xml", "input": "<rss><channel></rss>", "expect": {"products": 0, "refused": True}},
    {"how": "money", "input": {"price": 1299.5, "currency": "EUR", "lang": "de"}, "expect": {"text": "1.299,50\xa0€"}},
    {"how": "name", "input": "Jane", "expect": {"text": "Jane", "drawn": True}},
    {
        "how": "behavioral",
        "input": {"events": [{"type": "track", "event": "Quiz Taken", "userId": "q"}]},
        "expect": {"status": 200, "stored": 1, "verdict": "usable", "event": "Quiz Taken"},
    },
    {"how": "agent", "input": "GoogleImageProxy", "expect": {"open": "proxy"}},
    {
        "how": "push",
        "input": {"variants": [{"name": "c", "app": "countdown", "settings": {}}], "fallback": {"link": "x"}},
        "expect": {"taken": False},
    },
    {
        "how": "rule",
        "input": {"rule": {"trait": "plan", "equals": "gold"}, "traits": {"plan": "gold"}},
        "expect": {"holds": True},
    },
]
"""A case for each way that has no line of its own in the file, or none that can be right by other means."""


@pytest.mark.parametrize("case", MORE, ids=lambda case: case["how"])
def test_each_runner_judges_a_known_case_correctly(case: dict[str, Any], tmp_path: Path) -> None:
    assert not wrong_with(_seen(case, tmp_path), case["expect"])
