"""Dates and times of day that nobody put in quotes."""

from typing import Any

import pytest

from wetink.content.content import block_of
from wetink.content.strict_yaml import parse_yaml


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-12-24T18:00:00", "2026-12-24T18:00:00"),
        ("2026-12-24 18:00:00", "2026-12-24T18:00:00"),
        ("2026-12-24T18:00:00+02:00", "2026-12-24T18:00:00+02:00"),
        ("2026-12-24", "2026-12-24"),
        ("2026-12-24T18:00", "2026-12-24T18:00"),
        ("15:00", "15:00"),
        ("09:30", "09:30"),
        ("12:30:45", "12:30:45"),
        ('"15:00"', "15:00"),
        ("1500", 1500),
    ],
)
def test_a_setting_reads_as_it_is_written(written: str, read: Any) -> None:
    text = f"variants: [{{name: a, app: b, settings: {{at: {written}}}}}]\nfallback: {{link: https://shop.example/}}"
    block, problems = block_of("hero", parse_yaml(text))
    assert problems == []
    assert block.variants[0].settings == {"at": read}
