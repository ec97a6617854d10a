"""Decide: chooses the variant of a block for a person, with its content and the reasons."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.app.app import OURS, App, Shop, Shown
from wetink.core.blocks.block import Block, Decision, Step, Variant, bare, closed, decides, memoize
from wetink.core.blocks.schedule import outside
from wetink.core.catalog.trust import refreshed
from wetink.core.catalog.trust import shown as visible
from wetink.core.events.event import Product
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.evaluate import EVENTS, NOTHING, Compiled, Needs, Rulebook, together
from wetink.core.rules.tree import Subject
from wetink.core.rules.values import look_up
from wetink.core.text.link import tagged
from wetink.core.text.url import read
from wetink.core.units import zone

_HOLE = re.compile(r"\{(\w+)\}")
MOST_SAID = 3
"""Hidden products that a trace names."""


class Choice(msgspec.Struct, frozen=True, gc=False):
    """The chosen variant, None for the fallback, with its app's content and the trace.

    `settings` are the variant's, completed with the app's defaults.
    """

    variant: Variant | None
    shown: Shown
    settings: dict[str, Any]
    trace: tuple[Step, ...]

    @property
    def wanted(self) -> list[str]:
        """The keys of the products whose newest data the decision needs."""
        return list(dict.fromkeys([seen.product.key for seen in self.shown.items]))


class Requirements(msgspec.Struct, frozen=True, gc=False):
    """The lookups that apps of a block need before they run, and the apps of possible variants with their settings.

    `promised` and `contacts` tell whether an app needs the block's promises, and its numbers of opens and clicks.
    """

    apps: tuple[tuple[App, Any], ...] = ()
    queries: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    polls: tuple[str, ...] = ()
    promised: bool = False
    contacts: bool = False


_NONE = Requirements()


class Ready(msgspec.Struct, frozen=True):
    """A compiled variant: its app, its settings as the app's struct and as plain values, and its rules as functions.

    `wrong` is the reason why the settings are invalid; `settings` is None then.
    """

    variant: Variant
    app: App | None
    settings: Any
    plain: dict[str, Any]
    wrong: str
    rules: tuple[Compiled, ...]
    needs: Needs
    looks_up: bool
    """Whether its app needs a lookup, whoever the person is."""


def settled(app: App, variant: Variant) -> tuple[Any, str]:
    """Return a variant's settings as its app's struct and ""; None and the reason if they are invalid."""
    try:
        return msgspec.convert(variant.settings, app.settings), ""
    except msgspec.ValidationError as error:
        return None, f"its settings are invalid: {error}"


@memoize
def ready(variant: Variant, app: App | None, rules: Rulebook) -> Ready:
    """Return a compiled variant. Cached, since it depends on the content alone."""
    compiled = tuple([rules.of(rule) for rule in variant.when])
    foreign = app is not None and app.package not in (OURS, "")  # such an app may read all events
    needs = together([EVENTS if foreign else NOTHING, *(each.needs for each in compiled)])
    settings, wrong = settled(app, variant) if app is not None else (None, f"there is no app called {variant.app}")
    plain = {**variant.settings, **msgspec.to_builtins(settings)} if settings is not None else {}
    return Ready(variant, app, settings, plain, wrong, compiled, needs, app is not None and app.looks_up)


class Prepared(msgspec.Struct, frozen=True):
    """A block with its compiled variants, and the needs of all. `outside` means that they may wait for a feed.

    `looking` are the variants whose apps need lookups. `brief` means that the newest views are probably enough: apps
    that look products up mostly do so for all views.
    """

    block: Block
    variants: tuple[Ready, ...]
    looking: tuple[Ready, ...]
    needs: Needs
    outside: bool
    brief: bool


@memoize
def prepared(block: Block, apps: Mapping[str, App], rules: Rulebook) -> Prepared:
    """Return a compiled block. Cached, since it depends on the content alone."""
    variants = tuple([ready(variant, apps.get(variant.app), rules) for variant in block.variants])
    outside = any(each.needs.feeds or (each.app is not None and each.app.feeds is not None) for each in variants)
    looking, needs = tuple([each for each in variants if each.looks_up]), together(each.needs for each in variants)
    return Prepared(block, variants, looking, needs, outside, not needs.history and not looking)


def requirements(prepared: Prepared, person: Person, moment: Moment, shop: Shop) -> Requirements:
    """Return the lookups for the apps of the variants whose rules match. `shop` has the data that rules need."""
    if not prepared.looking or closed(prepared.block, moment.now):
        return _NONE
    subject = subject_of(person, moment, shop)
    asked: list[tuple[App, Any]] = []
    queries, feeds, polls = dict[str, None](), dict[str, None](), dict[str, None]()
    for each in prepared.looking:
        app, settings = each.app, each.settings
        asleep = each.variant.schedule is not None and outside(each.variant.schedule, moment.now)
        if app is None or settings is None or asleep or not all([rule.holds(subject) for rule in each.rules]):
            continue
        asked.append((app, settings))
        if app.queries is not None:
            queries |= dict.fromkeys(app.queries(person, settings, moment))
        if app.feeds is not None:
            feeds |= dict.fromkeys(app.feeds(settings))
        if app.poll is not None:
            polls[app.poll(settings)] = None
    promised, contacts = any([app.promises for app, _ in asked]), any([app.contacts for app, _ in asked])
    return Requirements(tuple(asked), tuple(queries), tuple(feeds), tuple(polls), promised, contacts)


def products_of(
    required: Requirements, person: Person, moment: Moment, shop: Shop
) -> tuple[Sequence[str], Sequence[str]]:
    """Return the keys of products whose newest data the apps need, and of those whose price history they need."""
    keys, history = dict[str, None](), dict[str, None]()
    for app, settings in required.apps:
        if app.wants is not None:
            wanted = dict.fromkeys(app.wants(person, settings, moment, shop))
            keys |= wanted
            if app.history:
                history |= wanted
    return list(keys), list(history)


def reduced(block: Block, moment: Moment) -> Block:
    """Return a block without its variants if this fetch gets the fallback whoever opens it; else the block itself."""
    return bare(block) if closed(block, moment.now) or not decides(block.fetches, moment.fetch_class) else block


def choose(prepared: Prepared, person: Person, moment: Moment, shop: Shop) -> Choice:
    """Return the first variant whose rules match and whose app has something to show."""
    trace: list[Step] = []
    block, seen = prepared.block, visible(person, shop.found)
    subject: Subject | None = None
    shut = closed(block, moment.now)
    for each in prepared.variants if not shut else ():
        shown: Shown | None = None
        reasons: list[str] = []
        if each.variant.schedule is not None and (why := outside(each.variant.schedule, moment.now)):
            trace.append(Step(each.variant.name, False, f"its schedule: {why}"))
            continue
        for rule in each.rules:
            subject = subject or subject_of(person, moment, shop)
            holds, why = rule.judge(subject)
            if not holds:
                break
            reasons.append(why)
        else:
            shown, why = _shown(each, reasons, seen, moment, shop)
        trace.append(Step(each.variant.name, shown is not None, why))
        if shown is not None:
            return Choice(each.variant, shown, each.plain, tuple(trace))
    if shut:
        why = shut
    elif not decides(block.fetches, moment.fetch_class):
        why = f"the block's policy for this class of fetch: {moment.fetch_class}"
    else:
        why = "no variant matches" if block.variants else "the block has no variants"
    trace.append(Step("", True, f"fallback: {why}"))
    return Choice(None, Shown(), {}, tuple(trace))


def decide(
    block: Block,
    choice: Choice,
    moment: Moment,
    catalog: Mapping[str, Product],
    *,
    recipient: str,
    decision_id: str,
    allowed: Callable[[str], bool],
    arms: Mapping[str, str] | None = None,
    steps: tuple[Step, ...] = (),
) -> Decision:
    """Return the decision for a choice, with the catalog's newest data filled in.

    Only `allowed` URLs are used: a photo on another host is left out, and a product on another host links to the
    variant's link, else the fallback's. With one slot, a variant's link is the click target. `arms` are the person's
    arms by experiment, `steps` the trace of their choice.
    """
    variant = choice.variant
    otherwise = (variant.link if variant is not None else "") or block.fallback.link
    shown = [seen.product for seen in choice.shown.items]
    items = tuple([_permitted(refreshed(product, catalog.get(product.key)), allowed) for product in shown])
    own_way = read(choice.shown.link) if choice.shown.link else ""
    own_way = own_way if own_way and allowed(own_way) else ""
    if block.slots > 1:
        links = tuple((items[slot].url if slot < len(items) else "") or otherwise for slot in range(block.slots))
    else:
        links = (own_way or (items[0].url if items else "") or otherwise,)
    if variant is not None and variant.link and block.slots == 1:
        links = (variant.link,)
    if block.utm:
        name = variant.name if variant is not None else "fallback"
        known = {"campaign": moment.campaign, "block": block.name, "variant": name}
        links = tuple(tagged(link, _tags(block, {**known, "slot": str(slot)})) for slot, link in enumerate(links, 1))
    return Decision(
        id=decision_id,
        block=block.name,
        recipient=recipient,
        campaign=moment.campaign,
        at=moment.now,
        variant=variant.name if variant is not None else "",
        app=variant.app if variant is not None else "",
        template=variant.template if variant is not None else "",
        settings=choice.settings,
        items=items,
        facts=choice.shown.facts,
        links=links,
        trace=(*steps, *choice.trace),
        arms=dict(arms or {}),
    )


TRAITS = {
    "language": ("language", "locale", "lang"),
    "currency": ("currency",),
    "time_zone": (*zone.TRAITS, "address.timeZone"),
}
"""Field of a moment -> the traits that can set it, by the names that shops use."""
_NAMES = frozenset(name.partition(".")[0] for names in TRAITS.values() for name in names) | frozenset(
    name for names in TRAITS.values() for name in names
)
_LONGEST_TRAIT = 64
"""Characters of a language or a currency."""
_SHAPES = {  # a page's value must look like one
    "language": re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?"),
    "currency": re.compile(r"[A-Za-z]{3}"),
}


def with_locale(moment: Moment, person: Person) -> Moment:
    """Return the moment with language, currency and time zone from the person's traits where it has none.

    >>> with_locale(Moment(0), Person(traits={"timezone": "Europe/Paris", "locale": "fr-FR"})).time_zone
    'Europe/Paris'
    """
    if _NAMES.isdisjoint(person.traits) and not moment.local_zone and not person.zone:
        return moment
    values = {
        field: _from_traits(field, names, person) for field, names in TRAITS.items() if not getattr(moment, field)
    }
    found = {field: value for field, value in values.items() if value}
    if not moment.time_zone and (there := person.zone or moment.local_zone):
        found = {"time_zone": there, **found}
    return replace(moment, **found) if found else moment


def _from_traits(field: str, names: tuple[str, ...], person: Person) -> str:
    traits = person.traits
    for name in names:
        if name not in traits and "." not in name:
            continue
        value = look_up(traits, name)
        if field == "time_zone":
            if found := zone.named(value):
                return found
            continue
        if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST_TRAIT:
            continue
        value = value.strip()
        if name not in person.page_traits or _SHAPES[field].fullmatch(value) is not None:
            return value
    return ""


def subject_of(person: Person, moment: Moment, shop: Shop) -> Subject:
    """Return the subject of rules: the person, the moment, and the shop's data."""
    return Subject(person, moment, root=shop.root, products=shop.products, changes=shop.history, feeds=shop.feeds)


