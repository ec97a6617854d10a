"""Block: a place in an email, with its variants in order. Decision: the content of one open, with the reasons.

Values that depend on a block alone are cached for each block (`memoize`) instead of computed for each open.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from hashlib import blake2b
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, TypeVarTuple

import msgspec
from msgspec import Meta

from wetink.core.blocks.experiment import Experiment
from wetink.core.blocks.schedule import Schedule, outside
from wetink.core.client_classification import MACHINES, Kind
from wetink.core.events.event import Product
from wetink.core.rules.tree import Rule
from wetink.core.text.characters import controls
from wetink.core.text.link import host_of
from wetink.core.text.titled import Titled
from wetink.core.text.url import read
from wetink.core.units.money import money

Ts = TypeVarTuple("Ts")
T = TypeVar("T")

REMEMBERED = 2_000
"""Calls whose results are cached. Beyond that, the cache is emptied."""


def memoize(work: Callable[[*Ts], T]) -> Callable[[*Ts], T]:
    """Cache the results of a pure function by the identity of its arguments, which must never change.

    Arguments that contain a dict have no hash, so their IDs are the key. The cache keeps the arguments alive, so that
    no other object gets their ID.

    >>> seen = []
    >>> length = memoize(lambda what: seen.append(what) or len(what))
    >>> word = ["a", "b"]
    >>> length(word), length(word), length(["a", "b"]), len(seen)
    (2, 2, 2, 2)
    """
    known: dict[tuple[int, ...], tuple[tuple[*Ts], T]] = {}

    @wraps(work)
    def worked(*given: *Ts) -> T:
        key = tuple(map(id, given))
        kept = known.get(key)
        if kept is not None:
            return kept[1]
        if len(known) >= REMEMBERED:
            known.clear()
        made = work(*given)
        known[key] = given, made
        return made

    return worked


class Treatment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The treatment of one class of fetch. A missing field keeps the default."""

    show: Literal["decide", "fallback"] = "decide"
    """`fallback`: the block's fallback, without personal data. A click leads to the fallback's link."""
    count: bool | None = None
    """Whether the fetch counts. None is the default: people, proxies and unknown clients count; prefetches and scanners
    do not."""


Fetches = Mapping[Kind, Treatment]

_USUAL = Treatment()


def decides(fetches: Fetches, kind: str) -> bool:
    """Return whether a fetch of this class gets the person's decision and not the fallback.

    >>> decides({"prefetch": Treatment("fallback")}, "prefetch"), decides({}, "prefetch")
    (False, True)
    """
    return fetches.get(kind, _USUAL).show == "decide"  # type: ignore[call-overload, no-any-return]


def counts(fetches: Fetches, kind: str) -> bool:
    """Return whether a fetch of this class counts as a person's open or click.

    >>> counts({}, "person"), counts({}, "scanner"), counts({"proxy": Treatment(count=False)}, "proxy")
    (True, False, False)
    """
    counted = fetches.get(kind, _USUAL).count  # type: ignore[call-overload]
    return kind not in MACHINES if counted is None else bool(counted)


def _read_links(thing: msgspec.Struct, *names: str) -> None:
    """Correct links that are invalid in an email as written, in the way of a browser."""
    for name in names:
        written = getattr(thing, name)
        if written and not host_of(written) and (link := read(written)):
            msgspec.structs.force_setattr(thing, name, link)


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One alternative of a block, shown if all its rules match and its app has something to show."""

    name: str
    app: str
    settings: dict[str, Any] = {}
    when: tuple[Rule, ...] = ()
    template: str = ""
    """A file in the content folder's `templates/`; empty: the app's own. A Custom App (`app: custom`) must name one."""
    link: str = ""
    """Target of a click instead of the product. With several slots, each links to its product's own URL, and this
    applies to products without one."""
    schedule: Schedule | None = None
    """The time in which it may be shown. None: always."""
    engine: Literal["", "takumi", "chromium"] = ""
    """The rendering engine. Empty: the one that the template requests in its first words, else the default. Without a
    browser on the server, the default replaces `chromium`."""

    def __post_init__(self) -> None:
        """Correct its link."""
        _read_links(self, "link")


class Fallback(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content if no variant matches, and the target of a click on it."""

    link: str
    title: str = ""
    text: str = ""
    button: str = ""
    image: str = ""
    """A picture file in the content folder's `images/`; empty: one is drawn from title, text and button."""

    def __post_init__(self) -> None:
        """Correct its link."""
        _read_links(self, "link")


