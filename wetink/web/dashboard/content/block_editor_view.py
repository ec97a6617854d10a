"""Block editor view: what the editor shows of a draft: its form, its problems in words, and the preview beside it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request

from wetink.content.block_drafts import checked
from wetink.content.content import Content
from wetink.content.template_files import FOLDER, TEMPLATE
from wetink.core.app.app import App
from wetink.core.app.sample import GOODS
from wetink.core.app.setting import Field, zones
from wetink.core.blocks.block import Block, Decision
from wetink.core.blocks.form import FETCHES, BlockForm, VariantForm, fields_in
from wetink.core.errors import BadContent
from wetink.core.profile.person import Moment
from wetink.core.rules.format import words
from wetink.opens.recipient import parse
from wetink.opens.trials import SAMPLE, Onlooker
from wetink.ports.content import Draft
from wetink.web.dashboard.audiences import audience_form
from wetink.web.dashboard.content.preview import EVENTS, Supposed, supposed
from wetink.web.dashboard.page.query import DEVICES, SCHEMES, time_of, wetink_of
from wetink.wiring import Wetink

STRANGER = "stranger"
CLIENTS = (("gmail", "Gmail"), ("apple", "Apple Mail"), ("outlook", "Outlook"))
OFFERS = {
    "zone": "zones", "category": "categories", "categories": "categories", "not_categories": "categories",
    "brands": "brands", "feed": "feeds", "feeds": "feeds", "window": "spans", "wait": "spans",
}  # fmt: skip
"""Name of a setting -> the list of choices that its field offers."""
SPANS = ("5m", "30m", "1h", "6h", "12h", "24h", "3d", "7d", "14d", "30d", "90d")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TAGS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id")
RECIPIENTS = (
    ("", "a sealed token only"),
    ("user", "user ID"),
    ("email", "email address"),
    ("user,email", "user ID, or email address"),
    ("email,user", "email address, or user ID"),
)
KINDS = {
    "person": "A person",
    "proxy": "A mail provider on behalf of a person",
    "prefetch": "A mail app that fetches ahead",
    "scanner": "A security scanner",
    "unknown": "An unknown program",
}
MOST_NAMES = 200
"""Products of the catalog whose categories and brands are offered."""
PHONE_SLOTS = 3
"""Slots of a block that are drawn dark and for a phone."""
_WORDS = (
    (re.compile(r"^'' is not an http\(s\) (URL|address)"), "enter a link, such as https://shop.example/sale"),
    (re.compile(r"^('.*') is not an http\(s\) (URL|address)", re.DOTALL), r"\1 is not a link; write https://…"),
    (re.compile(r".*matching regex.*", re.DOTALL), "use lowercase letters, digits and dashes"),
    (re.compile(r"^there are several variants called (.*)", re.DOTALL), r"another variant is called \1; rename one"),
    (re.compile(r"^Object missing required field `(.*)`"), r"\1 is missing"),
    (re.compile(r"^Expected `str`, got .*"), "enter text"),
)


class Stock(msgspec.Struct, frozen=True):
    """The content that drafts of blocks are tried with: the live one with all drafts of templates, and its apps.

    `drafted` are the names of those templates, and of the apps that they are.
    """

    content: Content
    apps: Mapping[str, App]
    drafted: frozenset[str] = frozenset()

    def drafts_in(self, form: BlockForm) -> list[str]:
        """Return the drafted templates that a block uses, by name."""
        named = (each.fields["template"].removesuffix(TEMPLATE) or each.fields["app"] for each in form.variants)
        return sorted(self.drafted.intersection(named))


async def stock_of(wetink: Wetink) -> Stock:
    """Return the content that drafts of blocks are tried with. Raises StoreUnavailable."""
    paths = [each.path for each in await wetink.publishing.pending() if each.path.startswith(FOLDER)]
    if not paths:
        return Stock(wetink.content, wetink.apps)
    content = await wetink.publishing.preview(paths)
    names = frozenset(path.removeprefix(FOLDER).rpartition(".")[0] for path in paths)
    return Stock(content, {**wetink.apps, **content.apps}, names)


class Look(msgspec.Struct, frozen=True):
    """How the preview looks at a draft: for whom, when, where, and after which events."""

    onlooker: Onlooker
    moment: Moment
    suppose: Supposed
    fields: Mapping[str, str]
    problem: str = ""

    def query(self, scheme: str = "light", device: str = "") -> str:
        """Return the query of a picture's URL."""
        sent = {
            "who": self.fields.get("who", "") if not self.problem else "",
            "at": str(self.moment.now),
            "device": device or self.moment.device,
            "scheme": scheme,
            "suppose": self.suppose.text,
        }
        return urlencode({name: value for name, value in sent.items() if value})


