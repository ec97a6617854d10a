"""Settings that could never work are refused at their field when they are saved: each of each app, a letter off."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, get_args
from zoneinfo import available_timezones

import msgspec
import pytest

from wetink.apps import load
from wetink.core.app.app import App
from wetink.core.app.product_grid import Source
from wetink.core.app.setting import problems_with

APPS = load()
FILLED: dict[str, dict[str, Any]] = {
    "countdown": {
        "ends": "at", "at": "2026-12-24T18:00", "zone": "Europe/Berlin", "dispatch": "15:00",
        "working_days": ["mon", "sat"],
    },
    "nearest-store": {
        "stores": ["Hamburg; 53.55 10.0; Neuer Wall 12; mon-sat 10:00-20:00; https://shop.example/; Europe/Berlin"],
        "zone": "America/Argentina/Buenos_Aires", "unit": "km",
    },
    "weather": {
        "offers": ["rain; Lamps; https://shop.example/", "above 25; Fans", "any; News"], "unit": "C", "degrees": "F",
    },
    "poll": {"results": "always", "ends": "2026-12-24T18:00:00+02:00"},
    "reveal": {"by": "opens", "wait": "5m"},
    "trending": {"measure": "viewed", "window": "7d", "fill": ["category", "best_sellers", "viewed", "new"]},
    "social-proof": {"measure": "added", "window": "24h"},
    "filmstrip": {"fill": ["new", "viewed"]},
    "recommended": {"fill": ["category"]},
}  # fmt: skip
FREE = frozenset(
    (
        *("title", "heading", "question", "options", "thanks", "cover", "hint", "prize", "code", "button", "labels"),
        *(
            "rewards",
            "unit",
            "promise",
            "poll",
            "trait",
            "feed",
            "feeds",
            "link",
            "image",
            "note",
            "temperature",
            "sky",
        ),
        *("day", "only.categories", "only.brands", "only.not_categories", "only.skip"),
    )
)
"""Words of the marketer's own, and names of things that stand elsewhere."""
COLOR = re.compile("#[0-9a-fA-F]{6}")


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text in settings with its place."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from strings(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from strings(each, f"{path}[{index}]")
    elif isinstance(value, str) and value:
        yield path, value


def one_letter_off(text: str) -> Iterator[str]:
    """Yield a text with one letter left out, doubled, changed, and two of them turned round, at each of its places."""
    for at, letter in enumerate(text):
        yield text[:at] + text[at + 1 :]
        yield text[:at] + letter + text[at:]
        yield text[:at] + ("q" if letter != "q" else "k") + text[at + 1 :]
        if at and text[at - 1] != letter:
            yield text[: at - 1] + letter + text[at - 1] + text[at + 1 :]


def changed(settings: Any, path: str, text: str) -> Any:
    """Return settings with another text at a place."""
    *steps, last = [int(step) if step.isdecimal() else step for step in re.findall(r"[^.\[\]]+", path)]
    made = msgspec.json.decode(msgspec.json.encode(settings))
    place = made
    for step in steps:
        place = place[step]
    place[last] = text
    return made


def right(field: str, text: str) -> bool:
    """Whether a text is a setting of this field after all, by what others say of zones, dates, colors and words."""
    if field == "zone":
        return text in available_timezones() or text == ""
    if field in ("at", "ends"):
        try:
            return bool(datetime.fromisoformat(text)) or text == ""
        except ValueError:
            return text in ("", "at", "cart", "dispatch", "after_first_open")
    if field == "accent":
        return COLOR.fullmatch(text) is not None
    if field == "fill":
        return text in get_args(Source)
    if field in ("window", "wait"):
        return re.fullmatch(r"[1-9]\d{0,3}[smhdw]", text) is not None
    if field == "dispatch":
        return re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text) is not None
    if field == "stores":
        return _is_store(text)
    if field == "offers":
        when, words, *link = [part.strip() for part in text.split(";")]
        known = when in ("rain", "any") or re.fullmatch(r"above\s+\d+", when.lower()) is not None
        return known and bool(words) and all(re.match(r"https?:/*[a-z]", each) for each in link)
    return False


