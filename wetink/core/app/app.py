"""App: a pure declaration of content that a block can show, and the data of the shop that it may read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from wetink.core.catalog.catalog import Change, FeedData
from wetink.core.catalog.curation import Curation
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
    """Return whole percentages that add up to 100, or all 0 without a vote: the largest remainders are rounded up.

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
    """The shop's data at the moment of an open.

    `products` are the newest data of the products that the app requested, and `history` their earlier prices and stock,
    oldest first. `found` has the catalog's results by query. `polls` has the votes of the block's polls, by name.
    `taken` are keys of products in other blocks of the same email. `promised` has the promises that the block made when
    it was first shown to this person. `opened` and `clicked` count the person's earlier opens and clicks of the block,
    without machines.
    `curation` is the operator's word on products.
    """

    trends: Trends = msgspec.field(default_factory=Trends)
    products: Mapping[str, Product] = {}
    found: Mapping[str, Sequence[Product]] = {}
    history: Mapping[str, Sequence[Change]] = {}
    feeds: Mapping[str, FeedData] = {}
    polls: Mapping[str, Tally] = {}
    taken: frozenset[str] = frozenset()
    curation: Curation = Curation()
    promised: Mapping[str, Any] = {}
    opened: int = 0
    clicked: int = 0
    rules: Rulebook = msgspec.field(default_factory=Rulebook)
    """Evaluates the rules of blocks, with the audiences that they name."""
    root: Identifier | None = None
    """The profile of the person, if a rule needs it."""

    def newest(self, product: Product) -> Product:
        """Return the catalog's current data of a product, or the product itself if it is unknown."""
        return self.products.get(product.key, product)

    def feed(self, name: str) -> FeedData:
        """Return the data of a feed, empty if there is no feed of this name."""
        return self.feeds.get(name, FeedData())


class Shown(msgspec.Struct, frozen=True, gc=False):
    """An app's content: products, most important first, and other data for its template.

    `facts` are stored in the decision and compared between opens, so they must not change with time alone ("ends at",
    not "seconds left"). `why` is shown in the trace. `link` is the click target instead of the product. `promise` is
    stored for the person and block when it is first shown, never changes, and comes back as `shop.promised`.
    """

    items: tuple[Seen, ...] = ()
    facts: dict[str, Any] = {}
    why: str = ""
    link: str = ""
    promise: Mapping[str, Any] = {}


class Sample(msgspec.Struct, frozen=True):
    """The settings and outside data with which an app has something to show to the sample shopper.

    `feeds` are items by the name of a feed. `polls` and `promised` are as in `Shop`.
    """

    settings: dict[str, Any] = {}
    feeds: Mapping[str, tuple[dict[str, Any], ...]] = {}
    polls: Mapping[str, Tally] = {}
    promised: Mapping[str, Any] = {}


OURS = "wetink.apps"
"""The package of the apps that come with wetink."""


class App(msgspec.Struct, frozen=True):
    """A Behavioral App: data and a template.

    `show(person, settings, moment, shop)` must be pure. None means that there is nothing to show, and the next variant
    is tried. `wants`, with the same arguments, returns the keys of products whose newest data `shop.products` must
    have. `template` is a Liquid file beside the app; empty: the variant names its own. `about` describes the app in one
    sentence for the gallery.
    """

    name: str
    title: str
    settings: type[msgspec.Struct]
    show: Callable[[Person, Any, Moment, Shop], Shown | None]
    wants: Callable[[Person, Any, Moment, Shop], Iterable[str]] | None = None
    template: str = ""
    about: str = ""
    package: str = OURS
    """The Python package that has the template, for an app from another package."""
    feeds: Callable[[Any], Iterable[str]] | None = None
    """Returns the names of the feeds that these settings use."""
    queries: Callable[[Person, Any, Moment], Iterable[str]] | None = None
    """Returns the catalog searches to run. `shop.found` has the results."""
    history: bool = False
    """Whether it reads `shop.history` of the products in `wants`."""
    moves: Literal["", "countdown", "film"] = ""
    """The animation of its picture if a GIF is requested. `countdown` ticks to `facts["ends_at"]` (Unix ms). `film`
    draws the template `facts["frames"]` times, for `facts["frame_ms"]` each, and repeats unless `facts["loop"]` is
    false."""
    promises: bool = False
    """Whether it reads its earlier promises in `shop.promised`."""
    contacts: bool = False
    """Whether it reads this block's earlier opens and clicks in `shop.opened` and `shop.clicked`."""
    poll: Callable[[Any], str] | None = None
    """Returns the name of the poll in these settings. `shop.polls` has its votes."""
    sample: Sample = Sample()
    face: Callable[[Any], Mapping[str, Any]] | None = None
    """Returns a countdown's facts `title`, `labels` and `accent` from settings alone, so that the animation can be
    prepared before an open."""
    check: Callable[[Any], Iterable[tuple[str, str]]] | None = None
    """Returns the problems of valid settings that can never work: path and reason. Called when they are saved."""

    @property
    def looks_up(self) -> bool:
        """Whether it needs a lookup for any person."""
        asks = (self.wants, self.queries, self.feeds, self.poll)
        return self.promises or self.contacts or any(each is not None for each in asks)
