"""Every mistake of a template is found with its place, and the words of the language come from the language."""

import pytest

from wetink.render import grammar
from wetink.render.liquid import ENVIRONMENT

MISTAKES = [
    ("{{ b | foo: 1 }}", "foo", "there is no filter called foo"),
    ("{{ price | mony }}", "mony", "did you mean money?"),
    ("a\n{% iff a %}{% endif %}", "iff", "there is no tag called iff; did you mean if?"),
    ("x {{ a | }}", "{{ a | }}", "something is missing here"),
    ("{% assign x = %}", "{% assign x = %}", "something is missing here"),
    ("{{ a.b[ }}", "{{ a.b[ }}", "something is missing here"),
    ("{% if a = b %}x{% endif %}", "=", "'='"),
    ("{{ person.traits.first name }}", "name", "word"),
    ("{% if x %}{% elsif y = 1 %}{% endif %}", "=", "'='"),
    ("{% for x in y %}\n<p>", "{% for x in y %}", "{% for %} is never closed: add {% endfor %}"),
    ("<p>\n{% endif %}", "endif", "{% endif %} belongs to no tag before it"),
    ("abc {{ 'x", "{{ 'x", "something is missing here"),
    ("{% include 'x' %}", "include", "a template cannot include others"),
    ("{% render 'x' %}", "render", "a template cannot include others"),
    ("{% case x %}{% when %}{% endcase %}", "when", "missing"),
]


@pytest.mark.parametrize(("template", "marked", "message"), MISTAKES)
def test_a_mistake_is_marked_where_it_stands(template: str, marked: str, message: str) -> None:
    [flaw] = grammar.inspected(template).flaws
    assert (template[flaw.start : flaw.end], message in flaw.message) == (marked, True), flaw


def test_all_mistakes_of_a_template_are_found_at_once() -> None:
    template = "{{ a | }}\n<p>{{ b | }}</p>\n{% if c = 1 %}{% endif %}"
    assert [template.count("\n", 0, flaw.start) for flaw in grammar.inspected(template).flaws] == [0, 1, 2]


@pytest.mark.parametrize(
    "template", ["{% comment %}{{ | }}{% endcomment %}", "{% raw %}{{ | }}{% endraw %}", "", "<p>"]
)
def test_what_is_not_read_as_liquid_has_no_mistakes(template: str) -> None:
    assert grammar.inspected(template).flaws == ()


def test_the_values_that_a_template_reads_are_named_but_not_its_own() -> None:
    found = grammar.inspected("{% for item in items %}{{ item.name }}{{ shop.x[0].y }}{% endfor %}").mentions
    assert [mention.path for mention in found] == [("items",), ("shop", "x")]


@pytest.mark.parametrize("size", [10_000, 100_000])
def test_a_long_or_deep_template_is_read_within_bounds(size: int) -> None:
    assert grammar.inspected("{{ a }}" * (size // 7)).flaws == ()
    assert len(grammar.inspected("{{ a | }}" * (size // 9)).flaws) <= grammar.MOST_FLAWS
    assert grammar.inspected("{% if a %}" * (size // 100)).flaws


def test_every_filter_and_tag_of_the_language_is_offered() -> None:
    assert [word.name for word in grammar.filters()] == sorted(ENVIRONMENT.filters)
    offered = {word.name for word in grammar.tags()}
    assert offered == set(ENVIRONMENT.tags) - {*grammar.INNER, *grammar.UNUSABLE}
    assert offered <= set(grammar.ABOUT), "each has a sentence about it"
    assert all(word.about for word in grammar.filters())
    assert dict((word.name, word.detail) for word in grammar.tags())["for"] == "endfor"
