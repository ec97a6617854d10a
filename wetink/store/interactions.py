"""Interactions: opens and clicks as rows, the opens that clicks prove, and their classes by the current rules."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from wetink.core.blocks.block import Decision
from wetink.core.client_classification import Facts, Kind, classify, in_hindsight
from wetink.core.signals.attribution import PROVED_MS, Touch
from wetink.core.signals.device_class import parts
from wetink.core.signals.report import DAY_MS, QUARTER_MS
from wetink.ports.ledger import Group, TouchPlace, TouchQuery

KINDS = ("open", "click")
"""An open is stored as 0, a click as 1."""
EARLIEST = -(1 << 61)
"""Before any open or click."""
NO_ARMS = ""


encode_json = msgspec.json.Encoder().encode
_facts = msgspec.json.Decoder(Facts).decode
_arms = msgspec.json.Decoder(dict[str, str]).decode
_names = msgspec.json.Decoder(tuple[str, ...]).decode
_NO_FACTS = Facts()


def row_of(touch: Touch) -> tuple[Any, ...]:
    """Return the values of an open or click in the order of columns. Facts and arms are JSON."""
    return (
        *(touch.recipient, touch.at, KINDS.index(touch.kind), touch.block, touch.campaign, touch.variant),
        *(touch.fetch_class, encode_json(touch.facts).decode(), touch.version, touch.human),
        encode_json(touch.arms).decode() if touch.arms else NO_ARMS,
        touch.implied,
        encode_json(touch.audiences).decode() if touch.audiences else "",
    )


def touch_of(row: Sequence[Any]) -> Touch:
    """Return the open or click of a row."""
    who, at, kind, block, campaign, variant, fetch_class, facts, version, human, arms, implied, audiences = row
    return Touch(
        *(KINDS[kind], block, who, campaign, at, variant, fetch_class),
        _NO_FACTS if facts == "{}" else _facts(facts),
        version,
        bool(human),
        _arms(arms) if arms else {},
        bool(implied),
        audiences=_names(audiences) if audiences else (),
    )


def asked_of(wanted: TouchQuery, limit: int, before: TouchPlace | None) -> dict[str, Any]:
    """Return the values of a query for a list of opens or clicks, by name."""
    at, row = min(before, (wanted.until, EARLIEST)) if before is not None else (wanted.until, EARLIEST)
    return {
        "since": wanted.since,
        "at": at,
        "row": row,
        "kind": KINDS.index(wanted.kind),
        "human": wanted.human,
        "blocks": wanted.blocks,
        "variant": wanted.variant,
        "campaign": wanted.campaign,
        "fetch_class": wanted.fetch_class or None,
        "part": wanted.part or None,
        "limit": limit,
        "recipients": wanted.recipients,
    }


def join(groups: Sequence[Group]) -> Group:
    """Return all that is in groups. Of the decisions of an email's block, the newest with all marks of it is left."""
    newest: dict[tuple[str, str, str], tuple[Decision, int]] = {}
    for decision, served in (each for group in groups for each in group.decisions):
        key = decision.recipient, decision.block, decision.campaign
        kept = newest.get(key)
        if kept is None or kept[0].at < decision.at:
            newest[key] = decision, served
        elif kept[0].at == decision.at and kept[0].says(decision):
            newest[key] = kept[0], kept[1] | served
    return Group(
        *("", 0),
        touches=[touch for group in groups for touch in group.touches],
        served=[each for group in groups for each in group.served],
        decisions=list(newest.values()),
    )


def added(old: tuple[Any, int], new: tuple[Any, int]) -> tuple[Any, int]:
    """Return the sum of two counts of the same picture and time."""
    return old[0], old[1] + new[1]


def quarter_of(at: int) -> int:
    """Return the first millisecond of the quarter of an hour of a moment. No zone's midnight is within one."""
    return at - at % QUARTER_MS


