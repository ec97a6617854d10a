"""Scenario form: one scenario as the fields of a form, and back. It has the events of one person, and one block."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import yaml

from wetink.content.scenario import NOON, Expected, Scenario
from wetink.core.blocks.block import Decision
from wetink.core.errors import BadContent

MOST_ROWS = 30
"""Events of a form."""
TRAIT = "trait"
"""The event of a row that says a trait of the person."""
_FIELD = re.compile(r"e\.([0-9]{1,2})\.(event|ago|product|raw|trait|value)")


class Row(msgspec.Struct, frozen=True):
    """One thing that happened: an event with a product's key, or a trait with its value, and how long before the open.

    `raw` has the event's properties as JSON.
    """

    event: str = "Product Viewed"
    ago: str = "1h"
    product: str = ""
    raw: str = "{}"
    trait: str = ""
    value: str = ""


class ScenarioForm(msgspec.Struct, frozen=True):
    """One scenario: its title, the events, the time of the open, the block, and which parts of its answer must stay."""

    title: str = ""
    block: str = ""
    at: str = NOON
    rows: tuple[Row, ...] = (Row(),)
    variant: bool = True
    items: bool = True


def posted(form: Mapping[str, str]) -> ScenarioForm:
    """Return the form of posted fields, after its button: `add`, `trait` or `remove N`.

    >>> posted({"e.1.event": "Product Added", "e.0.event": "trait", "do": "remove 0"}).rows[0].event
    'Product Added'
    """
    fields: dict[int, dict[str, str]] = {}
    for name, value in form.items():
        if found := _FIELD.fullmatch(name):
            fields.setdefault(int(found[1]), {})[found[2]] = value.strip()
    rows = [Row(**fields[number]) for number in sorted(fields)][:MOST_ROWS]
    action, _, number = form.get("do", "").partition(" ")
    if action in ("add", "trait") and len(rows) < MOST_ROWS:
        rows.append(Row() if action == "add" else Row(TRAIT))
    elif action == "remove" and number.isdecimal() and int(number) < len(rows):
        del rows[int(number)]
    return ScenarioForm(
        form.get("title", "").strip()[:120],
        form.get("block", ""),
        form.get("at", "").strip() or NOON,
        (*rows,),
        "expect-variant" in form,
        "expect-items" in form,
    )


def form_of(raw: Any) -> ScenarioForm | None:
    """Return the form of a scenario's document, None if it says more than the form can."""
    try:
        scenario = msgspec.convert(raw, Scenario)
    except msgspec.ValidationError:
        return None
    if scenario.moment or len(scenario.expect) != 1:
        return None
    rows = [_row(event) for event in scenario.events]
    [(block, expected)] = scenario.expect.items()
    known = [row for row in rows if row is not None]
    if len(known) < len(rows) or expected.app or expected.link or expected.why:
        return None
    given = expected.variant is not None or expected.fallback
    return ScenarioForm(scenario.name, block, scenario.at, (*known,), given, expected.items is not None)


def _row(event: Mapping[str, Any]) -> Row | None:
    ago = str(event.get("ago", "1h"))
    match event:
        case {"event": str(name), **rest} if not rest.keys() - {"ago", "properties"}:
            properties = rest.get("properties") or {}
            key = str(properties.get("sku") or properties.get("product_id") or "")
            return Row(name, ago, key, msgspec.json.encode(properties).decode())
        case {"traits": dict(traits), **rest} if not rest.keys() - {"ago", "type"} and len(traits) == 1:
            [(trait, value)] = traits.items()
            return Row(TRAIT, ago, trait=str(trait), value=str(value)) if isinstance(value, str) else None
    return None


def raw_of(form: ScenarioForm, decision: Decision | None = None) -> dict[str, Any]:
    """Return the document of a form. With a decision, what it showed is expected from now on. Raises BadContent."""
    events = [_event(row, number) for number, row in enumerate(form.rows)]
    expected = Expected()
    if decision is not None:
        expected = Expected(
            variant=decision.variant or None if form.variant else None,
            fallback=form.variant and not decision.variant,
            items=tuple(item.key for item in decision.items) if form.items and decision.variant else None,
        )
    names = ("variant", "items", "fallback")
    shown = {name: value for name in names if (value := getattr(expected, name)) not in (None, False)}
    at = {} if form.at == NOON else {"at": form.at}
    expect = {name: list(value) if isinstance(value, tuple) else value for name, value in shown.items()}
    return {"name": form.title, **at, **({"events": events} if events else {}), "expect": {form.block: expect}}


def _event(row: Row, number: int) -> dict[str, Any]:
    if row.event == TRAIT:
        if not row.trait:
            raise BadContent("Enter the trait", hint="such as plan", where=f"e.{number}.trait")
        return {"ago": row.ago, "traits": {row.trait: row.value}}
    if not row.event:
        raise BadContent("Choose an event", where=f"e.{number}.event")
    try:
        properties = msgspec.json.decode(row.raw or "{}", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadContent("These properties are no JSON object", where=f"e.{number}.event") from error
    return {"event": row.event, "ago": row.ago, **({"properties": properties} if properties else {})}


def text_of(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return a scenario file."""
    return "---\n".join(
        yaml.safe_dump(each, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)
        for each in documents
    )
