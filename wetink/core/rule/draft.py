"""Draft: a rule as somebody fills it in, field by field, on the way to and from its spelling.

A draft is a mapping of texts, lists and further drafts that a form can show and send back whole or half done. Names of
fields are paths, such as `rule.of.0.event`. A value is written as in YAML: 42 is a number, "42" in quotes is a text.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from wetink.core.rule.filled import asked, asking, properties, property_rows, rows_of, scalar, shown, text_of, value_of
from wetink.core.rule.nodes import LAST_ORDER, NESTED
from wetink.core.rule.nodes import WHEN as WINDOWS
from wetink.core.rule.operators import BY_NAME
from wetink.core.rule.tree import FIGURES

Draft: TypeAlias = dict[str, Any]

GROUPS = ("all", "any", "not")
COUNTS = ("at_least", "exactly", "at_most", "first_time")
CART = ("value", "items", "age")

NEW: Draft = {"kind": "done", "event": ""}
"""What a new condition begins as."""

_DEEPEST = 40
MOST_SENT = 40_000
"""Bytes that a rule's fields may come to when its form is sent: as much again is left for the file beside it."""
_FIELDS_EACH, _FIELD_BYTES = 6, 16
"""Fields of a condition, and the bytes of each beside its path: its own name, a short value, and signs in between."""


def fits_form(draft: Draft) -> bool:
    """Return whether a form can show a draft and send all of it back: others are edited as files.

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
    """Return the draft that a form's fields below `root` make; numbers in names become places in lists.

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
    listed = _listed(tree)
    return listed if isinstance(listed, dict) else {}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() and len(name) <= 4 for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(each) for name, each in value.items()}


def said(draft: Any) -> Any:
    """Return the spelling a draft makes, for `parse.parse` to read and to complain of."""
    if not isinstance(draft, dict):
        return {}
    kind = text_of(draft, "kind")
    write = _SAID.get(kind)
    return write(draft) if write is not None else {kind: ""}


def draft_of(spelled: Any) -> Draft:
    """Return the draft that shows a spelling. What cannot be shown is left out."""
    if isinstance(spelled, list | tuple):
        return {"kind": "all", "of": [draft_of(each) for each in spelled]}
    if not isinstance(spelled, Mapping):
        return dict(NEW)
    kind = next((each for each in _DRAFTS if each in spelled), "")
    return {"kind": kind, **_DRAFTS[kind](kind, spelled)} if kind else dict(NEW)


def _where(draft: Mapping[str, Any], name: str = "where") -> dict[str, Any]:
    found = properties(rows_of(draft, name))
    return {name: found} if found else {}


def _window(draft: Mapping[str, Any]) -> dict[str, Any]:
    match text_of(draft, "when"):
        case "within":
            return {"within": text_of(draft, "span")}
        case "between":
            return {"between": [text_of(draft, "first"), text_of(draft, "last")]}
        case "since":
            return {"since": text_of(draft, "event_before") or LAST_ORDER}
        case "in":
            return {"in": "this visit"}
    return {}


def _window_draft(spelled: Mapping[str, Any]) -> Draft:
    when = next((name for name in WINDOWS if name in spelled), "")
    if when == "within":
        return {"when": when, "span": str(spelled["within"])}
    if when == "between" and isinstance(spelled["between"], list | tuple) and len(spelled["between"]) == 2:
        first, last = map(str, spelled["between"])
        return {"when": when, "first": first, "last": last}
    if when == "since":
        return {"when": when, "event_before": str(spelled["since"])}
    return {"when": when}


def _did(draft: Draft) -> Any:
    found: dict[str, Any] = {text_of(draft, "kind"): text_of(draft, "event"), **_where(draft), **_window(draft)}
    if text_of(draft, "count") == "first_time":
        return {**found, "first_time": True}
    for count, times in (("count", "times"), ("count_too", "times_too")):
        name, number = text_of(draft, count), text_of(draft, times)
        if name in COUNTS and number:
            found[name] = scalar(number)
    return found


