"""Scenario: events, a time, and the expected result of a block. A content folder has its tests in `scenarios/*.yaml`.

    name: A cart is shown until it is ordered
    events:
      - {event: Product Added, ago: 2h, properties: {sku: "7", name: Mug, url: "https://shop.example/7"}}
    expect:
      hero: {variant: cart left behind, items: ["7"]}

A scenario needs no server and no store: it runs the code of an open on made-up events.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from wetink.content.content import YAML, Content, files_in, load, shortened
from wetink.content.strict_yaml import parse_all
from wetink.content.tree import Tree
from wetink.core.app.app import App, Shop
from wetink.core.blocks.block import Decision
from wetink.core.blocks.decide import choose, decide, prepared
from wetink.core.catalog.catalog import Facts, learn, product
from wetink.core.catalog.trends import Trends
from wetink.core.errors import BadContent
from wetink.core.events.clock import parse as time_of
from wetink.core.events.event import Event, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.mapping import Mappings
from wetink.core.messages.simulation import SOMEBODY, event_of
from wetink.core.profile.fold import fold
from wetink.core.profile.person import moment_of

NOON = "2026-06-17T12:00:00Z"
"""The time of the open unless a scenario states another: a Wednesday."""

PERSON = Identifier("user", SOMEBODY)
"""The person of a scenario."""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The expected result of a block. A field that is left out may have any value; `why` is part of the trace."""

    variant: str | None = None
    app: str | None = None
    items: tuple[str, ...] | None = None
    link: str | None = None
    fallback: bool = False
    why: str = ""


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events of the person, events of others (which name their own user), the moment, and the expected results."""

    expect: Annotated[dict[str, Expected], Meta(min_length=1)]
    name: str = ""
    events: tuple[dict[str, Any], ...] = ()
    at: str = NOON
    moment: dict[str, Any] = {}


LARGEST = 1024 * 1024
"""Bytes of the largest scenario file."""


class Outcome(msgspec.Struct, frozen=True):
    """The result of a scenario for one block. `wrong` lists expected and actual values; it is empty if they agree."""

    file: str
    scenario: str
    block: str
    wrong: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()


Rehearse = Callable[[Content, Mapping[str, App]], list[str]]
"""Renders the blocks of a folder and returns the problems that this shows."""


def wrong_with(tree: Tree, apps: Mapping[str, App], rehearse: Rehearse = lambda content, apps: []) -> list[str]:
    """Return all problems of the content and its scenarios; if there are none, those that rendering shows."""
    content = load(tree, apps)
    apps = {**apps, **content.apps}
    failed = [
        f"{outcome.file}: {outcome.scenario} [{outcome.block}]: {line}"
        for outcome in outcomes(tree, content, apps)
        for line in outcome.wrong
    ]
    found = [*content.problems, *failed]
    return [shortened(each) for each in found or rehearse(content, apps)]


def outcomes(tree: Tree, content: Content, apps: Mapping[str, App]) -> Iterator[Outcome]:
    """Yield the outcome of each scenario, block by block."""
    for path, body in files_in(tree, "scenarios", *YAML):
        file = str(path)
        try:
            if len(body) > LARGEST:
                raise BadContent(f"larger than {LARGEST // 1024} KB")
            documents = list(parse_all(body.decode()))
            for document in documents:
                scenario = msgspec.convert(document, Scenario)
                for name, expected in scenario.expect.items():
                    yield _outcome(file, scenario, name, expected, content, apps)
        except (msgspec.ValidationError, UnicodeDecodeError, BadContent) as error:
            yield Outcome(file, "", "", (" ".join(str(error).split()),))


def _outcome(
    file: str, scenario: Scenario, name: str, expected: Expected, content: Content, apps: Mapping[str, App]
) -> Outcome:
    if content.answering(name) is None:
        return Outcome(file, scenario.name, name, (f"there is no block called {name}",))
    decision = decided(scenario, name, content, apps)
    trace = tuple(f"{step.variant or 'fallback'}: {step.why}" for step in decision.trace)
    return Outcome(file, scenario.name, name, tuple(_wrong(expected, decision, trace)), trace)


def decided(scenario: Scenario, block: str, content: Content, apps: Mapping[str, App]) -> Decision:
    """Return a block's decision in a scenario. Raises BadContent for an invalid time or event."""
    now = time_of(scenario.at)
    if now is None:
        raise BadContent(f"at: {scenario.at!r} is not a time", hint="write 2026-11-20T09:00:00Z")
    mappings = Mappings(content.mappings)
    events = [_event(given, number, now, mappings) for number, given in enumerate(scenario.events)]
    person = fold([event for event, own in events if own], now)
    catalog = _catalog(event for event, _ in events)
    moment = moment_of(scenario.moment, now)
    trends = Trends(event for event, _ in events if event.at <= now)
    found = {each.query: tuple(_answers(each.query, catalog)) for each in person.searches}
    shop = Shop(trends, catalog, found, rules=content.rules, root=PERSON)
    asked = content.block(block)
    choice = choose(prepared(asked, apps, shop.rules), person, moment, shop)
    return decide(asked, choice, moment, catalog, recipient="", decision_id="scenario", allowed=lambda url: True)


def _event(given: dict[str, Any], number: int, now: int, mappings: Mappings) -> tuple[Event, bool]:
    """Return an event, and whether it belongs to the scenario's person."""
    event = event_of(given, number, now, ago="1h", mappings=mappings)
    return event, not {"userId", "anonymousId"} & given.keys()


def _catalog(events: Iterator[Event]) -> dict[str, Product]:
    facts: dict[str, Facts] = {}
    for event in sorted(events, key=lambda event: event.at):
        for each in event.products:
            if each.key:
                learn(facts.setdefault(each.key, {}), each, event.at)
    return {key: product(known) for key, known in facts.items()}


def _answers(query: str, catalog: Mapping[str, Product]) -> Iterator[Product]:
    words = query.casefold().split()
    for each in catalog.values():
        if words and all(word in f"{each.name} {each.brand} {each.category}".casefold() for word in words):
            yield each


def _wrong(expected: Expected, decision: Decision, trace: tuple[str, ...]) -> Iterator[str]:
    items = tuple(item.key for item in decision.items)
    if expected.fallback and decision.variant:
        yield f"expected the fallback, got {decision.variant}"
    if expected.variant is not None and decision.variant != expected.variant:
        yield f"expected variant {expected.variant}, got {decision.variant or 'the fallback'}"
    if expected.app is not None and decision.app != expected.app:
        yield f"expected app {expected.app}, got {decision.app or 'none'}"
    if expected.items is not None and items != expected.items:
        yield f"expected items {', '.join(expected.items) or 'none'}, got {', '.join(items) or 'none'}"
    if expected.link is not None and expected.link not in decision.links:
        yield f"expected link {expected.link}, got {', '.join(decision.links)}"
    if expected.why and not any(expected.why in line for line in trace):
        yield f"expected the trace to say {expected.why!r}"
