"""Feed form: a feed's declaration as fields of a page, with its sample and the fields that each value fills."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args
from unicodedata import category, normalize

import msgspec

from wetink.apps.nearest_store import hours_problem
from wetink.core.errors import BadContent, Conflict, WetinkError
from wetink.core.outbound.declaration import MOST_HEADERS, feed_of
from wetink.core.outbound.feed import Feed, Format
from wetink.core.outbound.payload import PRODUCT, STORE, Leaf, Target, leaves, proposed, shown
from wetink.ports.outside import Sample

FORMATS: tuple[Format, ...] = get_args(Format)
LABELS: Mapping[str, str] = {
    "json": "JSON",
    "jsonl": "JSON lines",
    "csv": "CSV or another table",
    "xml": "XML",
    "rss": "RSS",
    "atom": "Atom",
    "merchant": "Google Merchant",
}
SCHEDULES = (
    ("1m", "Every minute"),
    ("5m", "Every 5 minutes"),
    ("15m", "Every 15 minutes"),
    ("30m", "Every 30 minutes"),
    ("1h", "Every hour"),
    ("6h", "Every 6 hours"),
    ("1d", "Every day"),
    ("7d", "Every week"),
)
CONTENTS = (
    ("data", "Data for templates", "posts, prices, scores: anything"),
    ("catalog", "Products", "they complete the catalog"),
    ("stores", "Stores", "for the app Nearest Store"),
)
HEADERS, PARAMETERS = 3, 4
"""Rows of headers and of parameters on the page. A feed with more of them shows all."""
COLUMNS = 8
_HANDLE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Draft(msgspec.Struct):
    """A feed as entered: its fields as text, the feed if it can be read, and errors by field."""

    given: dict[str, str]
    feed: Feed | None = None
    errors: dict[str, str] = {}
    values: dict[str, str] = {}
    """Values of headers, by name."""
    tries: dict[str, str] = {}
    """Example values of a person's parameters, by name."""


class Row(msgspec.Struct, frozen=True):
    """One field to fill: its chosen path, the path that is recognized by itself, and its first values as read."""

    target: Target
    path: str
    known: str
    read: tuple[str, ...]
    error: str = ""


class Look(msgspec.Struct, frozen=True):
    """A sample for the page: its paths, the fields to fill, and the first items as they are read."""

    sample: Sample
    leaves: tuple[Leaf, ...]
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    items: tuple[tuple[str, ...], ...]
    problems: tuple[str, ...]
    usable: bool


def told(error: WetinkError) -> str:
    """Return why a feed was not saved."""
    if isinstance(error, Conflict):
        return "Somebody else has changed this feed since you opened it. Reload to see the change."
    return error.sentence


def handle_of(title: str) -> str:
    """Return the file name that suits a title.

    >>> handle_of("Our Journal: Spring '26"), handle_of("Müllers Läden"), handle_of("!!")
    ('our-journal-spring-26', 'mullers-laden', 'feed')
    """
    plain = "".join(char for char in normalize("NFKD", title) if category(char) != "Mn").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-") or "feed"


def given_by(feed: Feed) -> dict[str, str]:
    """Return the fields of a saved feed as the page's form sends them."""
    given = {
        "name": feed.name,
        "title": feed.title,
        "url": feed.url,
        "file": feed.file,
        "format": feed.format,
        "every": feed.every,
        "root": feed.root,
        "key": feed.key,
        "encoding": feed.encoding,
        "contents": contents_of(feed),
    }
    if feed.complete:
        given["complete"] = "on"
    for index, name in enumerate(feed.headers):
        given[f"header.{index}"] = name
    if feed.per_person is not None:
        given["person"] = "on"
        for index, (name, source) in enumerate(feed.per_person.parameters.items()):
            given |= {f"parameter.{index}": name, f"from.{index}": source}
    if feed.fields:
        given["mapped"] = "on"
        ours = {target.name for target in targets_of(given["contents"])}
        for name, path in feed.fields.items():
            given[f"field.{name}" if name in ours else f"as.{path}"] = path if name in ours else name
    return given


def contents_of(feed: Feed) -> str:
    """Return what a feed contains: `catalog`, `stores` or `data`."""
    if feed.purpose == "catalog":
        return "catalog"
    return "stores" if {"latitude", "longitude"} <= feed.fields.keys() else "data"


def targets_of(contents: str) -> Sequence[Target]:
    """Return the fields to fill; none for data of any kind."""
    return {"catalog": PRODUCT, "stores": STORE}.get(contents, ())


