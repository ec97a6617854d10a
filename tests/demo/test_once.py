"""`wetink demo --once` goes through the whole story without a browser, and says what it showed."""

from pathlib import Path

import pytest
from PIL import Image

from wetink.core.errors import BadSettings
from wetink.demo.life import CAST
from wetink.demo.once import once
from wetink.demo.run import prepare
from wetink.demo.shop import BY_SKU


def test_once_saves_the_pictures_and_a_report_of_who_saw_what_and_why(tmp_path: Path) -> None:
    once(tmp_path)
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    for role in CAST:
        names = ", ".join(BY_SKU[sku].name for sku in role.hero)
        assert f"| {role.name} | `{role.recipient}` | {names} |" in report
    assert "| Nora after logging in | `email:nora@newcomer.example` | Lee Tent |" in report
    with Image.open(tmp_path / "jane-mercer-hero-1.jpg") as hero:
        assert (hero.format, hero.size) == ("JPEG", (1200, 600))
    with Image.open(tmp_path / "jane-mercer-greeting-1.png") as greeting:
        assert greeting.format == "PNG"
        assert greeting.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_a_folder_that_is_not_a_demo_s_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(BadSettings, match="is not a demo's folder"):
        prepare(tmp_path, "127.0.0.1", 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "letter.txt"]
