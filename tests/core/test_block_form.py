"""A block as a form: every value comes back as it was, and each button does what it says."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.rules.rules import rules
from tests.examples import examples
from wetink.apps import load
from wetink.content.content import block_of
from wetink.core.app.setting import fields_of, read_text
from wetink.core.blocks.block import Block, Treatment, Variant
from wetink.core.blocks.form import BlockForm, acted, form_of, posted, raw_of, removed_text, restored

APPS = load()
FALLBACK = {"link": "https://shop.example/"}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)
odd = st.one_of(
    texts,
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    st.lists(texts, max_size=3),
)
schedules = st.fixed_dictionaries({"from": texts.filter(bool)}, optional={"until": texts, "zone": texts})


@st.composite
def variants(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A variant of any app, with settings of that app and of none, valid or not."""
    app = draw(st.sampled_from(sorted(APPS)))
    chosen: dict[str, Any] = draw(st.dictionaries(texts.filter(lambda each: "." not in each), odd, max_size=2))
    for field in draw(st.lists(st.sampled_from(fields_of(APPS[app])), max_size=5)):
        *outer, last = field.name.split(".")
        place = chosen
        for step in outer:
            place = place.setdefault(step, {}) if isinstance(place.get(step, {}), dict) else {}
        place[last] = draw(odd)
    variant = {"name": f"{draw(texts)}{number}", "app": app, "settings": chosen}
    more = {"template": texts, "link": texts, "engine": st.sampled_from(["", "takumi"]), "schedule": schedules}
    variant |= draw(st.fixed_dictionaries({}, optional=more))
    return variant | {"when": draw(st.lists(rules, max_size=2))}


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Any]:
    """A block's file."""
    treatment = st.fixed_dictionaries(
        {}, optional={"show": st.sampled_from(["decide", "fallback"]), "count": st.sampled_from([None, True, False])}
    )
    block = draw(
        st.fixed_dictionaries(
            {"fallback": st.fixed_dictionaries({"link": texts}, optional={"title": texts, "image": texts})},
            optional={
                "title": texts,
                "alt": texts,
                "width": st.integers(40, 1200),
                "slots": st.integers(1, 12),
                "place": st.integers(0, 99),
                "transparent": st.booleans(),
                "data": st.booleans(),
                "email": st.sampled_from(["", "weekly"]),
                "recipients": st.lists(st.sampled_from(["user", "email"]), max_size=3),
                "utm": st.dictionaries(texts.map(str.strip).filter(bool), texts, max_size=3),
                "gone": texts,
                "control": texts,
                "schedule": schedules,
                "paused": st.booleans(),
                "archived": st.booleans(),
                "aliases": st.just(["older"]),
                "fetches": st.dictionaries(st.sampled_from(["proxy", "scanner", "person"]), treatment, max_size=2),
                "experiment": st.just({"name": "words", "holdout": "10%", "arms": [{"name": "a", "variants": ["b"]}]}),
            },
        )
    )
    return block | {"variants": [draw(variants(number)) for number in range(draw(st.integers(0, 3)))]}


def sent(form: BlockForm) -> dict[str, str]:
    """Return what a browser sends for a form."""
    fields = {**form.fields, "rest": form.rest_text, "order": ",".join(each.key for each in form.variants)}
    for at, (name, value) in enumerate(form.tags):
        fields |= {f"utm.{at}.name": name, f"utm.{at}.value": value}
    for each in form.variants:
        own = {**each.fields, "rest": each.rest_text}
        own |= {f"settings.{name}": text for name, text in each.settings.items()}
        own |= dict(_texts("rule", each.rule)) if each.rule is not None else {}
        fields |= {f"v.{each.key}.{name}": text for name, text in own.items()}
    return fields


def _texts(path: str, draft: Any) -> Iterator[tuple[str, str]]:
    if isinstance(draft, str):
        yield path, draft
    for name, each in draft.items() if isinstance(draft, dict) else enumerate(draft) if isinstance(draft, list) else ():
        yield from _texts(f"{path}.{name}", each)


def read(raw: Any) -> Block:
    """Return the block of a file, each variant with all settings of its app: a default may be left out."""
    block = block_of("hero", raw)[0]
    fetches = {kind: each for kind, each in block.fetches.items() if each != Treatment()}
    return replace(
        block, fetches=fetches, variants=tuple(replace(each, settings=_complete(each)) for each in block.variants)
    )


def _complete(variant: Variant) -> dict[Any, Any]:
    usual = {tuple(field.name.split(".")): read_text(field, field.value) for field in fields_of(APPS[variant.app])}
    return usual | dict(_flat(variant.settings))