class Block(Titled, msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A place in an email. Sizes are CSS pixels; pictures have twice as many device pixels."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}$")]
    fallback: Fallback
    variants: tuple[Variant, ...] = ()
    title: str = ""
    alt: str = ""
    width: Annotated[int, Meta(ge=40, le=1200)] = 600
    height: Annotated[int, Meta(ge=20, le=1600)] = 300
    slots: Annotated[int, Meta(ge=1, le=12)] = 1
    """With more than one, slot n is its own picture, of the n-th product."""
    email: Annotated[str, Meta(pattern="^[a-z0-9-]{0,64}$")] = ""
    """The email that contains this block. Blocks of one email never show the same product. Empty: it stands alone."""
    place: Annotated[int, Meta(ge=0, le=99)] = 0
    """The order in which blocks of an email choose products, then by name."""
    transparent: bool = False
    kilobytes: Annotated[int, Meta(ge=20, le=2000)] = 200
    """Size limit of a picture: quality and colors are reduced to meet it. An animation may have two and a half times
    that."""
    moving: bool = False
    """Whether the snippet requests GIFs, which are animated if the app supports it."""
    utm: dict[str, str] = {}
    """Tags for link targets, such as `utm_campaign: "{campaign}"`; also {block}, {variant} and {slot}.

    `source`, `medium`, `campaign`, `term`, `content` and `id` are short for the same with `utm_`. Nothing is added."""
    gone: Annotated[str, Meta(description="Link for clicks on a product that is not available.")] = ""
    """Empty: the product's own page."""
    recipients: tuple[Literal["user", "email"], ...] = ()
    """Plain identifiers that the URL may have instead of a sealed token; empty: none."""
    data: bool = True
    """Whether its decision may be read as JSON (with a token for that purpose)."""
    experiment: Experiment | None = None
    """An experiment that shows its variants to different people, to compare their results."""
    control: str = ""
    """The variant for people in an experiment's holdout; empty: the fallback."""
    fetches: dict[Kind, Treatment] = {}
    """Treatments by class of fetch, for classes without the default one."""
    schedule: Schedule | None = None
    """The time in which its variants are shown; outside of it, everyone gets the fallback. None: always."""
    paused: bool = False
    """Whether everyone gets the fallback for now."""
    archived: bool = False
    """Whether lists leave it out. Emails that contain it get its fallback for good."""
    aliases: tuple[Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}$")], ...] = ()
    """Earlier names, oldest first. Emails that contain them still get this block."""

    def __post_init__(self) -> None:
        """Correct its links."""
        _read_links(self, "gone")

    @property
    def first_name(self) -> str:
        """The name under which it was first shown, by which the store knows its promises and contacts."""
        return self.aliases[0] if self.aliases else self.name


@memoize
def bare(block: Block) -> Block:
    """Return a block without its variants, so that everyone gets its fallback."""
    return msgspec.structs.replace(block, variants=())


def closed(block: Block, now: int) -> str:
    """Return why everyone gets a block's fallback at a moment (Unix ms); empty if its variants may be shown.

    >>> closed(Block("hero", Fallback(""), paused=True), 0), closed(Block("hero", Fallback("")), 0)
    ('the block is paused', '')
    """
    if block.archived:
        return "the block is archived"
    if block.paused:
        return "the block is paused"
    why = outside(block.schedule, now) if block.schedule is not None else ""
    return f"the block has a schedule: {why}" if why else ""


def before(block: Block, others: Iterable[Block]) -> list[Block]:
    """Return the blocks of the same email that choose before this one, in order.

    >>> one, two = (Block(name, Fallback(""), email="weekly") for name in ("a", "b"))
    >>> [each.name for each in before(two, [two, one])], before(one, [two, one])
    (['a'], [])
    """
    mates = [
        each for each in others if each.email == block.email and (each.place, each.name) < (block.place, block.name)
    ]
    return sorted(mates, key=lambda each: (each.place, each.name))


TIME_DIGITS = 11
"""Leading hexadecimal digits of a decision's id: its time, so that ids sort by time."""