def _did_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    made: Draft = {"event": str(spelled[kind]), **_window_draft(spelled)}
    if rows := property_rows(spelled.get("where")):
        made["where"] = rows
    if spelled.get("first_time") is True:
        return {**made, "count": "first_time"}
    counts = [name for name in COUNTS[:3] if name in spelled]
    for name, (count, times) in zip(counts, (("count", "times"), ("count_too", "times_too")), strict=False):
        made |= {count: name, times: shown(spelled[name])}
    return made


def _step(draft: Draft) -> dict[str, Any]:
    return {"done": text_of(draft, "event"), **_where(draft)}


def _step_draft(spelled: Any) -> Draft:
    if not isinstance(spelled, Mapping):
        return {"event": ""}
    rows = property_rows(spelled.get("where"))
    return {"event": str(spelled.get("done", "")), **({"where": rows} if rows else {})}


def _sequence(draft: Draft) -> Any:
    found: dict[str, Any] = {"sequence": [_step(each) for each in rows_of(draft, "steps")]}
    if text_of(draft, "apart"):
        found["within"] = text_of(draft, "apart")
    without = draft.get("without")
    if isinstance(without, dict) and text_of(without, "event"):
        found["without"] = _step(without)
    completed = _window(draft)
    return {**found, **({"completed": completed} if completed else {})}


def _sequence_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    steps, completed = spelled[kind], spelled.get("completed")
    made: Draft = {"steps": [_step_draft(each) for each in steps] if isinstance(steps, list | tuple) else []}
    made |= _window_draft(completed) if isinstance(completed, Mapping) else {}
    made |= {"apart": str(spelled["within"])} if "within" in spelled else {}
    return {**made, **({"without": _step_draft(spelled["without"])} if "without" in spelled else {})}


def _aggregate(draft: Draft) -> Any:
    tests = asked(rows_of(draft, "tests"))
    found = {text_of(draft, "kind"): text_of(draft, "property"), "of": text_of(draft, "event")}
    return {**found, **_where(draft), **_window(draft), **({"is": tests} if tests else {})}


def _aggregate_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    inline = {name: value for name, value in spelled.items() if name in BY_NAME and name not in WINDOWS}
    asked = {**inline, **(spelled["is"] if isinstance(spelled.get("is"), Mapping) else {})}
    made: Draft = {"property": str(spelled[kind]), "event": str(spelled.get("of", "")), "tests": asking(asked)}
    rows = property_rows(spelled.get("where"))
    return {**made, **_window_draft(spelled), **({"where": rows} if rows else {})}


def _trait_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    return {
        "name": str(spelled[kind]),
        "tests": asking({name: value for name, value in spelled.items() if name in BY_NAME}),
    }


def _cart(draft: Draft) -> Any:
    tests: dict[str, Any] = {
        name: {operator: value_of(operator, text_of(draft, name))}
        for name in CART
        if (operator := text_of(draft, f"{name}_operator")) and text_of(draft, name)
    }
    return {"cart": {**tests, **_where(draft, "contains")}}


def _cart_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    said = spelled[kind] if isinstance(spelled[kind], Mapping) else {}
    made: Draft = {}
    for name in CART:
        for row in asking(said[name])[:1] if name in said else ():
            made |= {f"{name}_operator": row["operator"], name: row["value"]}
    rows = property_rows(said.get("contains"))
    return {**made, **({"contains": rows} if rows else {})}


def _product(draft: Draft) -> Any:
    found: dict[str, Any] = {"product": text_of(draft, "interest"), **_where(draft)}
    found |= {"within": text_of(draft, "span")} if text_of(draft, "span") else {}
    found |= {"price_fell": _percent(draft, "price_fell")} if text_of(draft, "price_fell") else {}
    found |= {"back_in_stock": True} if text_of(draft, "back_in_stock") == "true" else {}
    return {**found, **({"low_stock": scalar(text_of(draft, "low_stock"))} if text_of(draft, "low_stock") else {})}


def _product_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    rows = property_rows(spelled.get("where"))
    made: Draft = {"interest": str(spelled[kind]), **({"where": rows} if rows else {})}
    made |= {"span": str(spelled["within"])} if "within" in spelled else {}
    return made | {
        name: shown(spelled[name]) for name in ("price_fell", "back_in_stock", "low_stock") if name in spelled
    }


