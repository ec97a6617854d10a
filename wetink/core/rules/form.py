"""Form: a rule as the fields of a form.

A draft is a mapping of texts, lists and further drafts that a form can show and send back, complete or not. Names of
fields are paths, such as `rule.of.0.event`. Values are written as in YAML: 42 is a number, "42" in quotes is text.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from wetink.core.rules.nodes import LAST_ORDER, NODES, STEP, TIMES, WHEN, Field, Node, deepened, flattened
from wetink.core.rules.operators import BY_NAME

Draft: TypeAlias = dict[str, Any]

NEW: Draft = {"kind": "done", "event": ""}
"""A new condition."""
_PROPERTY, _TEST = {"name": "", "operator": "equals", "value": ""}, {"operator": "equals", "value": ""}
_BLANK: Mapping[str, Draft] = {
    "rules": NEW, "rule": NEW, "steps": {"event": ""}, "where": _PROPERTY, "context": _PROPERTY, "tests": _TEST,
}  # fmt: skip
BLANKS: Mapping[str, Draft] = {
    field.name: _BLANK[field.kind] for node in NODES.values() for field in node.fields if field.kind in _BLANK
}
"""Name of a list -> a new item of it."""

MOST = 500
"""Maximum items of a list."""
_DEEPEST = 40
MOST_SENT = 40_000
"""Maximum bytes of a rule's fields when its form is sent. The same again is left for the file beside it."""
_FIELDS_EACH, _FIELD_BYTES = 6, 16
"""Fields of a condition, and each field's bytes besides its path: its own name, a short value, and separators."""
_LISTS, _BARE = ("values", "numbers"), ("text", "pattern", "time", "span", "occasion")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,12})?")
_PART = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*)\s*(?:,|$)')


def fits_form(draft: Draft) -> bool:
    """Return whether a form can show a draft and send all of it back. Other rules are edited as files.

    >>> fits_form({"kind": "all", "of": [{"kind": "done", "event": "Order Completed"}]})
    True
    >>> fits_form({"kind": "all", "of": [{"kind": "cart"}] * 1_000})
    False
    """
    sent = 0
    waiting: list[tuple[str, Any]] = [("rule", draft)]
    while waiting and sent <= MOST_SENT:
        path, place = waiting.pop()
        inner = place.items() if isinstance(place, dict) else enumerate(place)
        deeper = [(f"{path}.{name}", each) for name, each in inner if isinstance(each, dict | list)]
        if deeper and deeper[0][0].count(".") >= _DEEPEST - 2:
            return False
        sent += (len(path) + _FIELD_BYTES) * _FIELDS_EACH if isinstance(place, dict) else 0
        waiting += deeper
    return sent <= MOST_SENT


def nested(fields: Mapping[str, str], root: str) -> Draft:
    """Return the draft of a form's fields below `root`. Numbers in names become indexes of lists.

    >>> nested({"rule.kind": "any", "rule.of.0.kind": "done", "rule.of.1.kind": "cart", "x": "y"}, "rule")
    {'kind': 'any', 'of': [{'kind': 'done'}, {'kind': 'cart'}]}
    """
    tree: Draft = {}
    for name, value in fields.items():
        first, *steps = name.split(".")
        if first != root or not steps or len(steps) > _DEEPEST:
            continue
        place = tree
        for step in steps[:-1]:
            below = place.setdefault(step, {})
            place = below if isinstance(below, dict) else place.setdefault(f"{step} ", {})
        place[steps[-1]] = value
    whole = _numbered(tree)
    return whole if isinstance(whole, dict) else {}


def _numbered(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() and len(name) <= 4 for name in value):
        return [_numbered(value[name]) for name in sorted(value, key=int)]
    return {name: _numbered(each) for name, each in value.items()}


def draft_of(spelled: Any) -> Draft:
    """Return the draft of a rule in YAML or JSON. Parts that a form cannot show are left out."""
    if isinstance(spelled, list | tuple):
        return {"kind": "all", "of": [draft_of(each) for each in spelled]}
    word = next((word for word in NODES if word in spelled), "") if isinstance(spelled, Mapping) else ""
    if not word:
        return dict(NEW)
    inside = NODES[word].inside
    return {"kind": word, **_shown(NODES[word], spelled[word] if inside else spelled)}


