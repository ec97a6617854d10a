"""Apps of a content folder: a template with its settings is in the gallery, checked, and drawn with what was set."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.web.dashboard.editing import Fields, begun, edited
from tests.web.test_open import JANE, House
from wetink.apps import load as builtin
from wetink.cli import main
from wetink.content.apps import app_of
from wetink.content.content import load
from wetink.content.tree import read_tree
from wetink.core.app.setting import fields_of
from wetink.core.errors import BadContent
from wetink.core.profile.person import Moment
from wetink.web.app import ROUTES

CARD = """
title: Product card
about: One product, large.
settings:
  heading: {type: string, default: For you, description: Above the product., maxLength: 20}
  accent: {type: string, format: color, default: "#204080"}
  items: {type: integer, minimum: 1, maximum: 6, default: 2}
  scale: {type: number, minimum: 0.5}
  framed: {type: boolean, default: true}
  mood: {enum: [calm, loud]}
  brands: {type: array, items: {type: string}}
sample: {settings: {heading: Look}}
"""
TEMPLATE = "<b style='color:{{ settings.accent }}'>{{ settings.heading }} {{ items[0].name }} {{ settings.mood }}</b>"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def block(settings: str, app: str = "card") -> str:
    variants = f"[{{name: one, app: {app}, settings: {settings}}}]"
    return f"variants: {variants}\nfallback: {{link: https://shop.example/, title: X}}"


@pytest.fixture
def house(tmp_path: Path) -> Any:
    made = House(tmp_path / "data")
    write(
        made.wetink.settings.content,
        {"templates/card.liquid": TEMPLATE, "templates/card.yaml": CARD, "blocks/mine.yaml": block("{heading: Hi}")},
    )
    asyncio.run(made.wetink.look_again())
    yield made
    asyncio.run(made.wetink.close())


def test_settings_of_an_own_app_become_a_form_and_a_json_schema() -> None:
    app = app_of("card", load_yaml(CARD))
    fields = {field.name: field for field in fields_of(app)}
    assert [(name, field.kind) for name, field in fields.items()] == [
        ("heading", "text"), ("accent", "color"), ("items", "whole"), ("scale", "number"),
        ("framed", "switch"), ("mood", "choice"), ("brands", "lines"),
    ]  # fmt: skip
    assert (fields["items"].least, fields["items"].most, fields["scale"].value) == (1, 6, "0.5")
    assert fields["heading"].about == "Above the product."
    schema = msgspec.json.schema(app.settings)["$defs"]["Settings"]["properties"]
    assert schema["heading"]["maxLength"] == 20
    assert schema["mood"]["enum"] == ["calm", "loud"]


def load_yaml(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


def test_a_block_of_an_own_app_is_drawn_with_its_settings_and_defaults(house: House) -> None:
    assert house.wetink.content.problems == ()
    house.saw("mug")
    decision = asyncio.run(
        house.wetink.opens.preview(house.wetink.content, house.wetink.content.block("mine"), JANE, Moment(house.now))
    )
    assert decision.settings["heading"] == "Hi"
    assert decision.settings["mood"] == "calm"
    assert [item.key for item in decision.items] == ["mug"]
    fallback = house.wetink.fallbacks.of(house.wetink.content.block("mine")).body
    first = house.get(house.url("picture", "mine")).body
    assert first != fallback
    write(house.wetink.settings.content, {"blocks/mine.yaml": block("{heading: Another}")})
    asyncio.run(house.wetink.look_again())
    assert house.get(house.url("picture", "mine")).body not in (first, fallback)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{heading: 7}", "settings.heading: 7 is not text"),
        ("{heading: a very very long heading}", "settings.heading: at most 20 characters"),
        ("{items: 9}", "settings.items: 9 does not fit: at most 6"),
        ("{mood: wild}", "settings.mood: 'wild' is not one of"),
        ("{accent: red}", "settings.accent: 'red' does not fit; write a color as #3451d1"),
        ("{headnig: x}", "settings.headnig: unknown setting; did you mean heading?"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_its_place(tmp_path: Path, settings: str, said: str) -> None:
    files = {"templates/card.liquid": TEMPLATE, "templates/card.yaml": CARD, "blocks/mine.yaml": block(settings)}
    write(tmp_path, files)
    content = load(read_tree(tmp_path), builtin())
    [problem] = content.problems
    assert problem.startswith("blocks/mine.yaml: variants[0].settings.")
    assert said in problem
    assert "mine" not in content.blocks


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("card", {}, "missing required field `title`"),
        ("card", {"title": "A", "colour": 1}, "unknown field `colour`"),
        ("Card", {"title": "A"}, "not a name for an app"),
        ("card", {"title": "A", "settings": {"X": {"type": "string"}}}, "settings.X: this is not a name"),
        ("card", {"title": "A", "settings": {"feeds": {"type": "string"}}}, "settings.feeds"),
        ("card", {"title": "A", "settings": {"x": {}}}, "settings.x: it needs a type"),
        ("card", {"title": "A", "settings": {"x": {"type": "object"}}}, "$.settings[...].type"),
        ("card", {"title": "A", "settings": {"x": {"type": "integer", "default": "a"}}}, "settings.x.default"),
        (
            "card",
            {"title": "A", "settings": {"x": {"type": "integer", "maximum": 2, "default": 3}}},
            "settings.x.default",
        ),
        ("card", {"title": "A", "settings": {"x": {"type": "integer", "enum": ["a"]}}}, "settings.x: enum is for"),
        ("card", {"title": "A", "settings": {"x": {"type": "array", "items": {"type": "array"}}}}, "settings.x.items"),
        ("card", {"title": "A", "sample": {"settings": {"y": 1}}}, "sample: Object contains unknown field `y`"),
        ("card", [], "Expected `object`"),
    ],
)
def test_an_invalid_companion_file_is_refused_with_its_place(name: str, raw: Any, said: str) -> None:
    with pytest.raises(BadContent) as caught:
        app_of(name, raw)
    assert said in str(caught.value)


def test_problems_of_companions_are_told_and_leave_the_rest_alone(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "templates/alone.yaml": "title: Alone",
            "templates/trending.liquid": "x",
            "templates/trending.yaml": "title: Mine",
            "templates/fed.liquid": "x",
            "templates/fed.yaml": "title: Fed\nfeeds: [none]",
            "blocks/good.yaml": block("{}", "last-viewed"),
        },
    )
    content = load(read_tree(tmp_path), builtin())
    assert sorted(content.problems) == [
        "templates/alone.yaml: there is no alone.liquid beside it",
        "templates/fed.yaml: feeds: there is no feed none in feeds/",
        "templates/trending.yaml: there is an app called trending already",
    ]
    assert list(content.blocks) == ["good"]
    assert "trending" not in content.apps


def test_an_own_app_in_the_gallery_leads_to_a_draft_with_its_settings(house: House) -> None:
    app = Starlette(routes=ROUTES)
    app.state.wetink = house.wetink
    with TestClient(app) as browser:
        assert "Product card" in browser.get("/dashboard/apps").text
        assert browser.get("/dashboard/apps/card.img").headers["content-type"].startswith("image/")
        path = begun(browser, "card")
        assert Fields(browser.get(path).text).found["v.0.settings.heading"] == "Look"
        sent = {"v.0.settings.heading": "Made", "v.0.settings.mood": "loud"}
        edited(browser, path, **sent, **{"fallback.link": "https://shop.example/"})
        again = Fields(browser.get(path).text).found
        assert {name: again[name] for name in sent} == sent
        assert "at most" in edited(browser, path, **{"v.0.settings.heading": "x" * 30})


def test_a_template_that_cannot_be_drawn_is_told_on_its_page(house: House) -> None:
    write(house.wetink.settings.content, {"templates/card.liquid": "{% if %}"})
    asyncio.run(house.wetink.look_again())
    app = Starlette(routes=ROUTES)
    app.state.wetink = house.wetink
    with TestClient(app) as browser:
        answer = browser.get("/dashboard/apps/card")
        assert answer.status_code == 200
        assert 'role="alert"' in answer.text
        assert browser.get("/dashboard/apps/card.img").status_code == 404


def test_a_removed_app_is_gone_and_its_block_is_reported(house: House) -> None:
    (house.wetink.settings.content / "templates" / "card.yaml").unlink()
    asyncio.run(house.wetink.look_again())
    assert "card" not in house.wetink.apps
    assert any("there is no app called 'card'" in problem for problem in house.wetink.content.problems)


def test_the_command_line_lists_an_own_app_and_runs_its_scenarios(house: House) -> None:
    folder = house.wetink.settings.content
    write(
        folder,
        {
            "scenarios/card.yaml": "name: A card\nevents:\n"
            "  - {event: Product Viewed, properties: {sku: '7', name: Mug, url: 'https://shop.example/7'}}\n"
            "expect: {mine: {app: card, items: ['7']}}\n"
        },
    )
    listed = CliRunner().invoke(main, ["apps", "--content", str(folder), "--json"])
    assert "card" in [each["name"] for each in msgspec.json.decode(listed.output)]
    ran = CliRunner().invoke(main, ["test", str(folder)])
    assert "✓ scenarios/card.yaml: A card [mine]" in ran.output