def _percent(draft: Draft, name: str) -> str:
    text = text_of(draft, name)
    return text if text.endswith("%") or not text else f"{text}%"


def _share(draft: Draft) -> Any:
    more = {"from": _percent(draft, "start")} if text_of(draft, "start") else {}
    seed = {"seed": text_of(draft, "seed")} if text_of(draft, "seed") else {}
    return {"share": _percent(draft, "percent"), **more, **seed}


def _share_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    named = {"percent": kind, "start": "from", "seed": "seed"}
    return {field: str(spelled[name]) for field, name in named.items() if name in spelled}


def _lifecycle(draft: Draft) -> Any:
    spans = {name: text for name in ("new_for", "lapsed_after") if (text := text_of(draft, name))}
    return {"lifecycle": text_of(draft, "stage"), **spans}


def _lifecycle_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    spans = {name: str(spelled[name]) for name in ("new_for", "lapsed_after") if name in spelled}
    return {"stage": str(spelled[kind]), **spans}


def _moment(draft: Draft) -> Any:
    """Return what is asked of the moment; names with a dot go a level deeper."""
    found: dict[str, Any] = {}
    for name, tests in properties(rows_of(draft, "where")).items():
        outer, _, inner = name.partition(".")
        if outer in NESTED and inner:
            found.setdefault(outer, {})[inner] = tests
        else:
            found[name] = tests
    if text_of(draft, "feed") and "weather" in found:
        found["weather"]["feed"] = text_of(draft, "feed")
    return {"moment": found}


def _moment_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    asked = spelled[kind] if isinstance(spelled[kind], Mapping) else {}
    flat: dict[str, Any] = {}
    feed = ""
    for name, tests in asked.items():
        if name in NESTED and isinstance(tests, Mapping):
            inner = dict(tests)
            feed = str(inner.pop("feed", feed)) if name == "weather" else feed
            flat |= {f"{name}.{each}": test for each, test in inner.items()}
        else:
            flat[str(name)] = tests
    return {"where": property_rows(flat), **({"feed": feed} if feed else {})}


def _group(draft: Draft) -> Any:
    return {text_of(draft, "kind"): [said(each) for each in rows_of(draft, "of")]}


def _group_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    of = spelled[kind]
    return {"of": [draft_of(each) for each in of] if isinstance(of, list | tuple) else []}


def _not(draft: Draft) -> Any:
    of = rows_of(draft, "of")
    return {"not": said(of[0]) if len(of) == 1 else [said(each) for each in of]}


def _not_draft(kind: str, spelled: Mapping[str, Any]) -> Draft:
    of = spelled[kind]
    return {"of": [draft_of(each) for each in of] if isinstance(of, list | tuple) else [draft_of(of)]}


_SAID: dict[str, Callable[[Draft], Any]] = {
    "done": _did,
    "not_done": _did,
    "sequence": _sequence,
    **dict.fromkeys(FIGURES, _aggregate),
    "trait": lambda draft: {"trait": text_of(draft, "name"), **asked(rows_of(draft, "tests"))},
    "audience": lambda draft: {"audience": text_of(draft, "name")},
    "share": _share,
    "cart": _cart,
    "product": _product,
    "lifecycle": _lifecycle,
    "moment": _moment,
    "all": _group,
    "any": _group,
    "not": _not,
}

_DRAFTS: dict[str, Callable[[str, Mapping[str, Any]], Draft]] = {
    "done": _did_draft,
    "not_done": _did_draft,
    "sequence": _sequence_draft,
    **dict.fromkeys(FIGURES, _aggregate_draft),
    "trait": _trait_draft,
    "audience": lambda kind, spelled: {"name": str(spelled[kind])},
    "share": _share_draft,
    "cart": _cart_draft,
    "product": _product_draft,
    "lifecycle": _lifecycle_draft,
    "moment": _moment_draft,
    "all": _group_draft,
    "any": _group_draft,
    "not": _not_draft,
}
