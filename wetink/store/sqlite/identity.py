"""Identity: reads and writes the rows of claims and holdings by the rules of `core.identity.plan`, and aliases' users.

Nearly every message repeats a known claim: this visitor is that user. Such a claim is not written, since the event that
made it contains it. If somebody else claims the same identifier, the relevant claims are read back from the events. The
effect of a page's claim depends on whether a server has sent its identifiers: `page_claimed` stores that for the
identifiers on either side of such claims only, so identifiers that only servers send cost nothing. It runs inside the
writer's transaction, after the events were written.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import apsw

from wetink.core.identity import plan
from wetink.core.identity.holding import Holding, changes_nothing, repeats, root_of
from wetink.core.identity.identifier import Claim, Identifier, claims_of, makes_claim_on
from wetink.core.identity.plan import ALWAYS, Changes, Held, Span
from wetink.ports import Record
from wetink.store.codec import decode_carrier, identifier, level_of, who
from wetink.store.queries import queries
from wetink.store.rows import claim_of, claim_row, holding_of, holding_row, server_sent_in, uncounted_row
from wetink.store.sqlite import summaries
from wetink.store.sqlite.connection import fetch, first

SQL = queries(__package__, "queries.sql")

REMEMBERED = 50_000
"""Identifiers whose only claimer a process caches."""


class Claims:
    """Writes claims in one process.

    Caches the only claimer of an identifier until any claims change. Most claims repeat it and need no further work.
    """

    def __init__(self) -> None:
        self._sole: dict[Identifier, Holding] = {}
        self._generation = -1

    def make(self, db: apsw.Connection, claims: Sequence[Claim], records: Iterable[Record]) -> None:
        """Store the claims of these records and update the holdings. Known claims change nothing."""
        of_pages = any([each.level == "browser" for each in claims])
        server_sent: Collection[str] = server_sent_in(records) if of_pages or db.execute(SQL.pages_claim).get else ()
        moved = note_server_sent(db, server_sent) if server_sent else ()
        self._make(db, claims, server_sent)
        for column in moved:
            _settle(db, identifier(column), server_sent=server_sent)

    def _make(self, db: apsw.Connection, claims: Sequence[Claim], server_sent: Collection[str]) -> None:
        if not claims:
            return
        if self._generation != (generation := _generation(db)) or len(self._sole) > REMEMBERED:
            self._generation, self._sole = generation, {}
        of: dict[Identifier, list[Claim]] = {}
        for each in claims:
            sole = self._sole.get(each.weaker)
            if sole is None or each.alias or not (repeats(each, sole) or changes_nothing(each, (sole,))):
                of.setdefault(each.weaker, []).append(each)
        new: dict[Identifier, Changes] = {}
        for weaker, made in of.items():
            held = holdings_of(db, who(weaker))
            if held:
                sole = _claimed(db, weaker, made, held, server_sent)
            else:  # these are all its claims
                new[weaker] = first = plan.plan(
                    weaker, Held(), made, server_known=server_sent_among(db, made, server_sent)
                )
                alone = len(first.holdings) == 1 and (len(made) == 1 or len({each.stronger for each in made}) == 1)
                sole = first.holdings[0] if alone else None
            if sole is not None:
                self._sole[weaker] = sole
            else:
                self._sole.pop(weaker, None)
        put(db, new)
        self._generation = _generation(db)

    def forget(self) -> None:
        """Clear the cache after a rollback, or after claims were taken back."""
        self._sole.clear()


def _claimed(
    db: apsw.Connection,
    weaker: Identifier,
    made: Sequence[Claim],
    held: Sequence[Holding],
    server_sent: Collection[str],
) -> Holding | None:
    """Store the claims on a held identifier. Returns its holding if it has a single claimer; else None."""
    column = who(weaker)
    if len(held) == 1 and not db.execute(SQL.claimed_by_others, (column, who(held[0].owner))).get:
        made = [each for each in made if each.alias or not changes_nothing(each, held)]
        if not made:
            return held[0]
    after = _settle(db, weaker, made, server_sent=server_sent)
    alone = len(after) == 1 and not db.execute(SQL.claimed_by_others, (column, who(after[0].owner))).get
    return after[0] if alone else None


def _settle(
    db: apsw.Connection,
    of: Identifier,
    made: Iterable[Claim] = (),
    gone: Collection[Claim] = (),
    server_sent: Collection[str] = (),
    look_up: Mapping[Identifier, Span] | None = None,
    *,
    whole: bool = False,
) -> Sequence[Holding]:
    """Update an identifier's rows for new and removed claims. `look_up` has claimers to look up in any case.

    With `whole`, all claims of a lookup are read, else only the first ones after another's claim.
    """
    column = who(of)
    held = Held(tuple(claims_on(db, column)), tuple(holdings_of(db, column)))
    made, asking, known = list(made), dict(look_up or {}), dict[Identifier, Span]()
    asking |= plan.claims_to_read(held, made)
    cuts = None if whole or plan.crowded(held) else sorted({each.at for each in [*held.claims, *made]})
    while asking:
        for claimer, span in asking.items():
            made += looked_up(db, of, claimer, span, cuts)
        known |= asking
        more = plan.claims_to_read(held, made)
        asking = {claimer: span for claimer, span in more.items() if known.get(claimer) not in (span, ALWAYS)}
    changes = plan.plan(of, held, made, gone, server_sent_among(db, [*held.claims, *made], server_sent))
    if held.claims and (changes.claims_added or changes.claims_removed or changes.holdings_added):
        db.execute(SQL.next_holding_generation)
    moved = bool(held.holdings and (changes.holdings_added or changes.holdings_removed))
    if moved:
        summaries.drop_summaries_about(db, [column])
    put(db, {of: changes})
    if moved:
        summaries.drop_summaries_about(db, [column])
    return changes.holdings


def unclaim(db: apsw.Connection, claims: Iterable[Claim], at: int) -> None:
    """Take back claims that were made with another time, `at`. Their events no longer contain them."""
    for each in claims:
        column = who(each.weaker)
        db.execute(SQL.delete_uncounted_alias, (column, at, each.source, each.message_id))
        held = Held(tuple(claims_on(db, column)))
        place = (at, each.source, each.message_id)
        for gone in [row for row in held.claims if (row.at, row.source, row.message_id) == place]:
            if uncounted_claimers(db, column):
                derive(db, each.weaker)
            else:
                _settle(db, each.weaker, gone=(gone,), look_up=plan.claims_to_read_without(held, gone))


def forget_server_sent(db: apsw.Connection, columns: Collection[str]) -> None:
    """Check again whether a server has sent these, after an event that did was removed."""
    for column in recheck_server_sent(db, columns):
        _settle(db, identifier(column))


def derive(db: apsw.Connection, of: Identifier) -> None:
    """Derive an identifier's rows again from all claims in events, and from those of aliases."""
    column = who(of)
    claims = claims_on(db, column)
    claimers = {each.stronger for each in claims} | uncounted_claimers(db, column)
    gone = {each for each in claims if not each.alias}
    _settle(db, of, gone=gone, look_up=dict.fromkeys(claimers, ALWAYS), whole=True)