def _shown(node: Node, spelled: Any) -> Draft:
    draft: Draft = {}
    for field in node.fields if isinstance(spelled, Mapping) else ():
        if field.kind in _SPREAD:
            draft |= _SPREAD[field.kind][0](field, spelled)
        elif field.key in spelled:
            draft[field.name] = _ALONE.get(field.kind, _TEXT)[0](field, spelled[field.key])
    return draft


def spelling_of(draft: Any) -> Any:
    """Return the YAML or JSON of a draft, for `parse.parse` to read and check."""
    if not isinstance(draft, dict):
        return {}
    word = text_of(draft, "kind")
    if word not in NODES:
        return {word: ""}
    spelled = _filled(NODES[word], draft)
    return {word: spelled} if NODES[word].inside else spelled


def _filled(node: Node, draft: Draft) -> dict[str, Any]:
    spelled: dict[str, Any] = {}
    for field in node.fields:
        if field.kind in _SPREAD:
            spelled |= _SPREAD[field.kind][1](field, draft)
            continue
        value = _ALONE.get(field.kind, _TEXT)[1](field, draft)
        if (value != "" and value != {}) or field.name not in node.defaults:
            spelled[field.key] = value
    return spelled


def _percent(field: Field, draft: Draft) -> str:
    text = text_of(draft, field.name)
    return f"{text.removesuffix('%')}%" if text else ""


def _parts(field: Field, spelled: Any) -> list[Draft]:
    listed = spelled if isinstance(spelled, list | tuple) else [spelled] if field.kind == "rule" else ()
    return [_shown(STEP, each) if field.kind == "steps" else draft_of(each) for each in listed]


def _part(field: Field, draft: Draft) -> Any:
    parts = [spelling_of(each) for each in rows_of(draft, field.name)]
    return parts[0] if len(parts) == 1 else parts


def _step(field: Field, draft: Draft) -> dict[str, Any]:
    step = draft.get(field.name)
    return _filled(STEP, step) if isinstance(step, dict) and text_of(step, "event") else {}


def _tests(field: Field, spelled: Mapping[str, Any]) -> Draft:
    rows = comparison_rows({name: value for name, value in spelled.items() if name in field.inline})
    rows += comparison_rows(spelled[field.key]) if field.key and field.key in spelled else []
    return {field.name: rows} if rows else {}


def _read_tests(field: Field, draft: Draft) -> dict[str, Any]:
    rows = [row for row in rows_of(draft, field.name) if not field.only or text_of(row, "value")]
    tests = comparisons(rows)
    return tests if not field.key or all(name in field.inline for name in tests) else {field.key: tests}


def _times(field: Field, spelled: Mapping[str, Any]) -> Draft:
    if spelled.get("first_time") is True:
        return {"count": "first_time"}
    draft: Draft = {}
    for name, more in zip([name for name in TIMES[:3] if name in spelled], ("", "_too"), strict=False):
        draft |= {f"count{more}": name, f"times{more}": shown(spelled[name])}
    return draft


def _read_times(field: Field, draft: Draft) -> dict[str, Any]:
    if text_of(draft, "count") == "first_time":
        return {"first_time": True}
    counts = {text_of(draft, f"count{more}"): text_of(draft, f"times{more}") for more in ("_too", "")}
    return {name: scalar(times) for name, times in counts.items() if name in TIMES[:3] and times}


def _window(field: Field, spelled: Mapping[str, Any]) -> Draft:
    below = spelled.get(field.key) if field.key else spelled
    given = [(name, below[name]) for name in WHEN if name in below] if isinstance(below, Mapping) else []
    match given[:1]:
        case [("within", span)]:
            return {"when": "within", "span": str(span)}
        case [("between", [first, last])]:
            return {"when": "between", "first": str(first), "last": str(last)}
        case [("since", event)]:
            return {"when": "since", "event_before": str(event)}
    return {"when": given[0][0] if given else ""}