def _shown(asked: Ready, reasons: list[str], seen: Person, moment: Moment, shop: Shop) -> tuple[Shown | None, str]:
    """Return the content of a variant whose rules match for these reasons, None if its app has none; and the reason.

    Rules see the whole person. Apps see only the data of the person that pictures may show.
    """
    app = asked.app
    if app is None or asked.settings is None:
        return None, asked.wrong
    if app.package != OURS:  # apps of others may read any event
        seen = replace(seen, history=seen.history.without_pages())
    shown = app.show(seen, asked.settings, moment, shop)
    if shown is None:
        return None, "; ".join([*reasons, f"{app.title} has nothing to show"])
    if shop.taken and shown.items:
        left = tuple(seen for seen in shown.items if seen.product.key not in shop.taken)
        if not left:
            return None, "; ".join([*reasons, f"all that {app.title} shows is in this email already"])
        shown = replace(shown, items=left)
    if shop.curation.products and shown.items:
        shown, why = _curated(shown, shop)
        if why and not shown.items:
            return None, "; ".join([*reasons, why])
        reasons = [*reasons, why] if why else reasons
    names = ", ".join([seen.product.name or seen.product.key for seen in shown.items])
    said = f"{app.title} shows {names}" if names else f"{app.title} is shown"
    return shown, "; ".join([*reasons, f"{said} ({shown.why})" if shown.why else said])


