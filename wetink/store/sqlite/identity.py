"""Ownership: the rows of claims and holdings, read and written as `core.identity.plan` says.

Nearly every message repeats what is known: this visitor is that user. Such a claim is not written, as the event that
made it tells of it; when somebody else comes to claim the same identifier, those that matter are read back from the
events. Runs inside a transaction that the writer opened, after its events were written.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import apsw

from wetink.core.identity import plan
from wetink.core.identity.holding import Claim, Holding, changes_nothing
from wetink.core.identity.identifier import Identifier
from wetink.core.identity.plan import ALWAYS, Changes, Held, Span
from wetink.ports import Record
from wetink.store.sqlite import people
from wetink.store.sqlite.claim_rows import (
    claims_on,
    holdings_of,
    looked_up,
    put,
    uncounted_claimers,
)
from wetink.store.sqlite.codec import identifier, who
from wetink.store.sqlite.connection import read
from wetink.store.sqlite.server_claims import no_longer_told, now_told, told_among, told_of

SQL = read("queries.sql")

REMEMBERED = 50_000
"""Identifiers of which a process remembers who alone holds them."""


class Claims:
    """Takes claims in one process.

    Remembers who alone claims an identifier, for as long as nobody's claims have changed: most claims repeat that, and
    are then done with at once.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._sole: dict[Identifier, Holding] = {}
        self._generation = -1

    def make(self, db: apsw.Connection, claims: Sequence[Claim], records: Iterable[Record]) -> None:
        """Keep the claims of these records, and let them change who holds what. Known ones change nothing."""
        of_pages = any([each.level == "browser" for each in claims])
        told: Collection[str] = told_of(records) if of_pages or db.execute(SQL.pages_claim).get else ()
        moved = now_told(db, told) if told else ()
        self._make(db, claims, told)
        for column in moved:
            _settle(db, identifier(column), told=told)

    def _make(self, db: apsw.Connection, claims: Sequence[Claim], told: Collection[str]) -> None:
        if not claims:
            return
        if self._generation != (generation := _generation(db)) or len(self._sole) > REMEMBERED:
            self._generation, self._sole = generation, {}
        of: dict[Identifier, list[Claim]] = {}
        for each in claims:
            sole = self._sole.get(each.weaker)
            if sole is None or each.alias or not (_goes_on(each, sole) or changes_nothing(each, (sole,))):
                of.setdefault(each.weaker, []).append(each)
        new: dict[Identifier, Changes] = {}
        for weaker, made in of.items():
            held = holdings_of(db, who(weaker))
            if held:
                sole = _claimed(db, weaker, made, held, told)
            else:  # so these are all the claims there are
                new[weaker] = first = plan.plan(weaker, Held(), made, server_known=told_among(db, made, told))
                alone = len(first.holdings) == 1 and (len(made) == 1 or len({each.stronger for each in made}) == 1)
                sole = first.holdings[0] if alone else None
            if sole is not None:
                self._sole[weaker] = sole
            else:
                self._sole.pop(weaker, None)
        put(db, new)
        self._generation = _generation(db)

    def forget(self) -> None:
        """Remember nothing: what was written was undone, or others' claims were taken back."""
        self._sole.clear()


def _goes_on(claim: Claim, sole: Holding) -> bool:
    """Whether a claim repeats the only holding, as nearly all do: `changes_nothing`, in a fifth of its time."""
    return claim.stronger == sole.owner and claim.level == sole.level and sole.since < claim.at < sole.until


def _claimed(
    db: apsw.Connection, weaker: Identifier, made: Sequence[Claim], held: Sequence[Holding], told: Collection[str]
) -> Holding | None:
    """Keep the claims on an identifier that is held; return how its only claimer holds it then."""
    column = who(weaker)
    if len(held) == 1 and not db.execute(SQL.claimed_by_others, (column, who(held[0].owner))).get:
        made = [each for each in made if each.alias or not changes_nothing(each, held)]
        if not made:
            return held[0]
    after = _settle(db, weaker, made, told=told)
    alone = len(after) == 1 and not db.execute(SQL.claimed_by_others, (column, who(after[0].owner))).get
    return after[0] if alone else None


def _settle(
    db: apsw.Connection,
    of: Identifier,
    made: Iterable[Claim] = (),
    gone: Collection[Claim] = (),
    told: Collection[str] = (),
    asked: Mapping[Identifier, Span] | None = None,
    *,
    whole: bool = False,
) -> Sequence[Holding]:
    """Let claims on an identifier change its rows; `asked` says whose claims to look up whatever the plan asks for.

    Of what is looked up all is read if `whole`, else what comes first after another's claim.
    """
    column = who(of)
    held = Held(tuple(claims_on(db, column)), tuple(holdings_of(db, column)))
    made, asking, known = list(made), dict(asked or {}), dict[Identifier, Span]()
    asking |= plan.claims_to_read(held, made)
    cuts = None if whole or plan.crowded(held) else sorted({each.at for each in [*held.claims, *made]})
    while asking:
        for claimer, span in asking.items():
            made += looked_up(db, of, claimer, span, cuts)
        known |= asking
        more = plan.claims_to_read(held, made)
        asking = {claimer: span for claimer, span in more.items() if known.get(claimer) not in (span, ALWAYS)}
    changes = plan.plan(of, held, made, gone, told_among(db, [*held.claims, *made], told))
    if held.claims and (changes.claims_added or changes.claims_removed or changes.holdings_added):
        db.execute(SQL.next_holding_generation)
    moved = bool(held.holdings and (changes.holdings_added or changes.holdings_removed))
    if moved:
        people.drop_summaries_about(db, [column])
    put(db, {of: changes})
    if moved:
        people.drop_summaries_about(db, [column])
    return changes.holdings


def unclaim(db: apsw.Connection, claims: Iterable[Claim], at: int) -> None:
    """Take back claims that were made with another time, `at`. Their events tell of them no more."""
    for each in claims:
        column = who(each.weaker)
        db.execute(SQL.delete_uncounted_alias, (column, at, each.source, each.message_id))
        held = Held(tuple(claims_on(db, column)))
        place = (at, each.source, each.message_id)
        for gone in [row for row in held.claims if (row.at, row.source, row.message_id) == place]:
            if uncounted_claimers(db, column):
                derive(db, each.weaker)
            else:
                _settle(db, each.weaker, gone=(gone,), asked=plan.claims_to_read_without(held, gone))


def untell(db: apsw.Connection, columns: Collection[str]) -> None:
    """Look again whether a server tells of these, since some event that did is no more."""
    for column in no_longer_told(db, columns):
        _settle(db, identifier(column))


def derive(db: apsw.Connection, of: Identifier) -> None:
    """Work out anew what follows from all claims on an identifier that events tell of, and from those of aliases."""
    column = who(of)
    claims = claims_on(db, column)
    claimers = {each.stronger for each in claims} | uncounted_claimers(db, column)
    gone = {each for each in claims if not each.alias}
    _settle(db, of, gone=gone, asked=dict.fromkeys(claimers, ALWAYS), whole=True)


def _generation(db: apsw.Connection) -> int:
    number: int = db.execute(SQL.holding_generation).get
    return number