def _generation(db: apsw.Connection) -> int:
    number: int = db.execute(SQL.holding_generation).get
    return number


def join_users(db: apsw.Connection, previous: Identifier, current: Identifier) -> None:
    """Join two users, as an alias requests. A known alias changes nothing."""
    db.execute(SQL.insert_alias, (who(previous), who(current)))
    if db.changes():
        _joined(db, who(previous), who(current))


def part_users(db: apsw.Connection, user: Identifier) -> None:
    """Take back all aliases of a user that turned out to be a placeholder. Other aliases stay."""
    column = who(user)
    root = _root_user(db, column)
    members = [member for (member,) in fetch(db, SQL.members_of, (root,))]
    made = [alias for member in members for alias in fetch(db, SQL.aliases_of, (member,))]
    gone = [alias for alias in made if column in alias]
    if not gone:
        return
    db.executemany(SQL.delete_alias, gone)
    db.execute(SQL.delete_joined, (root,))
    for previous, current in made:
        if column not in (previous, current):
            _joined(db, previous, current)
    summaries.drop_summaries_about(db, members)


def _joined(db: apsw.Connection, one: str, other: str) -> None:
    """Join the groups of two users. The group's name is its smallest member."""
    members = {one, other}
    for root in {_root_user(db, one), _root_user(db, other)}:
        members.update(member for (member,) in fetch(db, SQL.members_of, (root,)))
    name = who(root_of(map(identifier, members)))
    db.executemany(SQL.upsert_joined, [(member, name) for member in members])
    summaries.drop_summaries_about(db, members)


def _root_user(db: apsw.Connection, user: str) -> str:
    row = first(db, SQL.root_of, (user,))
    return row[0] if row else user


def note_server_sent(db: apsw.Connection, server_sent: Collection[str]) -> set[str]:
    """Note that a server has sent these. Returns the column values of identifiers whose holdings may change."""
    return _noted(
        db, [column for (column,) in fetch(db, SQL.unsent, (json.dumps(list(server_sent)),))], server_sent=True
    )


