"""App: what a block can show, as a pure declaration."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from wetink.core.app.app_inputs import Shop
from wetink.core.app.poll import Tally
from wetink.core.profile.person import Moment, Person, Seen


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