def draft_of(form: Mapping[str, str], before: Feed | None) -> Draft:
    """Return the feed that a form describes. `before` is the saved one; its limits stay."""
    given = {name: value.strip() for name, value in form.items()}
    draft = Draft(given)
    name = before.name if before is not None else given.get("name") or handle_of(given.get("title", ""))
    given["name"] = name
    raw: dict[str, Any] = msgspec.to_builtins(before) if before is not None else {}
    raw = {
        key: raw[key] for key in ("limit", "disabled") if key in raw and not (key == "disabled" and "enable" in given)
    }
    if not _HANDLE.fullmatch(name):
        draft.errors["name"] = "use lowercase letters, digits and dashes, such as our-journal"
    if before is None and not given.get("title"):
        draft.errors["title"] = "enter a name"
    contents = given.get("contents", "data")
    form_ = given.get("format", "auto")
    raw |= {"format": form_ if form_ in FORMATS else "json", "every": given.get("every") or "1h"}
    raw |= {key: given[key] for key in ("title", "url", "file", "root", "key", "encoding") if given.get(key)}
    if raw.get("root") and raw["format"] not in ("json", "xml"):
        del raw["root"]
    if contents == "catalog":
        raw["purpose"] = "catalog"
    if given.get("complete") and raw.get("purpose") == "catalog":
        raw["complete"] = True
    if headers := _headers(draft):
        raw["headers"] = headers
    if given.get("person"):
        raw["per_person"] = _person(draft, before)
    raw["fields"] = _fields(given, contents)
    try:
        draft.feed = feed_of(name, raw)
    except BadContent as error:
        _place(draft, str(error))
    return draft


def _headers(draft: Draft) -> list[str]:
    found: list[str] = []
    for index in range(MOST_HEADERS):
        name, value = draft.given.get(f"header.{index}", ""), draft.given.pop(f"value.{index}", "")
        if name:
            found.append(name)
            if value:
                draft.values[name] = value
        elif value:
            draft.errors["headers"] = "enter the name of each header, such as Authorization"
    return found


def _person(draft: Draft, before: Feed | None) -> dict[str, Any]:
    parameters: dict[str, str] = {}
    for index in range(20):
        name, source = draft.given.get(f"parameter.{index}", ""), draft.given.get(f"from.{index}", "")
        if name:
            parameters[name] = source
            draft.tries[name] = draft.given.get(f"try.{index}", "")
    known = before.per_person.deadline_ms if before is not None and before.per_person is not None else 150
    return {"parameters": parameters, "deadline_ms": known}


def _fields(given: Mapping[str, str], contents: str) -> dict[str, str]:
    if targets := targets_of(contents):
        return {each.name: path for each in targets if (path := given.get(f"field.{each.name}", ""))}
    chosen = {key.removeprefix("as."): name for key, name in given.items() if key.startswith("as.") and name}
    return {name: path for path, name in chosen.items()}


def _place(draft: Draft, problems: str) -> None:
    """Put each problem at its field."""
    for problem in problems.split("; "):
        field, colon, why = problem.partition(": ")
        place = field.split(".")[0] if colon and re.fullmatch(r"[a-z_.0-9A-Z-]+", field) else "form"
        place = {"per_person": "person", "fields": "fields"}.get(place, place)
        draft.errors.setdefault(place, why if colon and place != "form" else problem)


def mapped(draft: Draft, sample: Sample) -> dict[str, str]:
    """Return the proposals for a form that has not been mapped yet, as its fields."""
    if draft.given.get("mapped") or not sample.items:
        return {}
    targets, contents = targets_of(draft.given.get("contents", "data")), draft.given.get("contents", "data")
    if not targets:
        return {}
    taken = set(sample.known.values())
    open_ = [each for each in targets if each.name not in sample.known]
    found = proposed(open_, [leaf for leaf in leaves(sample.items) if leaf.path not in taken])
    if contents == "catalog" and {"sku", "product_id"} & sample.known.keys():
        found = {name: path for name, path in found.items() if name not in ("sku", "product_id")}
    return {f"field.{name}": path for name, path in found.items()}


def look_at(draft: Draft, sample: Sample) -> Look:
    """Return a sample as the page shows it."""
    contents = draft.given.get("contents", "data")
    targets = targets_of(contents)
    errors: dict[str, str] = {}
    problems = list(sample.problems)
    missing = [each for each in targets if each.required and not any(item.get(each.name) for item in sample.read)]
    names = {each.name for each in missing}
    if contents == "catalog" and len(names & {"sku", "product_id"}) < 2:
        names -= {"sku", "product_id"}
    if sample.read:
        errors = {each.name: f"no item has {each.label.lower()}" for each in missing if each.name in names}
    if contents == "stores":
        for number, item in enumerate(sample.read, 1):
            if why := hours_problem(str(item.get("hours") or "")):
                problems.append(f"item {number}: hours: {why}")
    rows = tuple(
        Row(
            each,
            draft.given.get(f"field.{each.name}", ""),
            sample.known.get(each.name, ""),
            tuple(shown(item.get(each.name), 60) for item in sample.read[:2]),
            errors.get(each.name, ""),
        )
        for each in targets
    )
    columns = tuple(dict.fromkeys(field for item in sample.read for field in item))
    order = [each.name for each in targets if each.name in columns]
    columns = tuple([*order, *(each for each in columns if each not in order)][: COLUMNS + len(order)])
    items = tuple(tuple(shown(item.get(column)) for column in columns) for item in sample.read[:10])
    usable = bool(sample.read) and not errors and not draft.errors
    return Look(sample, tuple(leaves(sample.items)), rows, columns, items, tuple(problems), usable)
