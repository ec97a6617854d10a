"""Form: a block as the fields of a form, complete or not, and back as the mapping that its file has.

Every value of a block comes back as it was. Values that a form cannot show, such as an experiment, and values that a
text would change, such as a price with ten decimals, travel beside the fields as `rest`. An edit of such a field wins.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, get_args

import msgspec
from msgspec.structs import replace

from wetink.core.app.app import App
from wetink.core.app.setting import Field, fields_of, read_text, shown_text
from wetink.core.client_classification import Kind
from wetink.core.rules.form import Draft, draft_of, edited, fits_form, nested, rooted, spelling_of
from wetink.core.rules.parse import parse_all
from wetink.core.text.naming import free_name

Path: TypeAlias = tuple[Any, ...]
Rest: TypeAlias = dict[Path, Any]

FETCHES: tuple[Kind, ...] = get_args(Kind)
MOST_VARIANTS, MOST_TAGS, LONGEST_REST = 50, 30, 200_000
LARGEST = 2**62
"""Numbers from here on stay text: not every store holds them."""
_KEY = re.compile(r"v\.(\d{1,4})\.(.+)", re.DOTALL)
_TAG = re.compile(r"utm\.(\d{1,3})\.(name|value)")


class VariantForm(msgspec.Struct, frozen=True):
    """A variant in a form. `key` names its fields, such as `v.3.link`, and stays while variants change places.

    `rule` is None if only the file can express it.
    """

    key: str
    fields: dict[str, str]
    settings: dict[str, str]
    rule: Draft | None
    rest: Rest = {}

    @property
    def rest_text(self) -> str:
        """The rest as a hidden field's text."""
        return _packed(self.rest)


class BlockForm(msgspec.Struct, frozen=True):
    """A block in a form. `tags` are the campaign tags: name and value."""

    fields: dict[str, str]
    tags: tuple[tuple[str, str], ...]
    variants: tuple[VariantForm, ...]
    rest: Rest = {}

    @property
    def rest_text(self) -> str:
        """The rest as a hidden field's text."""
        return _packed(self.rest)


class Leaf(msgspec.Struct, frozen=True):
    """One value of a block: its default, and its kind: text, whole, switch, maybe (a switch with a default) or list."""

    kind: str = "text"
    usual: Any = ""
    kept: bool = False
    """Whether the file has it even if it is the default."""


def _leaves() -> dict[str, Leaf]:
    whole = {"width": 600, "height": 300, "slots": 1, "place": 0, "kilobytes": 200}
    switches = {"transparent": False, "moving": False, "data": True, "paused": False}
    found = {name: Leaf() for name in ("title", "alt", "email", "gone", "control")}
    found |= {name: Leaf("whole", usual) for name, usual in whole.items()}
    found |= {name: Leaf("switch", usual) for name, usual in switches.items()}
    found |= {f"fallback.{name}": Leaf(kept=name == "link") for name in ("link", "title", "text", "button", "image")}
    found |= {f"schedule.{name}": Leaf() for name in ("from", "until", "zone")}
    found["recipients"] = Leaf("list", [])
    for kind in FETCHES:
        found |= {f"fetches.{kind}.show": Leaf(usual="decide"), f"fetches.{kind}.count": Leaf("maybe", None)}
    return found


LEAVES: Mapping[str, Leaf] = _leaves()
"""The fields of a block, by name. Those of its variants are in `VARIANT` and in the settings of their apps."""
VARIANT: Mapping[str, Leaf] = {
    "name": Leaf(kept=True), "app": Leaf(kept=True), "template": Leaf(), "link": Leaf(), "engine": Leaf(),
    "schedule.from": Leaf(), "schedule.until": Leaf(), "schedule.zone": Leaf(),
}  # fmt: skip


def form_of(raw: Any, apps: Mapping[str, App]) -> BlockForm:
    """Return the form of a block's mapping, which may be wrong in any place."""
    raw = raw if isinstance(raw, Mapping) else {}
    utm, variants = raw.get("utm"), raw.get("variants")
    plain = {name: value for name, value in raw.items() if name not in ("utm", "variants")}
    fields, rest = _shown(plain, LEAVES)
    tags = tuple((str(name), str(value)) for name, value in utm.items()) if isinstance(utm, Mapping) else ()
    listed = [each for each in variants if isinstance(each, Mapping)] if isinstance(variants, list | tuple) else []
    return BlockForm(fields, tags, tuple(variant_form(str(at), each, apps) for at, each in enumerate(listed)), rest)


