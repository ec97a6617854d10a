"""The plan: which rows of claims and holdings an engine changes when claims are made or taken back.

Theory of operation. An engine keeps *runs*: where one claimer claims an identifier over and over, the first claim of
each level stands for all of them, as the events that made the others tell of them. While an identifier has one claimer
alone, any of the claims may stand for all. When somebody else's claim falls into a run, those of the others are looked
up in the log that matter now: `claims_to_read` says whose and when. More true claims than needed never do harm.

The claims of those alone are kept who are among the first 25 of a level; of everybody else it is noted that they claim.
So a change reads and writes as much whatever the number of claims there have been.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Container, Iterable, Iterator, Sequence

import msgspec

from wetink.core.events.event import Level
from wetink.core.identity import holding
from wetink.core.identity.holding import FOREVER, MOST_A_DAY, Carrier, Claim, Contested, Holding, contested, holdings
from wetink.core.identity.identifier import Identifier

Span = tuple[int, int]
"""From when to when, both included (Unix ms)."""

ALWAYS: Span = (-FOREVER, FOREVER)


class Held(msgspec.Struct, frozen=True):
    """What an engine has of one identifier: the claims that are rows, and the holdings."""

    claims: tuple[Claim, ...] = ()
    holdings: tuple[Holding, ...] = ()


class Changes(msgspec.Struct, frozen=True):
    """What an engine writes about one identifier."""

    holdings: tuple[Holding, ...]
    """All of them, as they are then."""
    claims_added: Collection[Claim] = ()
    claims_removed: Collection[Claim] = ()
    uncounted: Collection[Claim] = ()
    """Claims of those who come too late to count. One for each of them is noted, and all of aliases."""
    counted: Collection[Identifier] = ()
    """Who counts now and did not before."""
    holdings_added: Sequence[Holding] = ()
    holdings_removed: Sequence[Holding] = ()
    contested: Contested | None = None


def claims_to_read(held: Held, made: Iterable[Claim]) -> dict[Identifier, Span]:
    """Return whose claims, and of when, have to be looked up in the log before these claims are planned."""
    rows, made = sorted(held.claims), list(made)
    claimers = {row.stronger for row in rows}
    if len(claimers) == 1 and any(each.stronger not in claimers for each in made):
        return dict.fromkeys(claimers, ALWAYS)
    found: dict[Identifier, Span] = {}
    for each in made if len(claimers) > 1 else ():
        place = bisect_right(rows, each)
        if place and (before := rows[place - 1].stronger) != each.stronger:
            since, until = found.get(before, ALWAYS[::-1])
            found[before] = min(since, each.at), max(until, _end(rows, place, before))
    if len(claimers) >= holding.MAX_CLAIMERS:
        found |= dict.fromkeys(_counted([*rows, *made]) - claimers, ALWAYS)
    return found


def claims_to_read_without(held: Held, gone: Claim) -> dict[Identifier, Span]:
    """Return whose claims have to be looked up before a claim is taken back that is a row."""
    rows = sorted(held.claims)
    if all(row.stronger == gone.stronger for row in rows):
        return {gone.stronger: ALWAYS}
    return {gone.stronger: (gone.at, _end(rows, bisect_right(rows, gone), gone.stronger))}


def crowded(held: Held) -> bool:
    """Whether as many claim an identifier as count: of somebody new all claims matter."""
    return len({row.stronger for row in held.claims}) >= holding.MAX_CLAIMERS


def firsts(carriers: Iterable[Carrier], cuts: Sequence[int]) -> Iterator[Carrier]:
    """Yield the first events of each level in each time between these, and all that happened right at one of them.

    No other event of somebody begins a run, when `cuts` (Unix ms, in order) has the times of all others' claims.
    """
    earliest: dict[tuple[int, Level], list[Carrier]] = {}
    for each in carriers:
        place = bisect_left(cuts, each.at)
        if place < len(cuts) and cuts[place] == each.at:
            yield each
            continue
        found = earliest.setdefault((place, each.level), [each])
        if each.at < found[0].at:
            found[:] = [each]
        elif each.at == found[0].at and each is not found[0]:
            found.append(each)
    for found in earliest.values():
        yield from found


def _end(rows: Sequence[Claim], place: int, claimer: Identifier) -> int:
    """Return when the run ends of a claimer that goes on at this place."""
    return next((row.at for row in rows[place:] if row.stronger != claimer), FOREVER)


def plan(
    of: Identifier,
    held: Held,
    made: Iterable[Claim] = (),
    gone: Container[Claim] = (),
    server_known: Container[Identifier] = frozenset(),
) -> Changes:
    """Return what changes when claims on `of` are made, with those of `claims_to_read`, and others are taken back.

    `server_known` has those identifiers that a server has told of.
    """
    made = tuple(made)
    if len(made) == 1 and not held.claims:  # most of them
        now = holdings(of, made, server_known)
        return Changes(now, made, holdings_added=now)
    known = {*(row for row in held.claims if row not in gone), *made}
    counted = _counted(known)
    rows = runs(each for each in known if each.stronger in counted)
    now = holdings(of, rows, server_known)
    before = {row.stronger for row in held.claims}
    uncounted = [each for each in known if each.stronger not in counted]
    odd = contested(of, rows) if len(rows) > MOST_A_DAY else None
    if uncounted:
        odd = Contested(of, holding.MAX_CLAIMERS + 1, max(each.at for each in known))
    return Changes(
        now,
        set(rows).difference(held.claims),
        set(held.claims).difference(rows),
        uncounted,
        counted - before if len(counted) >= holding.MAX_CLAIMERS else (),
        [each for each in now if each not in held.holdings],
        [each for each in held.holdings if each not in now],
        odd,
    )


def runs(claims: Iterable[Claim]) -> list[Claim]:
    """Return the first claim of each level in each run of one claimer, and all of aliases, which no event tells of."""
    kept: list[Claim] = []
    levels: set[Level] = set()
    for claim in sorted(claims):
        if not kept or claim.stronger != kept[-1].stronger:
            levels = set()
        if claim.alias or claim.level not in levels:
            kept.append(claim)
            levels |= set() if claim.alias else {claim.level}
    return kept


def _counted(claims: Collection[Claim]) -> set[Identifier]:
    """Return who claims an identifier and is among the first of a level who do."""
    everybody = {claim.stronger for claim in claims}
    if len(everybody) <= holding.MAX_CLAIMERS:
        return everybody
    first: dict[Level, dict[Identifier, None]] = {}
    for claim in sorted(claims):
        of_level = first.setdefault(claim.level, {})
        if len(of_level) < holding.MAX_CLAIMERS:
            of_level[claim.stronger] = None
    return {claimer for of_level in first.values() for claimer in of_level}