def _flat(settings: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for name, each in settings.items():
        if isinstance(each, dict) and each:
            yield from _flat(each, (*path, name))
        else:
            yield (*path, name), list(each) if isinstance(each, tuple) else each


@settings(max_examples=examples(60))
@given(blocks())
def test_every_value_of_a_block_comes_back(raw: dict[str, Any]) -> None:
    before = copy.deepcopy(raw)
    assert read(raw_of(form_of(raw, APPS), APPS)) == read(before)


@settings(max_examples=examples(60))
@given(blocks())
def test_every_value_comes_back_through_a_browser(raw: dict[str, Any]) -> None:
    assert read(raw_of(posted(sent(form_of(raw, APPS)), APPS), APPS)) == read(raw)


@given(
    st.recursive(odd, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=4)))
)
def test_any_file_has_a_form(raw: Any) -> None:
    form = form_of(raw, APPS)
    again = form_of(raw_of(form, APPS), APPS)
    assert (again.fields, again.tags) == (form.fields, tuple((name.strip(), each) for name, each in form.tags))


def names(form: BlockForm) -> list[str]:
    return [each.fields["name"] for each in form.variants]


@pytest.mark.parametrize(
    ("action", "after"),
    [
        ("up 1", ["B", "A", "C 3"]),
        ("up 0", ["A", "B", "C 3"]),
        ("down 1", ["A", "C 3", "B"]),
        ("down 2", ["A", "B", "C 3"]),
        ("remove 1", ["A", "C 3"]),
        ("copy 0", ["A", "A 2", "B", "C 3"]),
        ("copy 2", ["A", "B", "C 3", "C 4"]),
        ("new countdown", ["A", "B", "C 3", "Countdown"]),
        ("new nothing", ["A", "B", "C 3"]),
        ("up 9", ["A", "B", "C 3"]),
        ("nonsense", ["A", "B", "C 3"]),
    ],
)
def test_a_button_moves_copies_adds_or_removes_a_variant(action: str, after: list[str]) -> None:
    raw = {"fallback": FALLBACK, "variants": [{"name": name, "app": "trending"} for name in ("A", "B", "C 3")]}
    form = acted(form_of(raw, APPS), action, APPS)
    assert names(form) == after
    assert len({each.key for each in form.variants}) == len(after)


def test_a_browser_may_send_variants_in_another_order() -> None:
    raw = {"fallback": FALLBACK, "variants": [{"name": name, "app": "trending"} for name in ("A", "B", "C")]}
    fields = sent(form_of(raw, APPS))
    assert names(posted({**fields, "order": "2,0,9,2"}, APPS)) == ["C", "A", "B"]


def test_a_rule_gets_a_condition_beside_those_of_other_variants() -> None:
    raw = {"fallback": FALLBACK, "variants": [{"name": name, "app": "trending"} for name in ("A", "B")]}
    form = acted(form_of(raw, APPS), "1 add of", APPS)
    assert [len((each.rule or {}).get("of", [])) for each in form.variants] == [0, 1]


def test_an_edit_wins_over_a_value_that_the_form_cannot_show() -> None:
    raw = {"fallback": FALLBACK, "variants": [{"name": "A", "app": "countdown", "settings": {"title": 7, "own": [1]}}]}
    fields = sent(form_of(raw, APPS))
    saved = raw_of(posted({**fields, "v.0.settings.title": "Soon"}, APPS), APPS)["variants"][0]["settings"]
    assert saved == {"title": "Soon", "own": [1]}


def test_a_number_that_is_none_stays_to_be_corrected() -> None:
    fields = sent(form_of({"fallback": FALLBACK}, APPS))
    assert raw_of(posted({**fields, "width": "wide"}, APPS), APPS)["width"] == "wide"


@pytest.mark.parametrize("rest", ["x", "[", "[[1,2]]", '[[["a"]]]', '[[[["a"]],1]]', "7", "[" * 9_000])
def test_a_rest_that_is_none_is_left_out(rest: str) -> None:
    fields = sent(form_of({"fallback": FALLBACK, "title": "T"}, APPS))
    assert raw_of(posted({**fields, "rest": rest}, APPS), APPS) == {"fallback": FALLBACK, "title": "T"}


@given(blocks(), st.integers(0, 2))
def test_a_removed_variant_comes_back_to_its_place(raw: dict[str, Any], place: int) -> None:
    form = form_of(raw, APPS)
    text = removed_text(form, str(place), APPS)
    again = restored(acted(form, f"remove {place}", APPS), text, APPS)
    assert read(raw_of(again, APPS)) == read(raw)


@pytest.mark.parametrize("text", ["", "[", "[1]", "{}", '["a", {}]', "[0, 1]", "[" * 9_000])
def test_a_removed_variant_that_is_none_changes_nothing(text: str) -> None:
    form = form_of({"fallback": FALLBACK}, APPS)
    assert restored(form, text, APPS) == form