def variant_form(key: str, raw: Mapping[str, Any], apps: Mapping[str, App]) -> VariantForm:
    """Return the form of a variant's mapping."""
    settings, when = raw.get("settings"), raw.get("when", [])
    plain = {name: value for name, value in raw.items() if name not in ("settings", "when")}
    fields, rest = _shown(plain, VARIANT)
    texts, more = _settings_shown(apps.get(fields["app"]), settings if isinstance(settings, Mapping) else {})
    rest |= {("settings", *path): value for path, value in more.items()}
    rule: Draft | None = rooted(draft_of(when if isinstance(when, list | tuple) else [when]))
    assert rule is not None  # noqa: S101 (a root is always a draft)
    if not fits_form(rule) or not _same_rule(when, _when(rule)):
        rule, rest["when",] = None, when
    return VariantForm(key, fields, texts, rule, rest)


def raw_of(form: BlockForm, apps: Mapping[str, App]) -> dict[str, Any]:
    """Return the mapping of a form for a block's file. Texts that do not fit stay, so that they can be corrected."""
    raw = _written(form.fields, LEAVES, form.rest)
    if variants := [variant_raw(each, apps) for each in form.variants]:
        raw["variants"] = variants
    if tags := {name.strip(): value for name, value in form.tags if name.strip()}:
        raw["utm"] = tags
    return raw


def variant_raw(variant: VariantForm, apps: Mapping[str, App]) -> dict[str, Any]:
    """Return the mapping of a variant's form."""
    raw = _written(variant.fields, VARIANT, {path: each for path, each in variant.rest.items() if path != ("when",)})
    for field in fields_in(apps.get(variant.fields.get("app", ""))):
        path, text = ("settings", *field.name.split(".")), variant.settings.get(field.name, field.value)
        if path in variant.rest and shown_text(field.kind, variant.rest[path]) == text:
            continue
        _unset(raw, path)
        if text != field.value:
            _put(raw, path, _setting(field, text))
    when = _when(variant.rule) if variant.rule is not None else variant.rest.get(("when",), [])
    return {**raw, **({"when": when} if when else {})}


def fields_in(app: App | None) -> list[Field]:
    """Return the settings that a form shows for an app. Products to skip are left to programs."""
    return [each for each in fields_of(app) if each.name != "only.skip"] if app is not None else []


def posted(fields: Mapping[str, str], apps: Mapping[str, App]) -> BlockForm:
    """Return the form that a browser sent. Variants are in the order of its field `order`."""
    own: dict[str, dict[str, str]] = {}
    tags: dict[int, dict[str, str]] = {}
    for name, text in fields.items():
        if (found := _KEY.fullmatch(name)) is not None and (found[1] in own or len(own) < MOST_VARIANTS):
            own.setdefault(found[1], {})[found[2]] = text
        elif (found := _TAG.fullmatch(name)) is not None:
            tags.setdefault(int(found[1]), {})[found[2]] = text
    order = [key for key in dict.fromkeys(fields.get("order", "").split(",")) if key in own]
    keys = [*order, *(key for key in own if key not in order)]
    rows = [(row.get("name", ""), row.get("value", "")) for _, row in sorted(tags.items())]
    return BlockForm(
        {name: _sent(fields, name, leaf) for name, leaf in LEAVES.items()},
        tuple(rows[:MOST_TAGS]),
        tuple(_posted_variant(key, own[key], apps) for key in keys),
        _unpacked(fields.get("rest", "")),
    )


