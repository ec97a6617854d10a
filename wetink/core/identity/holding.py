"""Holding: who holds an identifier, and when, by the claims of messages that carry several identifiers."""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from wetink.core.events.event import Level
from wetink.core.identity.identifier import Claim, Identifier

RANK: dict[Level, int] = {"browser": 0, "verified": 1, "server": 2}
"""The trust in a claim, by its level."""

FOREVER = 1 << 62
"""The end of a period that has not ended; negative, the beginning of one without a beginning (Unix ms)."""

MAX_CLAIMERS = 25
"""Distinct claimers that count for one identifier. An identifier with more is a placeholder that nobody has blocked
yet."""
MOST_A_DAY, DAY_MS = 3, 86_400_000
"""Users that may claim one address within a day before it is reported."""


Moves = Literal["all", "server", "browser", "none"]
"""The events that a holding moves to its owner: all, those from servers, those from pages, or none."""


class Holding(msgspec.Struct, frozen=True, order=True, gc=False):
    """`owner` holds an identifier in [since, until) (Unix ms). `level` is the highest level of its claims.

    `moves` says which events under the identifier belong to the owner; `followed` says whether a lookup leads to the
    owner.
    """

    since: int
    until: int
    owner: Identifier
    level: Level = "server"
    moves: Moves = "all"
    followed: bool = True


def holdings(
    of: Identifier, claims: Iterable[Claim], server_known: Container[Identifier] = frozenset()
) -> tuple[Holding, ...]:
    """Return who held the identifier `of` at each time: adjoining holdings from -FOREVER to FOREVER, or none.

    The last claim at or before a time wins. Before the first claim, the first claimer holds the identifier, so that a
    visitor's history becomes theirs once they identify. Only the first 25 distinct claimers count. If servers and pages
    name different holders of an anonymous ID, each side's events get their own holdings. `server_known` has the
    identifiers that a server has sent.

    >>> visitor, jane, bob = Identifier("anonymous", "a"), Identifier("user", "jane"), Identifier("user", "bob")
    >>> made = [Claim(500, "s", "m2", visitor, bob), Claim(200, "s", "m1", visitor, jane)]
    >>> [(h.owner.value, h.until) for h in holdings(visitor, made)] == [("jane", 500), ("bob", FOREVER)]
    True
    """
    made = sorted(claim for claim in claims if claim.weaker == of)
    if of.kind == "email":
        return _of_address(of, made, server_known)
    believed = _stretches([claim for claim in made if claim.level != "browser"], "server")
    everybody = _stretches(made, "browser")
    if not believed:
        known = of in server_known
        return tuple(
            replace(each, moves="browser" if known else "all", followed=not known and each.owner not in server_known)
            for each in everybody
        )
    if [(each.since, each.owner) for each in believed] == [(each.since, each.owner) for each in everybody]:
        return tuple(believed)
    return (
        *(replace(each, moves="server") for each in believed),
        *(replace(each, moves="browser", followed=False) for each in everybody),
    )


def _of_address(of: Identifier, made: Sequence[Claim], server_known: Container[Identifier]) -> tuple[Holding, ...]:
    """Return who held an address: claims of the highest level silence all others."""
    if not made:
        return ()
    level = max((claim.level for claim in made), key=RANK.__getitem__)
    if level != "browser":
        return tuple(_stretches([claim for claim in made if claim.level == level], level))
    counted = [claim for claim in made if claim.stronger not in server_known] if of not in server_known else []
    if counted:
        return tuple(_stretches(counted, level))
    return tuple(replace(each, moves="none", followed=False) for each in _stretches(made, level))


def _stretches(made: Iterable[Claim], level: Level) -> list[Holding]:
    """Return the holdings of claims, which come in their order."""
    held: list[Holding] = []
    for claim in _counted(made):
        if not held:
            held.append(Holding(-FOREVER, FOREVER, claim.stronger, level))
            continue
        last = held[-1]
        if last.owner == claim.stronger:
            continue
        held.pop()
        if last.since < claim.at:
            held.append(Holding(last.since, claim.at, last.owner, level))
        if held and held[-1].owner == claim.stronger:
            held[-1] = Holding(held[-1].since, FOREVER, claim.stronger, level)
        else:
            held.append(Holding(claim.at, FOREVER, claim.stronger, level))
    return held


class Contested(msgspec.Struct, frozen=True):
    """An identifier with suspiciously many claimers: an attack or a placeholder. `at` is the last claim's Unix ms."""

    identifier: Identifier
    claimers: int
    at: int


def contested(of: Identifier, claims: Iterable[Claim]) -> Contested | None:
    """Return the number of claimers of an identifier if it is suspicious, else None.

    More than three users who claim an address within a day are an attack or a shop's placeholder. An identifier with
    more claimers than count is a placeholder. Browsers' claims are included, even if a server's claim silences them.
    """
    made = sorted(claim for claim in claims if claim.weaker == of and not claim.alias)
    everybody = {claim.stronger for claim in made}
    if len(everybody) > MAX_CLAIMERS:
        return Contested(of, len(everybody), made[-1].at)
    if of.kind != "email":
        return None
    odd, first, day = None, 0, Counter[Identifier]()
    for claim in made:
        day[claim.stronger] += 1
        while made[first].at <= claim.at - DAY_MS:
            day[made[first].stronger] -= 1
            day += Counter()  # drops the zeros
            first += 1
        if len(day) > MOST_A_DAY:
            odd = Contested(of, len(day), claim.at)
    return odd


def _counted(made: Iterable[Claim]) -> Sequence[Claim]:
    claimers: set[Identifier] = set()
    counted = []
    for claim in made:
        if claim.stronger not in claimers:
            if len(claimers) == MAX_CLAIMERS:
                continue
            claimers.add(claim.stronger)
        counted.append(claim)
    return counted


def changes_nothing(claim: Claim, held: Iterable[Holding]) -> bool:
    """Return whether a new claim leaves all these holdings of its identifier unchanged, so that nothing is recomputed.

    False at the very start of a holding, where the order among equal times decides, and for a claim of a higher level,
    which may silence lower ones.
    """
    there = [each for each in held if each.since <= claim.at < each.until]
    if claim.level == "browser" and any(each.moves == "browser" for each in there):
        there = [each for each in there if each.moves == "browser"]  # pages cannot move what servers sent
    apart = len(there) > 1  # then pages' events have holdings of their own, which all claims change
    return bool(there) and all(
        each.since < claim.at
        and each.owner == claim.stronger
        and (
            RANK[claim.level] <= RANK[each.level] or apart or (claim.weaker.kind != "email" and each.level != "browser")
        )
        for each in there
    )


def repeats(claim: Claim, sole: Holding) -> bool:
    """Return whether a claim repeats the only holding, the usual case: `changes_nothing` in a fifth of its time."""
    return claim.stronger == sole.owner and claim.level == sole.level and sole.since < claim.at < sole.until


def root_of(members: Iterable[Identifier]) -> Identifier:
    """Return the user that names a group of joined users: the smallest, whichever came first."""
    return min(members)