def _read_window(field: Field, draft: Draft) -> dict[str, Any]:
    when = text_of(draft, "when")
    values = {
        "within": text_of(draft, "span"),
        "between": [text_of(draft, "first"), text_of(draft, "last")],
        "since": text_of(draft, "event_before") or LAST_ORDER,
        "in": "this visit",
    }
    spelled = {when: values[when]} if when in values else {}
    return {field.key: spelled} if field.key and spelled else spelled


def _context(field: Field, spelled: Mapping[str, Any]) -> Draft:
    given = spelled.get(field.key)
    flat = flattened(given) if isinstance(given, Mapping) else {}
    feed = {"feed": str(flat.pop("weather.feed"))} if "weather.feed" in flat else {}
    return {field.name: property_rows(flat), **feed}


def _read_context(field: Field, draft: Draft) -> dict[str, Any]:
    flat, feed = properties(rows_of(draft, field.name)), text_of(draft, "feed")
    weather = feed and any(name.startswith("weather.") for name in flat)
    return {field.key: deepened({**flat, **({"weather.feed": feed} if weather else {})})}


Both: TypeAlias = tuple[Callable[[Field, Any], Any], Callable[[Field, Draft], Any]]

_TEXT: Both = (lambda field, value: str(value), lambda field, draft: text_of(draft, field.name))
_SCALAR: Both = (lambda field, value: shown(value), lambda field, draft: scalar(text_of(draft, field.name)))
_ALONE: Mapping[str, Both] = {
    "choice": (_TEXT[0], lambda field, draft: text_of(draft, field.name) or field.choices[0][0]),
    "percent": (_TEXT[0], _percent),
    "whole": _SCALAR,
    "switch": _SCALAR,
    "where": (lambda field, value: property_rows(value), lambda field, draft: properties(rows_of(draft, field.name))),
    "rules": (_parts, lambda field, draft: [spelling_of(each) for each in rows_of(draft, field.name)]),
    "rule": (_parts, _part),
    "steps": (_parts, lambda field, draft: [_filled(STEP, each) for each in rows_of(draft, field.name)]),
    "step": (lambda field, value: _shown(STEP, value), _step),
}
_SPREAD: Mapping[str, Both] = {
    "tests": (_tests, _read_tests), "times": (_times, _read_times), "window": (_window, _read_window),
    "context": (_context, _read_context),
}  # fmt: skip
"""Kind of field -> how a draft shows the value of its key, and how it is read back; or all its names in a node."""


def edited(draft: Draft, action: str) -> Draft:
    """Return the draft after a button: `add PATH`, `remove PATH` or `group PATH`. An unknown path changes nothing.

    >>> edited({"kind": "all", "of": []}, "add of")
    {'kind': 'all', 'of': [{'kind': 'done', 'event': ''}]}
    >>> edited({"kind": "all", "of": [{"kind": "cart"}]}, "group of.0")
    {'kind': 'all', 'of': [{'kind': 'any', 'of': [{'kind': 'cart'}, {'kind': 'done', 'event': ''}]}]}
    """
    doing, _, path = action.partition(" ")
    *outer, last = path.split(".")
    after: Any = draft
    if doing == "add" and last in BLANKS:
        after = _at(draft, [*outer, last], lambda items: [*items, *([dict(BLANKS[last])] if len(items) < MOST else [])])
    elif doing in ("remove", "group") and outer:

        def changed(items: list[Any]) -> list[Any]:
            place = int(last) if last.isdecimal() and len(last) < 5 else MOST
            new = [{"kind": "any", "of": [each, dict(NEW)]} for each in items[place : place + 1] if doing == "group"]
            return [*items[:place], *new, *items[place + 1 :]]

        after = _at(draft, outer, changed)
    return after if isinstance(after, dict) else draft


