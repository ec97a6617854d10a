"""Values in templates: a shopper's traits and a feed's fields may be anything, and cost no picture."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from liquid import Environment

from wetink.core.errors import BadContent
from wetink.render.liquid import FILTERS, html

VALUES: dict[str, Any] = {
    "null": None,
    "text": "abc",
    "text of a number": "1,250",
    "empty text": "",
    "number": 3,
    "negative": -1,
    "fraction": 2.5,
    "nan": float("nan"),
    "huge": 10**30,
    "boolean": True,
    "list": [1, None, "x", 2.5, True],
    "empty list": [],
    "map": {"a": None, "b": 1},
    "list of maps": [{"p": 1}, None, {"p": "2"}, {"q": None}, 3],
    "nested": [[None, [None]], {"x": [None, {"y": None}]}],
}
FILTER_NAMES = sorted({*Environment().filters, *FILTERS})
ARGUMENTS = ("", ": x", ": x, x", ": nothing", ": 'p'", ": 'p', x", ": 2")
NO_FAULT_OF_VALUES = ("positional argument", "bits")
"""Of what is said of a call with too few or too many arguments, and of numbers beyond any use."""


@pytest.mark.parametrize("name", FILTER_NAMES)
def test_every_filter_takes_every_value(name: str) -> None:
    for told, value in VALUES.items():
        for argument in ARGUMENTS:
            for x in VALUES.values() if "x" in argument else (None,):
                try:
                    made = html(f"{{{{ v | {name}{argument} }}}}", {"v": value, "x": x})
                except BadContent as error:
                    if not any(words in str(error) for words in NO_FAULT_OF_VALUES):
                        pytest.fail(f"{told} {argument} {x!r}: {error}")
                    continue
                assert "None" not in made, (told, argument, x)
                assert "nan" not in made, (told, argument, x)


TAGS = (
    "{{ v }}",
    "{% echo v %}",
    "{{ v.a }}{{ v.a.b }}{{ v[0] }}{{ v[x] }}{{ v.first }}{{ v.last }}{{ v.size }}",
    "{% if v > 2 %}y{% elsif v <= x %}y{% endif %}",
    "{% if x < v or v >= x %}y{% endif %}",
    "{% if v contains x %}y{% endif %}",
    "{% unless v == x or v != 2 %}y{% endunless %}",
    "{% case v %}{% when 1, x %}y{% else %}z{% endcase %}",
    "{% for each in v %}[{{ each }}]{% else %}none{% endfor %}",
    "{% for each in v limit: x offset: x %}[{{ each }}]{% endfor %}",
    "{% tablerow each in v cols: x %}{{ each }}{% endtablerow %}",
    "{% cycle v, x, 'c' %}",
    "{% assign n = v | default: x %}{{ n }}{% capture c %}{{ v }}{% endcapture %}{{ c }}",
    "{% ifchanged %}{{ v }}{% endifchanged %}{% increment v %}{% decrement v %}",
)


@pytest.mark.parametrize("template", TAGS)
def test_every_tag_takes_every_value(template: str) -> None:
    for told, value in VALUES.items():
        for x in VALUES.values():
            made = html(template, {"v": value, "x": x})
            assert "None" not in made, (told, x)
            assert "nan" not in made, (told, x)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "p", "first"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(JSON, JSON, st.sampled_from(FILTER_NAMES), st.sampled_from(ARGUMENTS))
def test_no_value_costs_a_picture(value: Any, x: Any, name: str, argument: str) -> None:
    try:
        html(f"{{{{ v | {name}{argument} }}}}{{% if v > x %}}{{% endif %}}", {"v": value, "x": x})
    except BadContent as error:
        if not any(words in str(error) for words in NO_FAULT_OF_VALUES):
            raise


@pytest.mark.parametrize(
    ("template", "written"),
    [
        ("{{ t.first }}", ""),
        ("{{ t.last }}", ""),
        ("{{ t.size }}", ""),
        ("{{ t.plan }}", "gold"),
        ("{{ t.list.first }}{{ t.list.last }}{{ t.list.size }}", "133"),
        ("{{ t.own.first }}{{ t.own.size }}", "ANNAXL"),
        ("[{{ t.missing.first }}]", "[]"),
        ("[{{ t.tags | join: ', ' }}]", "[]"),
        ("{{ t.list | join: ',' }}", "1,3"),
        ("{{ t.address }}", '{"city": "Paris"}'),
        ("{{ t.deep }}", "1x"),
        ("{{ t.vip }}", "true"),
        ("{% for each in t.address %}{{ each[0] }}={{ each[1] }};{% endfor %}", "city=Paris;zip=;"),
        ("{{ t.nothing | upcase }}{{ t.nothing | plus: 1 }}{{ t.nothing | money: 'EUR' }}", ""),
        ("{{ t.plan | plus: 1 }}{{ t.plan | times: 2 }}", ""),
        ("{{ t.points | plus: 1 }}", "1251"),
        ("{% if t.points > 1000 %}y{% endif %}", "y"),
        ("{% if t.age >= 18 %}y{% endif %}{% if t.age < 18 %}n{% endif %}", "y"),
        ("{% if t.plan > 18 %}y{% else %}n{% endif %}", "n"),
        ("{% if t.nothing < 18 %}y{% else %}n{% endif %}", "n"),
        ("{% if t.missing < 18 %}y{% else %}n{% endif %}", "n"),
        ("{% if t.vip > 0 %}y{% else %}n{% endif %}", "n"),
        ("{% if t.points contains '25' and t.list contains 3 %}y{% endif %}", "y"),
        ("{{ t.mixed | sort | join: ' ' }}", "1 2.5 a b"),
        ("{{ t.mixed | compact | size }}", "4"),
        ("{{ t.rows | sum: 'n' }}", "3.5"),
        ("{{ t.rows | map: 'n' | join: ' ' }}", "1 2.5"),
        ("{{ t.rows | where: 'n', 1 | size }}", "1"),
        ("{{ 7 | divided_by: t.zero }}", ""),
        ("{{ t.plan | truncate: t.nothing }}", "gold"),
        ("{% for each in t.list limit: t.nothing %}{{ each }}{% endfor %}", "13"),
    ],
)
def test_a_template_reads_values_as_people_mean_them(template: str, written: str) -> None:
    traits = {
        "plan": "gold",
        "list": [1, None, 3],
        "own": {"first": "ANNA", "size": "XL"},
        "tags": None,
        "address": {"city": "Paris", "zip": None},
        "deep": [1, [None, "x"]],
        "vip": True,
        "nothing": None,
        "points": "1,250",
        "age": "19",
        "mixed": ["b", 2.5, None, 1, "a"],
        "rows": [{"n": 1}, None, {"n": "2.5"}, {"m": 9}],
        "zero": 0,
    }
    assert html(template, {"t": traits}).replace("&#34;", '"') == written


MOMENT = {"now": 1_795_165_200_000, "time_zone": "", "local_zone": ""}  # 2026-11-20T09:00:00Z


@pytest.mark.parametrize(
    ("template", "zone", "written"),
    [
        ("{{ 'now' | date: '%Y-%m-%d %H:%M' }}", "", "2026-11-20 09:00"),
        ("{{ 'today' | date: '%Y-%m-%d' }}", "", "2026-11-20"),
        ("{{ now | date: '%Y-%m-%d' }} {{ today | date: '%Y-%m-%d' }}", "", "2026-11-20 2026-11-20"),
        ("{{ 'now' | date: '%H:%M' }}", "Asia/Tokyo", "18:00"),
        ("{{ 'now' | date: '%H:%M' }}", "Nowhere/Nothing", "09:00"),
        ("{{ moment.now | date: '%Y' }}", "", "2026"),
        ("{{ moment.now | date: '%d.%m. %H:%M' }}", "America/New_York", "20.11. 04:00"),
        ("{{ 1795165200 | date: '%Y-%m-%d' }}", "", "2026-11-20"),
        ("{{ '1795165200' | date: '%Y-%m-%d' }}", "", "2026-11-20"),
        ("{{ '1795165200000' | date: '%Y-%m-%d' }}", "", "2026-11-20"),
        ("{{ '2026-12-24T18:00:00+02:00' | date: '%d.%m.%Y %H:%M' }}", "Asia/Tokyo", "24.12.2026 18:00"),
        ("{{ '2026-12-24' | date: '%A, %-d %B' }}", "", "Thursday, 24 December"),
        ("{{ 'December 24, 2026' | date: '%Y-%m-%d' }}", "", "2026-12-24"),
        ("{{ '18:30' | date: '%Y-%m-%d %H:%M' }}", "", "2026-11-20 18:30"),
        ("{{ '01.03.1990' | date: '%d %b %Y' }}", "", "01 Mar 1990"),
        ("{{ '1. 3. 1990 18:00' | date: '%d %b %H:%M' }}", "", "01 Mar 18:00"),
        ("{{ '31/12/2026' | date: '%d %b' }}", "", "31 Dec"),
        ("{{ '12/31/2026' | date: '%d %b' }}", "", "31 Dec"),
        ("{{ '04/05/2026' | date: '%d %b' }}", "", "04/05/2026"),
        ("{{ '04-05-2026' | date: '%d %b' }}", "", "04-05-2026"),
        ("{{ 'soon' | date: '%Y' }}", "", "soon"),
        ("{{ nothing | date: '%Y' }}", "", ""),
        ("{{ 'now' | date: '%d\u202f%b → %Y' }}", "", "20\u202fNov → 2026"),
        ("{{ 9999999999999999999999999 | date: '%Y' }}", "", "9999999999999999999999999"),
    ],
)
def test_dates_are_those_of_the_moment_not_of_the_server(template: str, zone: str, written: str) -> None:
    assert html(template, {"moment": {**MOMENT, "time_zone": zone}}) == written


@pytest.mark.parametrize(
    ("template", "written"),
    [
        ("{{ x | plus: 5 }}", "1255"),
        ("{{ x | times: 2 | minus: 1 }}", "2499"),
        ("{{ '12.50' | plus: 5 }}", "17.5"),
        ("{{ '3,2,x' | split: ',' | sum }}", "5"),
        ("{{ '12,50 €' | money: 'EUR' }}", "€12.50"),
        ("{{ '1,250' | money: 'USD' }}", "$1,250.00"),
        ("{{ 'soon' | money: 'USD' }}", ""),
    ],
)
def test_text_counts_as_the_number_that_it_looks_like(template: str, written: str) -> None:
    assert html(template, {"x": "1250", "moment": MOMENT}) == written


def test_a_template_drawn_again_says_the_same() -> None:
    template = "{{ 'now' | date: '%s' }}|{{ now }}|{{ today | date: '%c' }}|{{ '10' | date: '%c' }}"
    assert html(template, {"moment": MOMENT}) == html(template, {"moment": MOMENT})
    assert "2026" in html("{{ '5 May' | date: '%Y' }}", {"moment": MOMENT}), "a year left out is the moment's"


@pytest.mark.parametrize(
    "template", ["{{ x | append }}", "{{ x | plus: 1, 2, 3 }}", "{{ x | replace }}", "{{ x | no }}"]
)
def test_a_mistake_of_the_template_itself_is_still_told(template: str) -> None:
    with pytest.raises(BadContent):
        html(template, {"x": "1"})