def _is_store(text: str) -> bool:
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 6:
        return False
    name, place, _, hours, link, zone = parts
    return bool(
        name
        and re.fullmatch(r"\d\d?(\.\d+)?\.? +1?\d\d?\.?(\d+)?", place)
        and re.fullmatch(
            r"(mon|tue|wed|thu|fri|sat|sun)\s*-\s*(mon|tue|wed|thu|fri|sat|sun) +\d\d?:\d\d-\d\d?:\d\d", hours
        )
        and re.match(r"https?:/*[a-z]", link)
        and zone in available_timezones()
    )


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_a_value_that_is_a_letter_off_is_refused_at_its_field(app: App) -> None:
    defaults = msgspec.to_builtins(app.settings())
    settings = {**defaults, **app.sample.settings, **FILLED.get(app.name, {})}
    assert problems_with(app, settings) == []
    for path, text in strings(settings):
        field = path.partition("[")[0]
        if field in FREE and (app.name, field) != ("countdown", "unit"):
            continue
        for other in one_letter_off(text):
            wrong = problems_with(app, changed(settings, path, other))
            if not wrong:
                assert right(field, other), f"{app.name}: {path}: {other!r} is taken"
            else:
                assert wrong[0].path.partition("[")[0] in (field, "working_days", "at"), f"{path} {other!r}: {wrong}"


@pytest.mark.parametrize("app", [app for app in APPS.values() if app.name != "custom"], ids=lambda app: app.name)
def test_a_name_that_is_a_letter_off_is_refused_and_the_right_one_named(app: App) -> None:
    names = app.settings.__struct_fields__
    for name in names:
        for other in one_letter_off(name):
            if other in names or not other:
                continue
            [wrong] = problems_with(app, {other: getattr(app.settings(), name)})
            assert wrong.path == other
            assert wrong.why.startswith("unknown setting")
            if len(name) > 3:
                assert "did you mean" in wrong.why


@pytest.mark.parametrize(
    ("app", "settings", "path"),
    [
        ("countdown", {"at": "24.12.2026 18:00"}, "at"),
        ("countdown", {"at": "2026-13-01T00:00"}, "at"),
        ("countdown", {"at": "2026-02-30"}, "at"),
        ("countdown", {"at": "0206-12-24T18:00"}, "at"),
        ("countdown", {}, "at"),
        ("countdown", {"ends": "dispatch", "working_days": []}, "working_days"),
        ("countdown", {"ends": "dispatch", "working_days": ["mon", "tues"]}, "working_days[1]"),
        ("countdown", {"at": "2026-12-24T18:00", "zone": "CEST"}, "zone"),
        ("countdown", {"at": "2026-12-24T18:00", "zone": "europe/berlin"}, "zone"),
        ("countdown", {"at": "2026-12-24T18:00", "zone": "Europe/Berlin "}, "zone"),
        ("countdown", {"at": "2026-12-24T18:00", "zone": "../../etc/passwd"}, "zone"),
        ("nearest-store", {}, "stores"),
        ("nearest-store", {"stores": ["Hamburg; 153.55 10.0"]}, "stores[0]"),
        ("nearest-store", {"stores": ["Hamburg; 53.55 190"]}, "stores[0]"),
        ("nearest-store", {"stores": ["Hamburg; 53.55"]}, "stores[0]"),
        ("nearest-store", {"stores": ["Hamburg; nan nan"]}, "stores[0]"),
        ("nearest-store", {"stores": ["Hamburg; 53.5 10; ; mon-sat 10-20"]}, "stores[0]"),
        ("nearest-store", {"stores": ["A; 1 1", "B; 1 1; ; mo-sa 10:00-20:00"]}, "stores[1]"),
        ("nearest-store", {"stores": ["A; 1 1; ; ; javascript:alert(1)"]}, "stores[0]"),
        ("weather", {"offers": []}, "offers"),
        ("weather", {"offers": ["sunny; Fans"]}, "offers[0]"),
        ("weather", {"offers": ["above warm; Fans"]}, "offers[0]"),
        ("weather", {"offers": ["any; "]}, "offers[0]"),
        ("loyalty", {"goals": [100, -5], "rewards": ["a"]}, "goals[1]"),
        ("loyalty", {"goals": [100, 100], "rewards": ["a"]}, "goals[1]"),
        ("loyalty", {"goals": [100], "rewards": ["a", "b"]}, "rewards[1]"),
        ("poll", {"options": ["Yes", "Yes"]}, "options[1]"),
        ("poll", {"ends": "tomorrow"}, "ends"),
        ("trending", {"only": {"price_from": 50, "price_to": 10}}, "only"),
        ("trending", {"only": {"brand": ["A"]}}, "only.brand"),
        ("trending", {"items": "3"}, "items"),
        ("trending", {"accent": "blue"}, "accent"),
        ("trending", {"accent": "#fff"}, "accent"),
    ],
)
def test_a_setting_that_can_never_work_is_refused(app: str, settings: dict[str, Any], path: str) -> None:
    assert [wrong.path for wrong in problems_with(APPS[app], settings)] == [path]