def recheck_server_sent(db: apsw.Connection, columns: Collection[str]) -> set[str]:
    """Check again whether a server has sent these, after one of its events was removed."""
    listed = json.dumps(list(columns))
    known = [column for column, server_sent in fetch(db, SQL.page_claimed, (listed,)) if server_sent]
    return _noted(db, [column for column in known if not _server_sends(db, column)], server_sent=False)


def _noted(db: apsw.Connection, columns: Iterable[str], *, server_sent: bool) -> set[str]:
    moved: set[str] = set()
    for column in columns:
        db.execute(SQL.put_page_claimed, (column, server_sent))
        moved |= {column} if column[0] != "u" else set()
        moved.update(weaker for (weaker,) in fetch(db, SQL.page_claims_for, (column,)))
    return moved


def server_sent_among(db: apsw.Connection, made: Collection[Claim], server_sent: Collection[str]) -> set[Identifier]:
    """Return the identifiers of these claims that a server has sent, as far as it matters: `server_sent` has some."""
    pages = [each for each in made if each.level == "browser"]
    if len(pages) < len(made) or not pages:
        return set()
    columns = {who(pages[0].weaker), *(who(each.stronger) for each in pages)}
    known = dict(fetch(db, SQL.page_claimed, (json.dumps(list(columns)),)))
    for column in columns - known.keys():
        known[column] = column in server_sent or _server_sends(db, column)
        db.execute(SQL.put_page_claimed, (column, known[column]))
    return {identifier(column) for column, yes in known.items() if yes}


def _server_sends(db: apsw.Connection, column: str) -> bool:
    """Return whether a stored server's message has an identifier."""
    if first(db, SQL.sent_by_claim, (column,)) is not None:
        return True
    bodies = db.execute(SQL.events_filed_under, (column,))
    return any(level_of(body) != "browser" for (body,) in bodies)


def looked_up(
    db: apsw.Connection, of: Identifier, claimer: Identifier, span: Span, cuts: Sequence[int] | None
) -> list[Claim]:
    """Return the claims on `of` in a claimer's events, and those of their aliases that did not count."""
    value = "" if of.kind == "email" and "@" in claimer.value else of.value  # a user id may be spelled otherwise
    rows = db.execute(SQL.carriers, (who(claimer), *span, value.encode()))
    carriers = (each for (body,) in rows if makes_claim_on(each := decode_carrier(body), of))
    sending = carriers if cuts is None else plan.firsts(carriers, cuts)
    found = [each for event in sending for each in claims_of(event) if each.weaker == of]
    aliases = fetch(db, SQL.uncounted_aliases, (who(of), who(claimer)))
    return found + [Claim(at, source, id_, of, claimer, level, alias=True) for at, source, id_, level in aliases]


def put(db: apsw.Connection, changed: Mapping[Identifier, Changes]) -> None:
    """Write these identifiers' changes."""
    named = [(who(of), changes) for of, changes in changed.items()]
    rows: dict[str, list[tuple[Any, ...]]] = {
        SQL.delete_claim: [claim_row(each) for _, changes in named for each in changes.claims_removed],
        SQL.insert_claim: [claim_row(each) for _, changes in named for each in changes.claims_added],
        SQL.delete_uncounted: [(column, who(each)) for column, changes in named for each in changes.counted],
        SQL.insert_uncounted: [uncounted_row(each) for _, changes in named for each in changes.uncounted],
        SQL.delete_holding: [
            (column, each.moves, each.since) for column, changes in named for each in changes.holdings_removed
        ],
        SQL.insert_holding: [holding_row(column, each) for column, changes in named for each in changes.holdings_added],
        SQL.contest: [
            (column, odd.claimers, odd.at) for column, changes in named if (odd := changes.contested) is not None
        ],
    }
    for query, values in rows.items():
        if values:
            db.executemany(query, values)


def uncounted_claimers(db: apsw.Connection, column: str) -> set[Identifier]:
    """Return an identifier's claimers that do not count."""
    return {identifier(claimer) for (claimer,) in fetch(db, SQL.uncounted, (column,))}


def claims_on(db: apsw.Connection, column: str) -> list[Claim]:
    """Return the stored claims on an identifier."""
    return [claim_of(row) for row in fetch(db, SQL.claims_on, (column,))]


def holdings_of(db: apsw.Connection, column: str) -> list[Holding]:
    """Return the holdings of an identifier."""
    return [holding_of(row) for row in fetch(db, SQL.held, (column,))]