def decision_id(block: str, recipient: str, campaign: str, at: int) -> str:
    """Return the id of a decision at this time (Unix ms).

    >>> decision_id("hero", "user:42", "", 1_700_000_000_000)
    '18bcfe56800b949429b11ef68'
    """
    rest = blake2b(f"{block}\0{recipient}\0{campaign}".encode("utf-8", "surrogatepass"), digest_size=7).hexdigest()
    return f"{at:0{TIME_DIGITS}x}{rest}"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One line of a trace: a variant, whether it was chosen, and the reason."""

    variant: str
    taken: bool
    why: str


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The content of one open. It holds for 60 s per (block, recipient, campaign), so all slots of one email agree.

    `at` is Unix ms. `recipient` is `kind:value`, empty for an anonymous open. `items` are the products shown, with the
    catalog's data filled in. `links` has the click target of each slot, in order. `variant` is empty for the fallback.
    """

    id: str
    block: str
    recipient: str
    campaign: str
    at: int
    variant: str
    app: str
    template: str
    settings: dict[str, Any]
    items: tuple[Product, ...]
    links: tuple[str, ...]
    trace: tuple[Step, ...]
    facts: dict[str, Any] = {}
    """Other results of the app, for its template."""
    arms: dict[str, str] = {}
    """The person's arm by experiment."""

    def says(self, other: "Decision") -> bool:
        """Return whether both show the same content with the same links."""
        return (
            self.variant == other.variant
            and self.items == other.items
            and self.links == other.links
            and self.facts == other.facts
        )


def stands(current: Decision, served: int, fresh: Decision, slot: int, ttl_ms: int) -> bool:
    """Return whether a kept decision still answers an open of `slot`. `fresh` is the current decision.

    It does while both are less than `ttl_ms` apart, and either shows the same as the fresh one or has not been served
    in this slot: an email fetches each slot once, so a second fetch means that the email was opened again. The kept one
    may be the later of two that were decided at the same time. `served` has a bit for each served slot.
    """
    if abs(fresh.at - current.at) >= ttl_ms:
        return False
    return current.says(fresh) or not served >> slot & 1


DECISION_MS = 60_000
"""How long a decision holds, in milliseconds, so that all slots of one email and its click agree."""
Onlooker = Literal["person", "machine", "nobody"]
"""The kind of fetch, for counting. Nobody fetches when a decision is only looked up ahead."""
MARKS: Mapping[Onlooker, int] = {"person": 1 << 31, "machine": 1 << 30, "nobody": 0}
"""Beside the bits of the served slots: the kinds of fetch that have been counted."""
Settled: TypeAlias = tuple[Decision, int]
"""A decision with its served slots and counted kinds of fetch."""


def settled(kept: Settled | None, fresh: Decision, slot: int, ttl_ms: int, by: Onlooker) -> tuple[Settled, bool]:
    """Return the decision to serve in `slot`, and True if this fetch is the first of its kind and must be counted."""
    if kept is None or not stands(*kept, fresh, slot, ttl_ms):
        kept = fresh, 0
    decision, served = kept
    return (decision, served | 1 << slot | MARKS[by]), by != "nobody" and not served & MARKS[by]


LONGEST = 300
"""Longest alternative text, in characters."""


def alt_of(block: Block, decision: Decision | None, slot: int, language: str = "") -> str:
    """Return the alternative text of a slot's picture, from the decision, else from the block.

    Prices are formatted for `language`, such as `de` or `pt-BR`. Control characters that pictures do not show are left
    out.

    >>> from wetink.core.blocks.block import Fallback
    >>> alt_of(Block("hero", Fallback("https://shop.example/", title="New every week")), None, 1)
    'New every week'
    """
    return controls(_alt_text(block, decision, slot, language))[:LONGEST]


def _alt_text(block: Block, decision: Decision | None, slot: int, language: str) -> str:
    said = block.alt or block.title
    if decision is None or not decision.variant:
        return block.fallback.title or said
    items = decision.items[slot - 1 : slot] if block.slots > 1 else decision.items
    shown = ", ".join(_named(item, language) for item in items)
    if not shown:
        words = (decision.facts.get(name) for name in ("title", "heading", "head"))
        shown = next((word for word in words if isinstance(word, str) and word), "")
    return ": ".join(part for part in (said, shown) if part)


def _named(item: Product, language: str) -> str:
    price = money(item.price, item.currency, language)
    return f"{item.name or item.key} ({price})" if price else item.name or item.key
