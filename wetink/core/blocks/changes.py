"""Changes: the difference between two states of a block, or of another declaration, in a marketer's words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from wetink.core.app.app import App
from wetink.core.app.setting import fields_of
from wetink.core.blocks.block import Block, Variant
from wetink.core.blocks.schedule import spoken
from wetink.core.rules import tree
from wetink.core.rules.format import words
from wetink.core.rules.tree import Rule

LONGEST = 120
"""Characters of a value in a change."""

_PEOPLE: Mapping[type[Any], str] = {
    tree.Trait: "whose ",
    tree.Aggregate: "whose ",
    tree.CartIs: "with a ",
    tree.ProductIs: "with ",
    tree.MomentIs: "when ",
    tree.All: "who match ",
    tree.AnyOf: "who match ",
    tree.Not: "who match ",
}
"""The words between "people" and a rule; "who" for the others."""

_FALLBACK = {
    "title": "Headline of the fallback",
    "text": "Text of the fallback",
    "button": "Button of the fallback",
    "link": "Link of the fallback",
    "image": "Picture of the fallback",
}
_BLOCK = {
    "title": "Title",
    "alt": "Alternative text",
    "slots": "Number of pictures",
    "email": "Email",
    "place": "Place in the email",
    "transparent": "Transparent background",
    "kilobytes": "Size limit in KB",
    "moving": "Animation",
    "gone": "Link for products that are gone",
    "recipients": "Identifiers in the link",
    "data": "Readable as data",
    "control": "Variant for the holdout",
    "paused": "Paused",
    "archived": "Archived",
    "aliases": "Earlier names",
}
_VARIANT = {"template": "Template", "link": "Link", "engine": "Rendering engine"}
_EXPERIMENT = {"name": "Name", "seed": "Seed", "holdout": "Holdout", "worth": "Smallest difference that matters"}
_NONE: Mapping[str, App] = {}


def block_changes(old: Block, new: Block, apps: Mapping[str, App] = _NONE) -> list[str]:
    """Return the changes from one state of a block to another; empty if they say the same.

    >>> from wetink.core.blocks.block import Fallback
    >>> old, new = (Block("hero", Fallback("https://shop.example/", title=title)) for title in ("Hello", "Hi"))
    >>> block_changes(old, new)
    ['Headline of the fallback: “Hello” → “Hi”']
    """
    found = [*_fields(_BLOCK, old, new)]
    if old.schedule != new.schedule:
        found.append(f"Schedule: {spoken(old.schedule)} → {spoken(new.schedule)}")
    if (old.width, old.height) != (new.width, new.height):
        found.append(f"Size: {old.width} × {old.height} → {new.width} × {new.height}")  # noqa: RUF001
    found += _variants(old.variants, new.variants, apps)
    found += _fields(_FALLBACK, old.fallback, new.fallback)
    found += _entries("Campaign tag", old.utm, new.utm)
    found += _experiment(old, new)
    found += _entries("Fetches of class", *(_treatments(each) for each in (old, new)))
    return found


def block_words(block: Block, apps: Mapping[str, App] = _NONE) -> list[str]:
    """Return a new block in words: its variants in order, and its fallback."""
    found = [_added(variant, apps) for variant in block.variants]
    if block.fallback.title:
        found.append(f"Headline of the fallback: {said(block.fallback.title)}")
    return [*found, f"Link of the fallback: {block.fallback.link}"]


def people(rules: Sequence[Rule]) -> str:
    """Return the people that match all rules, in words.

    >>> from wetink.core.rules.parse import parse
    >>> people([parse({"done": "Product Viewed"}), parse({"trait": "plan", "equals": "gold"})])
    'people who did Product Viewed and whose trait plan is "gold"'
    >>> people([])
    'everyone'
    """
    if not rules:
        return "everyone"
    return "people " + " and ".join(_PEOPLE.get(type(rule), "who ") + words(rule) for rule in rules)


def said(value: Any) -> str:
    """Return a value as a change says it.

    >>> said("Hi"), said(""), said(True), said(("user", "email")), said(7)
    ('“Hi”', 'none', 'on', 'user, email', '7')
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None or value in ("", (), [], {}):
        return "none"
    if isinstance(value, str):
        return f"“{_short(value)}”"
    if isinstance(value, list | tuple):
        return _short(", ".join(each if isinstance(each, str) else said(each) for each in value))
    return _short(msgspec.json.encode(value, enc_hook=str).decode())