def _at(place: Any, steps: list[str], work: Callable[[list[Any]], list[Any]]) -> Any:
    """Return `place` with `work` applied to the list at the path, which may be missing."""
    step, *further = steps
    if isinstance(place, list) and further:
        return [_at(each, further, work) if str(index) == step else each for index, each in enumerate(place)]
    if not isinstance(place, dict):
        return place
    if further:
        return {**place, step: _at(place[step], further, work)} if step in place else place
    items = place.get(step, [])
    return {**place, step: work(items)} if isinstance(items, list) else place


def rooted(draft: Draft) -> Draft:
    """Return a draft whose root is a group, so that conditions can be added."""
    whole = _whole(draft)
    return whole if whole["kind"] in ("all", "any") else {"kind": "all", "of": [whole]}


def _whole(draft: Any) -> Draft:
    """Return a draft with everything that the form needs: its kind, and lists where lists belong."""
    if not isinstance(draft, dict) or not isinstance(draft.get("kind"), str):
        return dict(NEW)
    lists = {name: rows_of(draft, name) for name in BLANKS.keys() & draft.keys()}
    return {**draft, **lists, **({"of": [_whole(each) for each in lists["of"]]} if "of" in lists else {})}


def scalar(text: str) -> Any:
    """Return the value of a field's text.

    >>> [scalar(each) for each in ("42", "4.5", "true", "Shoes", '"42"', " ")]
    [42, 4.5, True, 'Shoes', '42', '']
    """
    text = text.strip()
    if text in ("false", "true"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text


def shown(value: Any) -> str:
    """Return a value as a field's text, which `scalar` reads back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return "" if value is None else str(value)
    plain = type(scalar(value)) is str and scalar(value) == value != ""
    return value if plain else json.dumps(value, ensure_ascii=False)


def parts(text: str) -> list[Any]:
    """Return several values, separated by commas. A value in quotes may contain commas."""
    return [scalar(each) for each in _PART.findall(text) if each.strip()]


def listing(values: Sequence[Any]) -> str:
    """Return several values as text, which `parts` reads back."""
    return ", ".join(
        json.dumps(each, ensure_ascii=False) if isinstance(each, str) and re.search('[,"]', each) else shown(each)
        for each in values
    )


def text_of(draft: Mapping[str, Any], name: str) -> str:
    """Return a field's text; empty if there is none."""
    value = draft.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def rows_of(draft: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the rows below a name; none if there are none."""
    value = draft.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _wants(operator: str) -> str:
    return BY_NAME[operator].wants if operator in BY_NAME else "value"


def value_of(operator: str, text: str) -> Any:
    """Return the value that an operator compares with."""
    if _wants(operator) in _LISTS:
        return parts(text)
    bare = _wants(operator) in _BARE and text.strip()[:1] != '"'
    return text.strip() if bare else scalar(text)


def written(operator: str, value: Any) -> str:
    """Return that value as text, which `value_of` reads back."""
    if _wants(operator) in _LISTS and isinstance(value, list | tuple):
        return listing(value)
    if _wants(operator) in _BARE and isinstance(value, str) and value == value.strip() and value[:1] != '"':
        return value
    return shown(value)


def comparisons(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the comparisons of one value, by operator."""
    named = [(text_of(row, "operator"), str(row.get("value", ""))) for row in rows]
    return {operator: value_of(operator, text) for operator, text in named if operator}


def comparison_rows(tests: Any) -> list[dict[str, Any]]:
    """Return a row for each comparison of one value."""
    if isinstance(tests, list | tuple):
        tests = {"one_of": tests}
    elif not isinstance(tests, Mapping):
        tests = {"equals": tests}
    return [{"operator": str(name), "value": written(str(name), value)} for name, value in tests.items()]


def properties(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the conditions on properties. Rows of the same name belong together."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if name := text_of(row, "name"):
            found.setdefault(name, {}).update(comparisons([row]))
    return {name: tests for name, tests in found.items() if tests}


def property_rows(where: Any) -> list[dict[str, Any]]:
    """Return a row for each comparison of each property."""
    if not isinstance(where, Mapping):
        return []
    return [{"name": str(name), **test} for name, tests in where.items() for test in comparison_rows(tests)]