async def look_of(request: Request, fields: Mapping[str, str], now: int) -> Look:
    """Return the look that a form or a query asks for. Raises StoreUnavailable."""
    entered, problem = fields.get("who", "").strip()[:512], ""
    onlooker = SAMPLE
    if entered == STRANGER:
        onlooker = Onlooker(None)
    elif entered:
        who = parse(entered)
        if who is None:
            problem = f"Choose “{entered[:80]}” from the list, or write user:42 or email:jane@shop.example"
        else:
            onlooker = Onlooker(who)
    device, scheme = fields.get("device", ""), fields.get("scheme", "")
    moment = Moment(
        now=time_of(fields.get("at", ""), now),
        device=device if device in DEVICES else "",
        scheme=scheme if scheme in SCHEMES else "light",
    )
    suppose = await supposed(wetink_of(request), fields, moment.now, GOODS if onlooker.sample else {})
    return Look(onlooker, moment, suppose, fields, problem)


class Frame(msgspec.Struct, frozen=True):
    """A picture of a preview: its words, its class, and the URL of each slot."""

    title: str
    kind: str
    pictures: tuple[str, ...]


class Sighted(msgspec.Struct, frozen=True):
    """The preview of a draft. Without a `block`, it cannot be drawn before a problem is corrected."""

    block: Block | None
    decision: Decision | None
    frames: tuple[Frame, ...] = ()
    failed: str = ""

    @property
    def weights(self) -> tuple[str, ...]:
        """The URL of each picture's size."""
        light = self.frames[0].pictures if self.frames else ()
        return tuple(address.replace(".img", "/weight", 1) for address in light)


async def sighted(request: Request, stock: Stock, name: str, block: Block | None, look: Look, revision: str) -> Sighted:
    """Return the preview of a block. `revision` makes the pictures' URLs those of this draft.

    Raises StoreUnavailable.
    """
    wetink = wetink_of(request)
    if block is None:
        return Sighted(None, None)
    try:
        decision = await wetink.trials.decision(stock.content, block, look.onlooker, look.moment, look.suppose.events)
    except BadContent as error:
        return Sighted(block, None, failed=error.sentence)

    def pictures(slots: int, scheme: str, device: str = "") -> tuple[str, ...]:
        query = f"{look.query(scheme, device)}&r={revision}"
        return tuple(f"/dashboard/blocks/{name}/draft/{slot}.img?{query}" for slot in range(1, slots + 1))

    few = min(block.slots, PHONE_SLOTS)
    frames = (
        Frame("Light", "light", pictures(block.slots, "light")),
        Frame("Dark", "dark", pictures(few, "dark")),
        Frame("Phone", "phone", pictures(few, "light", "mobile")),
    )
    return Sighted(block, decision, frames)


class Problem(msgspec.Struct, frozen=True):
    """A problem of a draft: the field, its label, and the reason in a marketer's words."""

    field: str
    label: str
    why: str


def problems_in(stock: Stock, name: str, form: BlockForm, raw: Mapping[str, Any]) -> tuple[Block | None, list[Problem]]:
    """Return the block of a draft, None if it cannot be drawn, and its problems at the fields of the form."""
    block, placed = checked(name, raw, stock.content, stock.apps)
    found: dict[str, Problem] = {}
    for place, why in placed:
        field, label = _field(place, form, stock.apps)
        said = next((pattern.sub(text, why) for pattern, text in _WORDS if pattern.match(why)), why)
        found.setdefault(field, Problem(field, label, said))
    return block, list(found.values())


