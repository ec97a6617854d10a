"""App: a pure declaration of content that a block can show, and the data of the shop that it may read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from wetink.core.catalog.catalog import Change, FeedData
from wetink.core.catalog.trends import Trends
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person, Seen
from wetink.core.rules.evaluate import Rulebook


class Tally(msgspec.Struct, frozen=True):
    """The votes of a poll by option, from 1, and this person's own option, 0 for none."""

    votes: Mapping[int, int] = {}
    own: int = 0


def shares(votes: Sequence[int]) -> list[int]:
    """Return whole per cents that add up to 100, or all 0 without a vote: the largest rests are rounded up.

    >>> shares([1, 1, 1]), shares([0, 0]), shares([2, 1, 5])
    ([34, 33, 33], [0, 0], [25, 13, 62])
    """
    total = sum(votes)
    if not total:
        return [0 for _ in votes]
    found = [100 * each // total for each in votes]
    rests = sorted(range(len(votes)), key=lambda index: (-(100 * votes[index] % total), index))
    for index in rests[: 100 - sum(found)]:
        found[index] += 1
    return found


class Shop(msgspec.Struct, frozen=True, gc=False):
    """The shop at the moment of an open.

    `products` are the newest facts of those products that the app asked for, and of no others; `history` is what was
    said of their price and stock before, oldest first. `found` has what the catalog answers to each query. `polls`
    says how each poll of the block stands, by name. `taken` are keys of products that other blocks of the same email
    show. `promised` is what this block promised this person when it was first shown to them; `opened` and `clicked`
    say how often they did that with this block before, machines left out.
    """

    trends: Trends = msgspec.field(default_factory=Trends)
    products: Mapping[str, Product] = {}
    found: Mapping[str, Sequence[Product]] = {}
    history: Mapping[str, Sequence[Change]] = {}
    feeds: Mapping[str, FeedData] = {}
    polls: Mapping[str, Tally] = {}
    taken: frozenset[str] = frozenset()
    promised: Mapping[str, Any] = {}
    opened: int = 0
    clicked: int = 0
    rules: Rulebook = msgspec.field(default_factory=Rulebook)
    """How the rules of blocks are looked at, and the audiences they name."""
    root: Identifier | None = None
    """The profile of whom it is about, when a rule asks for it."""

    def newest(self, product: Product) -> Product:
        """Return a product as the catalog knows it now, or as it is when it does not."""
        return self.products.get(product.key, product)

    def feed(self, name: str) -> FeedData:
        """Return the data of a feed, empty if there is no feed of this name."""
        return self.feeds.get(name, FeedData())


class Shown(msgspec.Struct, frozen=True, gc=False):
    """What an app shows: products, most important first, and whatever else its template draws.

    `facts` stand in the decision and are compared from open to open, so they say what does not change by itself ("ends
    at", not "seconds left"). `why` is told in the trace; `link` is where a click goes instead of to the product.
    `promise` is kept for this person and block when it is first shown, and never changes: it comes back as
    `shop.promised`.
    """

    items: tuple[Seen, ...] = ()
    facts: dict[str, Any] = {}
    why: str = ""
    link: str = ""
    promise: Mapping[str, Any] = {}


class Sample(msgspec.Struct, frozen=True):
    """With what an app shows the sample shopper of `core.sample` something: its settings, and data from outside.

    `feeds` are items by the name of a feed, `polls` and `promised` as a `Shop` has them.
    """

    settings: dict[str, Any] = {}
    feeds: Mapping[str, tuple[dict[str, Any], ...]] = {}
    polls: Mapping[str, Tally] = {}
    promised: Mapping[str, Any] = {}


OURS = "wetink.apps"
"""The package of the apps that come with wetink."""


class App(msgspec.Struct, frozen=True):
    """A Behavioral App: data and a template.

    `show(person, settings, moment, shop)` must be pure; None means "nothing to show: the next variant's turn". With
    `wants` it names, from the same, the keys of products whose newest facts it is to find in `shop.products`.
    `template` is a Liquid file beside the app; empty: the variant names its own. `about` is one sentence for those
    who choose among apps.
    """

    name: str
    title: str
    settings: type[msgspec.Struct]
    show: Callable[[Person, Any, Moment, Shop], Shown | None]
    wants: Callable[[Person, Any, Moment, Shop], Iterable[str]] | None = None
    template: str = ""
    about: str = ""
    package: str = OURS
    """The Python package that has the template, of an app that comes with a package of its own."""
    feeds: Callable[[Any], Iterable[str]] | None = None
    """The names of the feeds that these settings draw on."""
    queries: Callable[[Person, Any, Moment], Iterable[str]] | None = None
    """What the catalog is to be searched for; the answers come as `shop.found`."""
    history: bool = False
    """Whether it looks at `shop.history` of what it wants."""
    moves: Literal["", "countdown", "film"] = ""
    """How its picture moves where a GIF is asked for: `countdown` ticks to `facts["ends_at"]` (Unix ms); of a `film`
    the template is drawn `facts["frames"]` times, each picture stands for `facts["frame_ms"]`, and it goes on for ever
    unless `facts["loop"]` is false."""
    promises: bool = False
    """Whether it wants to know what it promised before, as `shop.promised`."""
    contacts: bool = False
    """Whether it wants to know how often this block was opened and clicked before, as `shop.opened` and `.clicked`."""
    poll: Callable[[Any], str] | None = None
    """The name of the poll that these settings hold; how it stands comes as `shop.polls`."""
    sample: Sample = Sample()
    face: Callable[[Any], Mapping[str, Any]] | None = None
    """Of a countdown the facts `title`, `labels` and `accent`, where settings alone say them: so that it can be made
    ready to tick before anybody opens it."""
    check: Callable[[Any], Iterable[tuple[str, str]]] | None = None
    """What could never work in settings that fit: the path of each such setting, and why. Asked when they are saved."""

    @property
    def looks_up(self) -> bool:
        """Whether it needs anything looked up for any person."""
        asks = (self.wants, self.queries, self.feeds, self.poll)
        return self.promises or self.contacts or any(each is not None for each in asks)
