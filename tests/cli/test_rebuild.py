"""`wetink rebuild`: what follows from the log, derived again."""

import json
from pathlib import Path

import pytest

from tests.cli.run import wetink

CSV = "sku,name,price,currency,url\nL,Moth Lamp,129,EUR,https://shop.example/l\n"


def test_a_rebuilt_catalog_has_what_events_and_imports_said(shop: Path, tmp_path: Path) -> None:
    file = tmp_path / "goods.csv"
    file.write_text(CSV)
    wetink("catalog", "import", file, "--data", shop)
    before = [wetink("catalog", "search", word, "--data", shop, "--json") for word in ("mug", "lamp")]
    assert all(json.loads(each) for each in before)
    assert "catalog is rebuilt from" in wetink("rebuild", "catalog", "--data", shop)
    assert [wetink("catalog", "search", word, "--data", shop, "--json") for word in ("mug", "lamp")] == before


@pytest.mark.parametrize("name", ["catalog", "conversions"])
def test_a_rebuild_says_how_many_messages_it_went_through(shop: Path, name: str) -> None:
    assert wetink("rebuild", name, "--data", shop) == f"{name} is rebuilt from 2 messages\n"


def test_only_projections_can_be_rebuilt(shop: Path) -> None:
    assert "catalog, conversions" in wetink("rebuild", "people", "--data", shop, status=1)
