"""T18: what a template says when it cannot be filled in is told without the values it was filled with."""

import itertools
import logging

from liquid import Environment

from wetink.core.errors import BadContent
from wetink.render.liquid import FILTERS, html
from wetink.web.logs import OneLine

TRAITS = {
    "name": "Zuleika Quux",
    "email": "zuleika.quux@shop.example",
    "phone": "+49 170 5550100",
    "address": "12 Quux Street, Quuxhaven",
    "tags": ["Zuleika"],
    "number": 4711,
    "nested": {"Zuleika": "Quux"},
}
MARKS = ("Zuleika", "uleika", "Quux", "shop.example", "5550100", "4711")
EACH = [f"person.traits.{name}" for name in TRAITS]
TAGS = (
    "{{% for i in {0} limit: person.traits.name %}}{{% endfor %}}", "{{% for i in (1..{0}) %}}{{% endfor %}}",
    "{{% if {0} > 3 %}}{{% endif %}}", "{{% if 3 < {0} %}}{{% endif %}}", "{{% if {0} contains 3 %}}{{% endif %}}",
    "{{% include {0} %}}", "{{% render {0} %}}",
    "{{% tablerow i in {0} cols: person.traits.name %}}{{% endtablerow %}}",
    "{{% cycle {0}: 1 %}}", "{{{{ person.traits[{0}] | divided_by: 0 }}}}", "{{% increment {0} %}}",
)  # fmt: skip


def told(template: str, form: logging.Formatter) -> str:
    """Return what the log says of a template that cannot be filled in; empty when it can be."""
    try:
        html(template, {"person": {"traits": TRAITS}})
    except BadContent as error:
        words = ("hero", str(error))
        record = logging.LogRecord(
            "wetink.opens.open", logging.WARNING, __file__, 1, "%s shows a fallback: %s", words, None
        )
        return form.format(record)
    return ""


def templates() -> list[str]:
    filters = sorted({*Environment().filters, *FILTERS})
    made = [f"{{{{ {one} | {each} }}}}" for one, each in itertools.product(EACH, filters)]
    made += [
        f"{{{{ {one} | {each}: {other}{more} }}}}"
        for one, other, each in itertools.product(EACH, EACH, filters)
        for more in ("", ", person.traits.address")
    ]
    return made + [tag.format(one) for tag, one in itertools.product(TAGS, EACH)]


def test_a_template_error_logs_none_of_the_values_filled_in() -> None:
    lines = [(each, told(each, OneLine())) for each in templates()]
    assert sum(bool(line) for _, line in lines) > 1_000
    assert [pair for pair in lines if any(mark in pair[1] for mark in MARKS)] == []


def test_a_plain_formatter_logs_the_values_of_a_template_error() -> None:
    assert "Zuleika" in told("{% include person.traits.name %}", logging.Formatter("%(message)s"))