def _curated(shown: Shown, shop: Shop) -> tuple[Shown, str]:
    """Return content with the operator's word on its products, and that word as a reason."""
    curation = shop.curation
    left = tuple(seen for seen in shown.items if not curation.why_hidden(seen.product.key))
    keys = dict.fromkeys([*shop.products, *(seen.product.key for seen in shown.items)])
    said = curation.hidden_among(keys)[:MOST_SAID]
    said += [f"{seen.product.key} is pinned" for seen in left if seen.product.key in curation.pinned]
    left = tuple(replace(seen, product=curation.corrected(seen.product)) for seen in left)
    return (shown if left == shown.items else replace(shown, items=left)), ", ".join(said)


_SHORT = frozenset(("source", "medium", "campaign", "term", "content", "id"))


def _tags(block: Block, known: Mapping[str, str]) -> dict[str, str]:
    """Return the block's tags, filled in. Empty ones are left out. `source` is short for `utm_source`."""
    filled = {tag: _HOLE.sub(lambda hole: known.get(hole[1], ""), text) for tag, text in block.utm.items()}
    return {f"utm_{tag}" if tag in _SHORT else tag: text for tag, text in filled.items() if text}


def _permitted(product: Product, allowed: Callable[[str], bool]) -> Product:
    url, image = product.url, product.image_url
    if (not url or allowed(url)) and (not image or allowed(image)):
        return product
    return replace(product, url=url if allowed(url) else "", image_url=image if allowed(image) else "")