def _field(place: str, form: BlockForm, apps: Mapping[str, App]) -> tuple[str, str]:
    """Return the name and the label of the field at a place of the block's file."""
    inside = re.fullmatch(r"variants\[(\d+)\](?:\.(.*))?", place, re.DOTALL)
    if inside is None or int(inside[1]) >= len(form.variants):
        name = re.sub(r"\[\d+\].*", "", place, flags=re.DOTALL)
        return name, name.replace("_", " ").replace(".", " ").capitalize() or "Block"
    variant, below = form.variants[int(inside[1])], re.sub(r"\[\d+\].*", "", inside[2] or "name", flags=re.DOTALL)
    below = "rule" if below == "when" else below
    fields = {f"settings.{each.name}": each.label for each in fields_in(apps.get(variant.fields["app"]))}
    label = fields.get(below, below.rpartition(".")[2].replace("_", " ").capitalize())
    return f"v.{variant.key}.{below}", f"{variant.fields['name'] or 'Variant'}: {label}"


class Card(msgspec.Struct, frozen=True):
    """A variant in the list: its form, its app, the fields of its settings, and its rule in words."""

    variant: VariantForm
    app: App | None
    settings: tuple[Field, ...]
    filters: tuple[Field, ...]
    rule: tuple[str, ...]
    builder: audience_form.Builder
    open: bool
    place: int

    @property
    def who(self) -> str:
        """The people that it is shown to, in words."""
        return f"who {' and '.join(self.rule)}" if self.rule else "everyone"


def cards_of(
    apps: Mapping[str, App], name: str, form: BlockForm, block: Block | None, opened: frozenset[str]
) -> list[Card]:
    """Return the variants of a form in order. `opened` are the keys of those that are not folded."""
    cards = []
    address = f"/dashboard/blocks/{name}/edit"
    for place, each in enumerate(form.variants):
        fields = fields_in(apps.get(each.fields["app"]))
        same = block is not None and len(block.variants) == len(form.variants)
        rules: Sequence[Any] = block.variants[place].when if block is not None and same else ()
        cards.append(
            Card(
                each,
                apps.get(each.fields["app"]),
                tuple(field for field in fields if not field.name.startswith("only.")),
                tuple(field for field in fields if field.name.startswith("only.")),
                tuple(map(words, rules)),
                audience_form.Builder(f"{address}?redraw=1", address, f"v.{each.key}.", f"{each.key} "),
                each.key in opened,
                place,
            )
        )
    return cards


async def offers(request: Request, stock: Stock) -> dict[str, Any]:
    """Return the choices of the form's fields, some from the catalog. Raises StoreUnavailable."""
    wetink = wetink_of(request)
    keys = await wetink.store.catalog.keys("", MOST_NAMES)
    products = (await wetink.store.catalog.products(keys)).values()
    return {
        **audience_form.choices(request),
        "offers": OFFERS,
        "weekdays": WEEKDAYS,
        "lists": {
            "zones": sorted(zones().values()),
            "categories": sorted({each.category for each in products if each.category}),
            "brands": sorted({each.brand for each in products if each.brand}),
            "feeds": sorted(wetink.content.feeds),
            "spans": SPANS,
            "tags": TAGS,
        },
        "products": [(each.key, each.name) for each in products][:50],
        "templates": sorted(stock.content.templates),
        "images": sorted(wetink.content.images),
        "app_choices": [each for each in wetink.apps.values() if each.template],
        "own_apps": [each for each in wetink.apps.values() if not each.template],
        "recipients": RECIPIENTS,
        "fetch_kinds": [(kind, KINDS[kind]) for kind in FETCHES],
        "clients": CLIENTS,
        "if_events": EVENTS,
    }


class Bar(msgspec.Struct, frozen=True):
    """The state of a draft: where it stands, and what the next save needs to know."""

    base: str
    revision: int
    was: str
    draft: Draft | None = None
    published: bool = True
    outdated: bool = False
    conflict: str = ""
    unsaved: str = ""
    said: str = ""