def _posted_variant(key: str, sent: Mapping[str, str], apps: Mapping[str, App]) -> VariantForm:
    texts = {}
    for field in fields_in(apps.get(sent.get("app", ""))):
        name = f"settings.{field.name}"
        if field.kind == "switch":
            texts[field.name] = "true" if sent.get(name) in ("on", "true") else "false"
        else:
            texts[field.name] = sent.get(name, field.value).replace("\r\n", "\n")
    drawn = any(name.startswith("rule.") for name in sent)
    rule = rooted(nested(sent, "rule")) if drawn else None
    rest = _unpacked(sent.get("rest", ""))
    if rule is None and ("when",) not in rest:
        rule = rooted(draft_of([]))
    return VariantForm(key, {name: _sent(sent, name, leaf) for name, leaf in VARIANT.items()}, texts, rule, rest)


def _sent(fields: Mapping[str, str], name: str, leaf: Leaf) -> str:
    if leaf.kind == "switch":
        return "true" if fields.get(name) in ("on", "true") else "false"
    return fields.get(name, _text(leaf.kind, leaf.usual)).replace("\r\n", "\n")


def acted(form: BlockForm, action: str, apps: Mapping[str, App]) -> BlockForm:
    """Return the form after one of its buttons. An unknown one changes nothing.

    `new APP` adds a variant; `up KEY`, `down KEY`, `copy KEY` and `remove KEY` change one. `tag` adds a campaign tag.
    `KEY add PATH`, and so on, is a button of a variant's rule.
    """
    doing, _, key = action.partition(" ")
    places = [place for place, each in enumerate(form.variants) if each.key == (doing if doing.isdecimal() else key)]
    if doing == "tag":
        return replace(form, tags=(*form.tags, ("", ""))[:MOST_TAGS])
    if doing == "new":
        return _with_new(form, key, apps)
    if not places:
        return form
    place, found = places[0], list(form.variants)
    variant = found.pop(place)
    match doing:
        case "up":
            found.insert(max(place - 1, 0), variant)
        case "down":
            found.insert(place + 1, variant)
        case "copy" if len(found) + 2 <= MOST_VARIANTS:
            name = free_name(variant.fields["name"], [each.fields["name"] for each in form.variants])
            copy = replace(variant, key=_next_key(form), fields={**variant.fields, "name": name})
            found[place:place] = [variant, copy]
        case "remove":
            pass
        case _:
            rule = rooted(edited(variant.rule, key)) if doing.isdecimal() and variant.rule is not None else variant.rule
            found.insert(place, replace(variant, rule=rule))
    return replace(form, variants=tuple(found))


def _with_new(form: BlockForm, name: str, apps: Mapping[str, App]) -> BlockForm:
    app = apps.get(name)
    if app is None or len(form.variants) >= MOST_VARIANTS:
        return form
    title = free_name(app.title, [each.fields["name"] for each in form.variants])
    made = variant_form(
        _next_key(form), {"name": title, "app": name, "settings": msgspec.to_builtins(app.sample.settings)}, apps
    )
    return replace(form, variants=(*form.variants, made))


def removed_text(form: BlockForm, key: str, apps: Mapping[str, App]) -> str:
    """Return a variant and its place as the text that `restored` reads; empty if there is none with this key."""
    found = [(place, each) for place, each in enumerate(form.variants) if each.key == key]
    return json.dumps([found[0][0], variant_raw(found[0][1], apps)], default=str) if found else ""


def restored(form: BlockForm, text: str, apps: Mapping[str, App]) -> BlockForm:
    """Return the form with a removed variant back in its place. Any other text changes nothing."""
    try:
        place, raw = json.loads(text[:LONGEST_REST])
    except (ValueError, TypeError, RecursionError):
        return form
    if not isinstance(place, int) or not isinstance(raw, dict) or len(form.variants) >= MOST_VARIANTS:
        return form
    found = list(form.variants)
    found.insert(max(place, 0), variant_form(_next_key(form), raw, apps))
    return replace(form, variants=tuple(found))


def _next_key(form: BlockForm) -> str:
    return str(max((int(each.key) for each in form.variants), default=-1) + 1)


def _shown(raw: Mapping[str, Any], leaves: Mapping[str, Leaf]) -> tuple[dict[str, str], Rest]:
    """Return the texts of all leaves, and the rest."""
    rest = dict(_flat(raw))
    texts = {}
    for name, leaf in leaves.items():
        path = tuple(name.split("."))
        value = rest.get(path, leaf.usual)
        texts[name] = _text(leaf.kind, value)
        if path in rest and _same(_value(leaf.kind, texts[name]), value):
            del rest[path]
    return texts, rest


