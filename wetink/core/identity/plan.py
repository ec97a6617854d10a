"""Plan: the rows of claims and holdings that an engine changes when claims are made or taken back.

Theory of operation. An engine stores *runs*: if one claimer claims an identifier many times, the first claim of each
level stands for all, because the events of the others are in the log. While an identifier has one claimer, any of the
claims may stand for all. If somebody else's claim falls into a run, the engine must read the claims that now matter
from the log: `claims_to_read` says whose, and from when to when. More true claims than needed do no harm.

Only the claims of claimers among the first 25 of a level are stored. For everybody else, a row records that they claim.
So a change reads and writes the same amount, however many claims there have been.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Container, Iterable, Iterator, Sequence

import msgspec

from wetink.core.events.event import Level
from wetink.core.identity import holding
from wetink.core.identity.holding import FOREVER, MOST_A_DAY, Contested, Holding, contested, holdings
from wetink.core.identity.identifier import Carrier, Claim, Identifier

Span = tuple[int, int]
"""From and until, both included (Unix ms)."""

ALWAYS: Span = (-FOREVER, FOREVER)


class Held(msgspec.Struct, frozen=True):
    """An engine's rows of one identifier: claims and holdings."""

    claims: tuple[Claim, ...] = ()
    holdings: tuple[Holding, ...] = ()


class Changes(msgspec.Struct, frozen=True):
    """The rows that an engine writes for one identifier."""

    holdings: tuple[Holding, ...]
    """All holdings after the change."""
    claims_added: Collection[Claim] = ()
    claims_removed: Collection[Claim] = ()
    uncounted: Collection[Claim] = ()
    """Claims of claimers who come too late to count. One is noted for each of them, and all of aliases."""
    counted: Collection[Identifier] = ()
    """Claimers who count now and did not before."""
    holdings_added: Sequence[Holding] = ()
    holdings_removed: Sequence[Holding] = ()
    contested: Contested | None = None


def claims_to_read(held: Held, made: Iterable[Claim]) -> dict[Identifier, Span]:
    """Return whose claims the engine must read from the log, and from when to when, before these claims are planned."""
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
    """Return whose claims the engine must read from the log before a claim that is a row is taken back."""
    rows = sorted(held.claims)
    if all(row.stronger == gone.stronger for row in rows):
        return {gone.stronger: ALWAYS}
    return {gone.stronger: (gone.at, _end(rows, bisect_right(rows, gone), gone.stronger))}


def crowded(held: Held) -> bool:
    """Return whether the maximum number of claimers claim an identifier: all claims of a further one then matter."""
    return len({row.stronger for row in held.claims}) >= holding.MAX_CLAIMERS


def firsts(carriers: Iterable[Carrier], cuts: Sequence[int]) -> Iterator[Carrier]:
    """Yield the first events of each level between the cuts, and all events exactly at one of them.

    No other event of a claimer begins a run if `cuts` (Unix ms, in order) has the times of all others' claims.
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
    """Return when a claimer's run ends that continues at this index."""
    return next((row.at for row in rows[place:] if row.stronger != claimer), FOREVER)


def plan(
    of: Identifier,
    held: Held,
    made: Iterable[Claim] = (),
    gone: Container[Claim] = (),
    server_known: Container[Identifier] = frozenset(),
) -> Changes:
    """Return the changes when claims on `of`, including those of `claims_to_read`, are made and others are taken back.

    `server_known` has the identifiers that a server has sent.
    """
    made = tuple(made)
    if len(made) == 1 and not held.claims:  # the usual case
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
    """Return the first claim of each level in each claimer's run, and all claims of aliases, which no event carries."""
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
    """Return the claimers of an identifier that are among the first of a level."""
    everybody = {claim.stronger for claim in claims}
    if len(everybody) <= holding.MAX_CLAIMERS:
        return everybody
    first: dict[Level, dict[Identifier, None]] = {}
    for claim in sorted(claims):
        of_level = first.setdefault(claim.level, {})
        if len(of_level) < holding.MAX_CLAIMERS:
            of_level[claim.stronger] = None
    return {claimer for of_level in first.values() for claimer in of_level}