def parts_of(
    periods: Sequence[tuple[int, int]],
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int, int]]]:
    """Return the whole days (UTC) of periods, and the spans to add (1) or to take away (-1) at their ends.

    Each part begins with the start of its period. A day of Berlin is a day of UTC with an hour more and one less.

    >>> hour, day = 3_600_000, 86_400_000
    >>> days, edges = parts_of([(day - hour, 2 * day - hour)])
    >>> days == [(day - hour, day, 2 * day)]
    True
    >>> edges == [(day - hour, day - hour, day, 1), (day - hour, 2 * day - hour, 2 * day, -1)]
    True
    """
    days, edges = [], []
    for since, until in periods:
        first, last = ((each + DAY_MS // 2) // DAY_MS * DAY_MS for each in (since, until))
        days.append((since, first, last))
        for at, near, sign in ((since, first, 1), (until, last, -1)):
            if at < near:
                edges.append((since, at, near, sign))
            elif at > near:
                edges.append((since, near, at, -sign))
    return days, edges


COLUMNS = "block", "variant", "campaign", "part"
"""The columns that sums are apart by."""


class Source(NamedTuple):
    """The kinds of sums that a question is answered from: of whole days, and of quarters of an hour.

    A kind is that of rows in `rollup`, or the name of the table with all columns.
    """

    days: int
    quarters: int | str


ROLLUPS: tuple[tuple[frozenset[str], Source], ...] = (
    (frozenset(), Source(1, 0)),
    (frozenset(("campaign",)), Source(3, 2)),
    (frozenset(("block", "variant")), Source(4, "daily")),
    (frozenset(("block", "variant", "campaign")), Source(5, "daily")),
    (frozenset(("part",)), Source(7, 6)),
    (frozenset(("campaign", "part")), Source(8, "part_daily")),
    (frozenset(("block", "variant", "part")), Source(9, "part_daily")),
    (frozenset(COLUMNS), Source(10, "part_daily")),
)
"""The columns that sums are apart by, and their kinds: those with the fewest rows come first. `part_daily` has no
pictures, so only a question about parts reads it."""


def source_of(by: Collection[str], *, blocks: bool = False, campaign: bool = False) -> Source:
    """Return the smallest source for sums apart by some columns, of some `blocks` or of a `campaign`.

    >>> source_of(["block"]), source_of([], campaign=True), source_of(["part"], blocks=True)
    (Source(days=4, quarters='daily'), Source(days=3, quarters=2), Source(days=9, quarters='part_daily'))
    """
    needed = {*by, *(["block"] if blocks else []), *(["campaign"] if campaign else [])}
    apart = "part" in needed
    return next(source for there, source in ROLLUPS if needed <= there and apart == ("part" in there))


@lru_cache(maxsize=10_000)
def parts_in(fetch_class: Kind, facts: str, audiences: str) -> tuple[str, ...]:
    """Return the parts of the crowd that an open or click counts for: its device class, and `@` and each audience.

    >>> parts_in("person", '{"device":"mobile"}', '["vip"]'), parts_in("scanner", "{}", "")
    (('phone', '@vip'), ('machine',))
    """
    return parts(fetch_class, _facts(facts), _names(audiences) if audiences else ())


def counted(touch: Touch, recipient: str, block: str) -> bool:
    """Return whether this is a counted open or click of a block by a recipient."""
    return touch.recipient == recipient and touch.block == block and touch.human


def unproved(touches: Sequence[Touch]) -> list[Touch]:
    """Return each person's first click on each block without an open near it among these."""
    clicks = [touch for touch in touches if touch.kind == "click" and touch.human]
    if not clicks:
        return []
    seen: dict[tuple[str, str, str], list[int]] = {}
    for touch in touches:
        if touch.kind == "open" and touch.human:
            seen.setdefault((touch.recipient, touch.block, touch.campaign), []).append(touch.at)
    first: dict[tuple[str, str, str], Touch] = {}
    for touch in sorted(clicks, key=lambda each: each.at):
        key = touch.recipient, touch.block, touch.campaign
        if not any(abs(touch.at - at) < PROVED_MS for at in seen.get(key, ())):
            first.setdefault(key, touch)
    return list(first.values())


def families(heirs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return groups of recipients from pairs of an heir and the recipient it follows.

    >>> [sorted(each) for each in families([("b", "a"), ("d", "c"), ("c", "b"), ("y", "x")])]
    [['a', 'b', 'c', 'd'], ['x', 'y']]
    """
    family: dict[str, list[str]] = {}
    for heir, origin in heirs:
        one, other = family.setdefault(heir, [heir]), family.setdefault(origin, [origin])
        if one is not other:
            one += other
            family.update(dict.fromkeys(other, one))
    return list({id(each): each for each in family.values()}.values())


class Reclassified(msgspec.Struct):
    """Opens and clicks with their classes by the current rules, and the opens that people's clicks prove."""

    rows: list[tuple[str, str, bool, Any]]
    """The class, the facts as JSON, whether it counts as a person's, and the key of the row."""
    changed: int
    proved: dict[tuple[str, str, str, int], Any]
    """The key of the click that proves an open, by recipient, campaign, block and time (Unix ms)."""


def reclassified(rows: Sequence[Sequence[Any]], counts: Callable[[str, Kind], bool]) -> Reclassified:
    """Classify opens and clicks, given as key, recipient, time, kind, block, campaign, class and facts.

    They are in the order of recipient, campaign and time. `counts` returns whether a block counts a class of fetch.
    """
    found = Reclassified([], 0, {})
    for (recipient, campaign), group in groupby(rows, key=lambda row: (row[1], row[5])):
        email, counting = list(group), list[tuple[str, int, bool, Any]]()
        fetches = [(at, kind == 1, block, _facts(facts)) for _, _, at, kind, block, _, _, facts in email]
        for row, facts in zip(email, in_hindsight(fetches), strict=True):
            fetch_class = classify(facts).kind
            found.changed += fetch_class != row[6]
            human = counts(row[4], fetch_class)
            found.rows.append((fetch_class, encode_json(facts).decode(), human, row[0]))
            if human:
                counting.append((row[4], row[2], row[3] == 1, row[0]))
        found.proved |= {(recipient, campaign, block, at): click for block, at, click in _proved(counting)}
    return found


def _proved(email: Sequence[tuple[str, int, bool, Any]]) -> Iterator[tuple[str, int, Any]]:
    """Yield the opens that clicks of one email prove: block, time (Unix ms) and the click.

    `email` has people's actions, the oldest first: block, time, whether it is a click, and its key.

    >>> list(_proved([("a", 5, False, 1), ("a", 9, True, 2), ("b", 9, True, 3), ("b", 10, True, 4)]))
    [('b', 9, 3)]
    """
    seen: dict[str, list[int]] = {}
    for block, at, click, _ in email:
        if not click:
            seen.setdefault(block, []).append(at)
    for block, at, click, row in email:
        known = seen.setdefault(block, [])
        if click and not any(abs(at - each) < PROVED_MS for each in known):
            known.append(at)
            yield block, at, row