def _written(texts: Mapping[str, str], leaves: Mapping[str, Leaf], rest: Rest) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for path, value in rest.items():
        _put(raw, path, value)
    for name, leaf in leaves.items():
        path, text = tuple(name.split(".")), texts.get(name, _text(leaf.kind, leaf.usual))
        if path in rest and _text(leaf.kind, rest[path]) == text:
            continue
        value = _value(leaf.kind, text)
        _unset(raw, path)
        if leaf.kept or not _same(value, leaf.usual):
            _put(raw, path, value)
    return raw


def _settings_shown(app: App | None, settings: Mapping[str, Any]) -> tuple[dict[str, str], Rest]:
    rest, texts = dict(_flat(settings)), {}
    for field in fields_in(app):
        path = tuple(field.name.split("."))
        texts[field.name] = shown_text(field.kind, rest[path]) if path in rest else field.value
        if path in rest and _same(_setting(field, texts[field.name]), rest[path]):
            del rest[path]
    return texts, rest


def _setting(field: Field, text: str) -> Any:
    """Return the value of a setting's text, or the text itself if it is none that a file can hold."""
    try:
        value = read_text(field, text)
    except ValueError:
        return text
    return text if isinstance(value, int | float) and not abs(value) < LARGEST else value


def _when(rule: Draft) -> Any:
    """Return the rule of a variant as its file has it: a list if all of it must match."""
    whole = spelling_of(rule)
    return whole.get("all", whole)


def _same_rule(before: Any, after: Any) -> bool:
    """Return whether two spellings mean the same rule. A rule that cannot be read is compared as it is written."""
    read, wrong = parse_all(before, "")
    again, worse = parse_all(after, "")
    return before == after if wrong or worse else read == again


def _text(kind: str, value: Any) -> str:
    match kind:
        case "switch":
            return "true" if value else "false"
        case "maybe" if isinstance(value, bool):
            return "true" if value else "false"
        case "list" if isinstance(value, list | tuple):
            return ",".join(map(str, value))
    return "" if value is None else str(value)


def _value(kind: str, text: str) -> Any:
    match kind:
        case "whole":
            written = text.strip()
            return int(written) if re.fullmatch(r"-?\d{1,12}", written) and written.isascii() else text
        case "switch" | "maybe":
            return {"true": True, "false": False, "": None}.get(text, text)
        case "list":
            return [each.strip() for each in text.split(",") if each.strip()]
    return text


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are equal and of the same type: True is not 1. A list is a tuple."""
    one, other = (list(each) if isinstance(each, tuple) else each for each in (one, other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _flat(raw: Mapping[Any, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield each value below a mapping with its path. An empty mapping is a value."""
    for name, value in raw.items():
        if isinstance(value, Mapping) and value and len(path) < 60:
            yield from _flat(value, (*path, name))
        else:
            yield (*path, name), value


def _put(raw: dict[Any, Any], path: Path, value: Any) -> None:
    *outer, last = path
    for step in outer:
        below = raw.get(step)
        if not isinstance(below, dict):
            below = raw[step] = {}
        raw = below
    raw[last] = value


def _unset(raw: dict[Any, Any], path: Path) -> None:
    *outer, last = path
    walk: Callable[[Any, Any], Any] = lambda place, step: place.get(step) if isinstance(place, dict) else None  # noqa: E731
    place: Any = raw
    for step in outer:
        place = walk(place, step)
    if isinstance(place, dict):
        place.pop(last, None)


def _packed(rest: Rest) -> str:
    """Return the rest as JSON; empty if there is none."""
    return json.dumps([[list(path), value] for path, value in rest.items()], default=str) if rest else ""


def _unpacked(text: str) -> Rest:
    """Return the rest of a hidden field; empty for anything else."""
    try:
        found = json.loads(text[:LONGEST_REST]) if text else []
        return {tuple(path): value for path, value in found if path}
    except (ValueError, TypeError, RecursionError):
        return {}
