"""Classing: opens and clicks told by the rules of now whether a person or a machine made them, some people at a time.

Each transaction is short: whoever else writes waits for milliseconds. The sums of days are worked out aside meanwhile,
and take the place of those there are in the end.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import apsw
import msgspec

from wetink.core.client_classification import RULES_VERSION, Facts, Kind, classify, in_hindsight
from wetink.core.signals.attribution import PROVED_MS
from wetink.store.sqlite import interactions
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import fetch
from wetink.store.sqlite.queries import read

SQL = read("contact_queries.sql")
AT_ONCE = 250
"""People in one transaction."""

_json = msgspec.json.Encoder().encode
_facts = msgspec.json.Decoder(Facts).decode


def classify_anew(db: apsw.Connection, counts: Callable[[str, Kind], bool]) -> int:
    """Run the rules of now over the facts of all opens and clicks; return how many came out differently.

    `counts` says whether a block counts a class of fetch.
    """
    changed, sums = 0, interactions.Sums(db)
    for people in _slices(db):
        with transaction(db):
            changed += _classify(db, people, counts)
            sums.add(people)
    with transaction(db):
        sums.take_over()
    return changed


def _slices(db: apsw.Connection) -> Iterator[list[str]]:
    """Yield all recipients in parts. Those that an experiment takes for one person stand in the same part."""
    families = _families(fetch(db, SQL.heirs))
    yield from families
    related = {each for family in families for each in family}
    last = ""
    while rows := fetch(db, SQL.recipients, (last, AT_ONCE)):
        last = rows[-1][0]
        if alone := [recipient for (recipient,) in rows if recipient not in related]:
            yield alone


def _families(heirs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return who belongs together by pairs of an heir and whom it follows.

    >>> [sorted(each) for each in _families([("b", "a"), ("d", "c"), ("c", "b"), ("y", "x")])]
    [['a', 'b', 'c', 'd'], ['x', 'y']]
    """
    family: dict[str, list[str]] = {}
    for heir, origin in heirs:
        one, other = family.setdefault(heir, [heir]), family.setdefault(origin, [origin])
        if one is not other:
            one += other
            family.update(dict.fromkeys(other, one))
    return list({id(each): each for each in family.values()}.values())


def _classify(db: apsw.Connection, people: Sequence[str], counts: Callable[[str, Kind], bool]) -> int:
    """Class what some people did. Inside a transaction."""
    changed = 0
    wanted: dict[tuple[str, str, str, int], int] = {}
    rows = fetch(db, SQL.touches_of, (_json(people).decode(),))
    for (recipient, campaign), group in groupby(rows, key=lambda row: (row[1], row[5])):
        email, counted = list(group), list[tuple[str, int, bool, int]]()
        told = [(at, kind == 1, block, _facts(facts)) for _, _, at, kind, block, _, _, facts in email]
        for row, facts in zip(email, in_hindsight(told), strict=True):
            fetch_class = classify(facts).kind
            changed += fetch_class != row[6]
            human = counts(row[4], fetch_class)
            db.execute(SQL.retake, (fetch_class, _json(facts).decode(), RULES_VERSION, human, row[0]))
            if human:
                counted.append((row[4], row[2], row[3] == 1, row[0]))
        wanted |= {(recipient, campaign, block, at): click for block, at, click in _proved(counted)}
    for row, *about in fetch(db, SQL.implied_of, (_json(people).decode(),)):
        who, at, block, campaign = about
        if wanted.pop((who, campaign, block, at), None) is None:
            db.execute(SQL.deny, (row,))
    for click in wanted.values():
        db.execute(SQL.imply_again, (click,))
    return changed


def _proved(email: Sequence[tuple[str, int, bool, int]]) -> Iterator[tuple[str, int, int]]:
    """Yield the opens that clicks of one email prove: block, time (Unix ms) and the click.

    `email` has what people did, the oldest first: block, time, whether it is a click, and its row.

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