def changed_values(old: Any, new: Any) -> Iterator[str]:
    """Yield the changes between two plain values, such as those of a feed's file, by dotted path.

    >>> list(changed_values({"every": "1h", "limit": {"items": 5}}, {"every": "2h", "limit": {"items": 9}}))
    ['every: “1h” → “2h”', 'limit.items: 5 → 9']
    """
    before, after = flat(old), flat(new)
    for path in dict.fromkeys((*before, *after)):
        if before.get(path, "") != after.get(path, ""):
            yield f"{path or 'value'}: {said(before.get(path))} → {said(after.get(path))}"


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return the values in nested mappings by dotted path. A list is one value."""
    if not isinstance(value, Mapping):
        return {path: value}
    found: dict[str, Any] = {}
    for key, each in value.items():
        found |= flat(each, f"{path}.{key}" if path else str(key))
    return found


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _fields(labels: Mapping[str, str], old: Any, new: Any, of: str = "") -> Iterator[str]:
    for name, label in labels.items():
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"{label}{of}: {said(before)} → {said(after)}"


def _entries(label: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield f"{label} {name}: {said(old.get(name))} → {said(new.get(name))}"


def _treatments(block: Block) -> dict[str, str]:
    """Return the treatment of each class of fetch in words."""
    shows = {"decide": "get their own content", "fallback": "get the fallback"}
    counted = {None: "", True: ", counted", False: ", not counted"}
    return {kind: f"{shows[each.show]}{counted[each.count]}" for kind, each in block.fetches.items()}


def _experiment(old: Block, new: Block) -> Iterator[str]:
    before, after = old.experiment, new.experiment
    if before == after:
        return
    if before is None or after is None:
        name = said((before or after).name or new.name)  # type: ignore[union-attr]
        yield f"Experiment {name} {'added' if before is None else 'removed'}"
        return
    yield from (f"Experiment: {each[0].lower()}{each[1:]}" for each in _fields(_EXPERIMENT, before, after))
    arms = [
        {each.name: f"{', '.join(each.variants)}{f' for {each.share}' if each.share else ''}" for each in of.arms}
        for of in (before, after)
    ]
    yield from _entries("Experiment: arm", *arms)
    if before.bandit != after.bandit:
        yield f"Experiment: shares that follow results {said(after.bandit is not None)}"


def _variants(old: Sequence[Variant], new: Sequence[Variant], apps: Mapping[str, App]) -> Iterator[str]:
    before, after = ({each.name: each for each in variants} for variants in (old, new))
    renamed = _renamed(before, after)
    for name, other in renamed.items():
        yield f"Variant {said(name)} renamed to {said(other)}"
    before = {renamed.get(name, name): each for name, each in before.items()}
    for name in before.keys() - after.keys():
        yield f"Variant {said(name)} removed"
    for name, variant in after.items():
        if name not in before:
            yield f"{_added(variant, apps)}, {_place(name, list(after))}"
    order = [name for name in before if name in after]
    now = [name for name in after if name in before]
    for name in _moved(order, now):
        yield f"Variant {said(name)} moved {_place(name, now)}"
    for name in now:
        yield from _variant(before[name], after[name], apps)


def _renamed(before: Mapping[str, Variant], after: Mapping[str, Variant]) -> dict[str, str]:
    """Return the new name of each variant that has only another name."""
    gone = [name for name in before if name not in after]
    made = [name for name in after if name not in before]
    found: dict[str, str] = {}
    for name in gone:
        like = msgspec.structs.replace(before[name], name="")
        same = (other for other in made if msgspec.structs.replace(after[other], name="") == like)
        if (other := next(same, "")) != "":
            found[name] = other
            made.remove(other)
    return found


def _moved(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the fewest names whose move turns one order into the other.

    >>> _moved(["a", "b", "c"], ["c", "a", "b"]), _moved(["a", "b"], ["a", "b"])
    (['c'], [])
    """
    places = {name: place for place, name in enumerate(old)}
    longest: list[list[str]] = []  # the longest rising run that ends at each name
    for name in new:
        runs = [run for run in longest if places[run[-1]] < places[name]]
        longest.append([*max(reversed(runs), key=len, default=[]), name])
    stay = {*max(reversed(longest), key=len, default=[])}  # of several, the one that says what moved up
    return [name for name in new if name not in stay]


def _place(name: str, order: Sequence[str]) -> str:
    """Return the place of a variant in an order, in words."""
    place = order.index(name)
    if place + 1 < len(order):
        return f"above {said(order[place + 1])}"
    return f"below {said(order[place - 1])}" if place else "as the only variant"


def _added(variant: Variant, apps: Mapping[str, App]) -> str:
    return f"Variant {said(variant.name)} added: {_title(variant.app, apps)} for {people(variant.when)}"


def _title(app: str, apps: Mapping[str, App]) -> str:
    return apps[app].title if app in apps else app


def _variant(old: Variant, new: Variant, apps: Mapping[str, App]) -> Iterator[str]:
    of = f" of {said(new.name)}"
    if old.app != new.app:
        yield f"App{of}: {_title(old.app, apps)} → {_title(new.app, apps)}"
    yield from _fields(_VARIANT, old, new, of)
    if old.schedule != new.schedule:
        yield f"Schedule{of}: {spoken(old.schedule)} → {spoken(new.schedule)}"
    if old.when != new.when:
        yield f"Rule{of}: {people(old.when)} → {people(new.when)}"
    app = apps.get(new.app) if old.app == new.app else None  # else each default would be a change
    labeled = [_labeled(app, each) for each in (old, new)]
    before, after = labeled if all(labeled) else [_raw(each) for each in (old, new)]
    for path in dict.fromkeys((*before, *after)):
        label, was = before.get(path, ("", "none"))
        label, now = after.get(path, (label, "none"))
        if was != now:
            yield f"{label}{of}: {was} → {now}"


def _raw(variant: Variant) -> dict[str, tuple[str, str]]:
    """Return the path and the value of each setting in words, by path."""
    return {path: (path, said(value)) for path, value in flat(variant.settings).items() if path}


def _labeled(app: App | None, variant: Variant) -> dict[str, tuple[str, str]]:
    """Return the label and the value of each setting, those of a form with defaults; none if it is unreadable."""
    if app is None:
        return {}
    try:
        fields = fields_of(app, variant.settings)
    except msgspec.ValidationError:
        return {}
    found = _raw(variant)
    for field in fields:
        value: Any = field.value == "true" if field.kind == "switch" else field.value
        plain = field.kind in ("whole", "number", "list") and value != ""
        found[field.name] = field.label, str(value) if plain else said(value)
    return found
