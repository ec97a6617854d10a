"""Settings as a form: every app has one, and what is filled in comes out as its settings."""

import msgspec
import pytest

from wetink.apps import load
from wetink.core.app.setting import fields_of, settings_of

APPS = load()


@pytest.mark.parametrize("name", APPS)
def test_every_setting_of_every_app_is_a_field_that_says_what_it_is_for(name: str) -> None:
    app = APPS[name]
    fields = fields_of(app)
    assert [field.name for field in fields if not field.about] == []
    top = {field.name.partition(".")[0] for field in fields}
    assert top == set(app.settings.__struct_fields__)
    sample = {field.name: field.value for field in fields_of(app, app.sample.settings)}
    switches = {field.name for field in fields if field.kind == "switch" and sample[field.name] == "false"}
    settings, wrong = settings_of(app, {key: text for key, text in sample.items() if key not in switches})
    assert wrong == {}
    assert msgspec.convert(settings, app.settings) == msgspec.convert(app.sample.settings, app.settings)


def test_what_is_filled_in_comes_out_as_settings_and_can_be_filled_in_again() -> None:
    form = {
        "items": "2", "only.price_to": "49.5", "only.brands": "Tide, Inc\nMoor", "measure": "viewed", "window": "7d",
        "only.buyable": "", "only.bought": "on", "title": " Hot ",
    }  # fmt: skip
    settings, wrong = settings_of(APPS["trending"], form)
    assert wrong == {}
    assert settings == {
        "items": 2,
        "only": {"price_to": 49.5, "brands": ["Tide, Inc", "Moor"], "buyable": False},
        "measure": "viewed",
        "window": "7d",
        "title": "Hot",
    }
    again = {field.name: field.value for field in fields_of(APPS["trending"], settings)}
    assert settings_of(APPS["trending"], again) == (settings, {})


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("items", "many", "'many' is not a whole number"),
        ("items", "7", "7 does not fit: at most 6"),
        ("only.price_to", "cheap", "is not a number"),
        ("measure", "loved", "'loved' is not one of added, bought, viewed"),
        ("accent", "red", "'red' does not fit; write a color as #3451d1"),
        ("fill", "best_sellers, magic", "'magic' is not one of"),
    ],
)
def test_an_invalid_setting_is_reported_at_its_field(field: str, text: str, said: str) -> None:
    settings, wrong = settings_of(APPS["trending"], {field: text, "only.buyable": "on", "only.bought": "on"})
    assert settings == {}
    assert list(wrong) == [field]
    assert said in wrong[field]


def test_every_field_that_cannot_be_read_has_its_error() -> None:
    form = {"items": "many", "only.price_to": "cheap", "only.buyable": "on", "only.bought": "on"}
    assert list(settings_of(APPS["trending"], form)[1]) == ["items", "only.price_to"]


def test_an_error_in_a_list_names_the_entry() -> None:
    stores = "Berlin; 52.5 13.4\nHamburg; 153.5 10.0"
    wrong = settings_of(APPS["nearest-store"], {"stores": stores})[1]
    assert list(wrong) == ["stores"]
    assert wrong["stores"].startswith("entry 2: ")


@pytest.mark.parametrize("name", APPS)
def test_settings_have_a_json_schema(name: str) -> None:
    schema = msgspec.json.schema(APPS[name].settings)
    assert msgspec.json.encode(schema)
