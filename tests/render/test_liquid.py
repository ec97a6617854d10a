"""Liquid: what templates may say, and what they may not do to the machine."""

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetink.core.errors import BadContent
from wetink.core.units.money import money
from wetink.render.liquid import MOST_OUTPUT, html, ink


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (1299.5, "USD", "$1,299.50"),
        (49, "usd", "$49.00"),
        (0, "EUR", "€0.00"),
        (-5, "GBP", "-£5.00"),
        (1200.4, "JPY", "¥1,200"),
        (9, "CHF", "CHF\xa09.00"),
        (9, "", "9.00"),
        (9, None, "9.00"),
        ("19.9", "USD", "$19.90"),
        (None, "USD", ""),
        ("free", "USD", ""),
        (True, "USD", ""),
        (float("nan"), "USD", ""),
        (float("inf"), "USD", ""),
        ({}, "USD", ""),
    ],
)
def test_money_is_written_as_people_write_it(amount: object, currency: object, written: str) -> None:
    assert money(amount, currency) == written


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("", "€1,299.50"),
        ("en-GB", "€1,299.50"),
        ("de", "1.299,50\xa0€"),
        ("de_DE", "1.299,50\xa0€"),
        ("de-CH", "EUR\xa01\u2019299.50"),
        ("fr-FR", "1\u202f299,50\xa0€"),
        ("nl-NL", "€\xa01.299,50"),
        ("sv", "1\xa0299,50\xa0€"),
        ("klingon", "€1,299.50"),
    ],
)
def test_money_is_written_as_the_reader_writes_it(language: str, written: str) -> None:
    assert money(1299.5, "EUR", language) == written
    assert html("{{ p | money: 'EUR' }}", {"p": 1299.5, "moment": {"language": language}}) == written


def test_money_works_as_a_filter() -> None:
    assert html("{{ p | money: c }}|{{ none | money: c }}", {"p": 12.5, "c": "EUR"}) == "€12.50|"


@pytest.mark.parametrize(
    ("background", "text"),
    [("#000000", "#ffffff"), ("#3451d1", "#ffffff"), ("#ffd54a", "#1c2230"), ("#FFFFFF", "#1c2230"), ("zz", "#ffffff")],
)
def test_ink_is_readable_on_its_background(background: str, text: str) -> None:
    assert ink(background) == text


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_data_is_always_escaped(said: str) -> None:
    drawn = html('<p title="{{ x }}">{{ x }}</p>', {"x": said})
    inside = drawn.removeprefix('<p title="').removesuffix("</p>")
    assert "<" not in inside
    assert inside.count('"') == 1


@pytest.mark.parametrize("said", ["{{ 7 | times: 7 }}", "{% assign x = 1 %}{{ x }}", "{% if %}", "{{", "{%"])
def test_data_is_never_run_as_a_template(said: str) -> None:
    assert unescape(html("{{ x }}", {"x": said})) == said


BOMBS = {
    "a range that is joined": '{{ (1..1000000000) | join: "," }}',
    "a range that is sorted": "{% assign r = (1..1000000000) | sort %}{{ r | size }}",
    "a range that is mapped": "{% assign r = (1..1000000000) | reverse | first %}{{ r }}",
    "a range that is looped over": "{% for i in (1..1000000000) %}{% endfor %}",
    "loops in loops": "{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}",
    "doubling": '{% assign s = "xx" %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s | size }}',
    "multiplying": '{% assign s = "'
    + "x" * 900
    + '" %}'
    + "{{ s | replace: 'x', s | replace: 'x', s | replace: 'x', s | size }}",
    "squaring": "{% assign n = 999 %}{% for i in (1..40) %}{% assign n = n | times: n %}{% endfor %}{{ n | size }}",
    "too much output": "{% for i in (1..9000) %}" + "x" * 100 + "{% endfor %}",
    "nesting": "{% if true %}" * 40 + "{% endif %}" * 40,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_template_cannot_exhaust_the_machine(bomb: str) -> None:
    with pytest.raises(BadContent):
        html(bomb, {})


def test_a_slow_template_is_stopped() -> None:
    slow = "{% for i in (1..9000) %}{% assign t = s | replace: 'x', 'yy' | replace: 'y', 'z' | upcase %}{% endfor %}"
    with pytest.raises(BadContent, match="it takes longer"):
        html(slow, {"s": "x" * 200_000})
    assert html("{{ 'fresh' | upcase }}", {}) == "FRESH", "the next one has its own time"


def test_honest_loops_are_fine() -> None:
    assert html('{{ (1..5) | join: "," }}{% for i in (1..3) %}-{{ i }}{% endfor %}', {}) == "1,2,3,4,5-1-2-3"
    assert len(html("{% for i in (1..1000) %}" + "x" * 100 + "{% endfor %}", {})) == 100_000 < MOST_OUTPUT


def test_python_cannot_be_reached() -> None:
    assert html("{{ x.__class__ }}{{ x.__class__.__mro__ }}{{ x['__init__'] }}", {"x": "text"}) == ""


@pytest.mark.parametrize(
    ("template", "line"),
    [("one\n{% if %}", 2), ("{{ a | nothing }}", 1), ("\n\n{% for x in y %}", None), ("{% include 'a' %}", None)],
)
def test_a_mistake_is_told_with_its_line(template: str, line: int | None) -> None:
    with pytest.raises(BadContent, match=r"the template has an error: .") as caught:
        html(template, {})
    if line is not None:
        assert f"line {line} " in caught.value.hint


def test_a_missing_value_renders_as_nothing() -> None:
    assert html("[{{ person.traits.firstName }}{{ catalog['X'].name }}]", {"person": {}}) == "[]"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for i in (1..1000) %}{% for j in (1..1000) %}{% endfor %}{% endfor %}", "go round more than 10,000 times"),
        ("{% for i in (1..9000) %}" + "x" * 100 + "{% endfor %}", "it writes more than 400 KB"),
    ],
)
def test_a_limit_is_said_in_words(template: str, said: str) -> None:
    with pytest.raises(BadContent, match=said):
        html(template, {})
