"""Identity: reads and writes the rows of claims and holdings by the rules of `core.identity.plan`, and aliases' users.

Nearly every message repeats a known claim: this visitor is that user. Such a claim is not written, since the event that
made it contains it. If somebody else claims the same identifier, the relevant claims are read back from the events. The
effect of a page's claim depends on whether a server has sent its identifiers: `page_claimed` stores that for the
identifiers on either side of such claims only.

It runs inside a transaction, after the events were written. It locks the identifiers of all messages first and reads in
later statements, which see all that others committed before: an identifier that is claimed is locked alone, one that an
event is filed under is shared. So whoever reads events under a lock of its own misses none.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from wetink.core.identity import plan
from wetink.core.identity.holding import changes_nothing, repeats, root_of
from wetink.core.identity.identifier import Carrier, Claim, Identifier, claims_of, makes_claim_on
from wetink.core.identity.plan import ALWAYS, Changes, Held, Span
from wetink.ports import Record
from wetink.store.codec import decode_carrier, identifier, who
from wetink.store.postgresql.database import Connection
from wetink.store.queries import queries
from wetink.store.rows import claim_of, claim_row, holding_of, holding_row, server_sent_in, uncounted_row

SQL = queries(__package__, "identity_queries.sql")

CHUNK = 1_000
"""Events that are read at once to find claims in them."""


class Case(msgspec.Struct, eq=False):
    """An identifier to settle: its new claims, those taken back, and the claimers to look up in any case.

    With `whole`, all claims of a lookup are read, else only the first ones after another's claim. `held` are its rows.
    """

    of: Identifier
    made: list[Claim] = []
    gone: Collection[Claim] = ()
    to_read: Mapping[Identifier, Span] = {}
    whole: bool = False
    held: Held | None = None

    @property
    def claims(self) -> list[Claim]:
        """Its stored and new claims."""
        return [*(self.held.claims if self.held is not None else ()), *self.made]


class Identities:
    """The identities of one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Read and write by `connection`, in its transaction."""
        self._db = connection
        self._firm: set[str] = set()
        self._locked: set[str] = set()
        self._sent: set[str] = set()  # identifiers that servers send in this transaction

    async def make(self, records: Sequence[Record]) -> None:
        """Store the claims of these new records and update the holdings. Known claims change nothing."""
        firm, shared = set[str](), set[str]()
        of: dict[Identifier, list[Claim]] = {}
        for record in records:
            if record.filed is not None:
                shared.add(who(record.filed))
            for claim in record.claims:
                of.setdefault(claim.weaker, []).append(claim)
                (firm if claim.level == "browser" else shared).add(who(claim.stronger))
            if record.joins is not None:
                firm.update(map(who, record.joins))
        weakers = [who(weaker) for weaker in of]
        firm.update(weakers)
        self._sent |= server_sent_in(records)
        rows = await self._hold(firm, shared, weakers, self._sent)
        for record in records:
            if record.joins is not None:
                await self.join(*record.joins)
        held: dict[str, list[Any]] = {}
        newly_sent = []
        for row in rows:
            if row[1] is None:
                newly_sent.append(row[0])
            else:
                held.setdefault(row[0], []).append(row)
        moved = await self._note_server_sent(newly_sent, True)
        cases = [
            case
            for weaker, made in of.items()
            if (case := _case_of(weaker, made, held.get(who(weaker), ()))) is not None
        ]
        await self._settle(cases)
        await self._settle([Case(identifier(column)) for column in moved])

    async def lock(self, columns: Iterable[str], *, firm: bool = True) -> None:
        """Lock further identifiers. Others may wait for them in another order: then PostgreSQL ends one of the two."""
        if more := sorted({*columns} - (self._firm if firm else self._locked)):
            await self._db.execute(SQL.lock, more, [firm] * len(more))
            self._locked.update(more)
            self._firm.update(more if firm else ())

    async def _hold(self, firm: set[str], shared: set[str], weakers: list[str], sent: Iterable[str]) -> list[Any]:
        shared -= firm
        if not firm and not shared:
            return []
        self._firm |= firm
        self._locked |= firm | shared
        locks = [True] * len(firm) + [False] * len(shared)
        found: list[Any] = await self._db.fetch(SQL.hold, [*firm, *shared], locks, weakers, list(sent))
        return found

    async def _settle(self, cases: Sequence[Case]) -> None:
        """Update the rows of identifiers."""
        if not cases:
            return
        await self._read([case for case in cases if case.held is None])
        await self._look_up(cases)
        known = await self._server_known(cases)
        changed: dict[Identifier, Changes] = {}
        moved: list[str] = []
        for case, server_known in zip(cases, known, strict=True):
            held = case.held or Held()
            changes = plan.plan(case.of, held, case.made, case.gone, server_known)
            changed[case.of] = changes
            if held.holdings and (changes.holdings_added or changes.holdings_removed):
                moved.append(who(case.of))
        await self.lock((who(held.owner) for each in changed.values() for held in each.holdings_added), firm=False)
        if moved:
            await self.drop_summaries_about(moved)
        await self._put(changed)
        if moved:
            await self.drop_summaries_about(moved)

    async def _read(self, cases: Sequence[Case]) -> None:
        """Read the rows of identifiers."""
        if not cases:
            return
        columns = [who(case.of) for case in cases]
        claims: dict[str, list[Claim]] = {column: [] for column in columns}
        holdings: dict[str, list[Any]] = {column: [] for column in columns}
        for row in await self._db.fetch(SQL.claims_on, columns):
            claims[row[0]].append(claim_of(row))
        for column, *row in await self._db.fetch(SQL.holdings_of, columns):
            holdings[column].append(holding_of(row))
        for column, case in zip(columns, cases, strict=True):
            case.held = Held(tuple(claims[column]), tuple(holdings[column]))

    async def _look_up(self, cases: Sequence[Case]) -> None:
        """Add the claims in the log that matter for these."""
        known: list[dict[Identifier, Span]] = [{} for _ in cases]
        asking = [dict(case.to_read) | plan.claims_to_read(case.held or Held(), case.made) for case in cases]
        cuts = [
            None
            if case.whole or plan.crowded(case.held or Held())
            else sorted({each.at for each in case.claims})
            for case in cases
        ]  # fmt: skip
        while lookups := [(place, *each) for place, spans in enumerate(asking) for each in spans.items()]:
            for place, claims in (await self._looked_up(cases, lookups, cuts)).items():
                cases[place].made += claims
            for place, case in enumerate(cases):
                known[place] |= asking[place]
                more = plan.claims_to_read(case.held or Held(), case.made) if asking[place] else {}
                asking[place] = {
                    claimer: span for claimer, span in more.items() if known[place].get(claimer) not in (span, ALWAYS)
                }

    async def _looked_up(
        self,
        cases: Sequence[Case],
        lookups: Sequence[tuple[int, Identifier, Span]],
        cuts: Sequence[Sequence[int] | None],
    ) -> dict[int, list[Claim]]:
        """Return the claims in claimers' events, by case, and those of their aliases that did not count."""
        rows, aliases = [], []
        for place, claimer, span in lookups:
            of = cases[place].of
            value = (
                "" if of.kind == "email" and "@" in claimer.value else of.value
            )  # a user id may be spelled otherwise
            rows.append((place, who(claimer), *span, value.encode()))
            aliases.append((place, who(of), who(claimer)))
        carriers: dict[int, list[Carrier]] = {}
        async for some in self._in_chunks(SQL.carriers, rows):
            for place, body in some:
                carrier = decode_carrier(body)
                if makes_claim_on(carrier, cases[place].of):
                    carriers.setdefault(place, []).append(carrier)
            for place, found in carriers.items():
                if (cut := cuts[place]) is not None:
                    carriers[place] = list(plan.firsts(found, cut))
        claims = {
            place: [each for carrier in found for each in claims_of(carrier) if each.weaker == cases[place].of]
            for place, found in carriers.items()
        }
        for place, *row in await self._db.fetch(SQL.uncounted_aliases, *_columns(aliases)):
            claims.setdefault(place, []).append(claim_of(row))
        return claims

    async def _in_chunks(self, query: str, rows: Sequence[tuple[Any, ...]]) -> Any:
        cursor = await self._db.cursor(query, *_columns(rows))
        while some := await cursor.fetch(CHUNK):
            yield some

    async def _server_known(self, cases: Sequence[Case]) -> list[set[Identifier]]:
        """Return for each case which identifiers of its claims a server has sent, as far as it matters."""
        columns: list[set[str]] = []
        for case in cases:
            claims = case.claims
            if not claims or any([each.level != "browser" for each in claims]):
                columns.append(set())
            else:
                columns.append({who(case.of), *(who(each.stronger) for each in claims)})
        if not any(columns):
            return [set() for _ in cases]
        everything = set().union(*columns)
        known = dict(await self._db.fetch(SQL.page_claimed, list(everything)))
        if new := sorted(everything - known.keys()):
            await self.lock(new)
            sent = self._sent | {column for (column,) in await self._db.fetch(SQL.server_sent, new)}
            known |= {column: column in sent for column in new}
            await self._db.execute(SQL.put_page_claimed, new, [known[column] for column in new])
        return [{identifier(column) for column in some if known[column]} for some in columns]

    async def _note_server_sent(self, columns: Collection[str], sent: bool) -> set[str]:
        """Note whether a server has sent these. Returns the column values of identifiers whose holdings may change."""
        if not columns:
            return set()
        listed = sorted(columns)
        await self._db.execute(SQL.put_page_claimed, listed, [sent] * len(listed))
        moved = {weaker for (weaker,) in await self._db.fetch(SQL.page_claims_for, listed)}
        moved |= {column for column in listed if column[0] != "u"}
        await self.lock(moved)
        return moved

    async def recheck_server_sent(self, columns: Collection[str]) -> None:
        """Check again whether a server has sent these, after one of its events was removed."""
        known = [column for column, sent in await self._db.fetch(SQL.page_claimed, sorted(columns)) if sent]
        if not known:
            return
        await self.lock(known)
        still = {column for (column,) in await self._db.fetch(SQL.server_sent, known)}
        moved = await self._note_server_sent({*known} - still, False)
        self._sent -= {*known} - still
        await self._settle([Case(identifier(column)) for column in moved])

    async def unclaim(self, claims: Iterable[Claim], at: int) -> None:
        """Take back claims that were made with another time, `at`. Their events no longer contain them."""
        for each in claims:
            column = who(each.weaker)
            await self.lock([column])
            await self._db.execute(SQL.delete_uncounted_alias, column, at, each.source, each.message_id)
            place = (at, each.source, each.message_id)
            stored = [claim_of(row) for row in await self._db.fetch(SQL.claims_on, [column])]
            for gone in [row for row in stored if (row.at, row.source, row.message_id) == place]:
                if await self._uncounted(column):
                    await self.derive(each.weaker)
                    continue
                case = Case(each.weaker, gone=(gone,))
                await self._read([case])
                case.to_read = plan.claims_to_read_without(case.held or Held(), gone)
                await self._settle([case])

    async def derive(self, of: Identifier) -> None:
        """Derive an identifier's rows again from all claims in events, and from those of aliases."""
        case = Case(of, whole=True)
        await self.lock([who(of)])
        await self._read([case])
        claimers = {each.stronger for each in case.claims} | await self._uncounted(who(of))
        case.gone = {each for each in case.claims if not each.alias}
        case.to_read = dict.fromkeys(claimers, ALWAYS)
        await self._settle([case])

    async def _uncounted(self, column: str) -> set[Identifier]:
        return {identifier(claimer) for (claimer,) in await self._db.fetch(SQL.uncounted, column)}

    async def join(self, previous: Identifier, current: Identifier) -> None:
        """Join two users, as an alias requests. A known alias changes nothing."""
        if await self._db.fetchval(SQL.known_alias, who(previous), who(current)):
            return
        await self._db.execute(SQL.lock_aliases)
        if await self._db.fetchval(SQL.insert_alias, who(previous), who(current)):
            await self._joined(who(previous), who(current))

    async def part(self, user: Identifier) -> None:
        """Take back all aliases of a user that turned out to be a placeholder. Other aliases stay."""
        column = who(user)
        await self.lock([column])
        await self._db.execute(SQL.lock_aliases)
        members = [member for (member,) in await self._db.fetch(SQL.groups_of, [column])]
        made = [(previous, current) for previous, current in await self._db.fetch(SQL.aliases_of, members)]
        gone = [alias for alias in made if column in alias]
        if not gone:
            return
        await self._db.execute(SQL.delete_aliases, *_columns(gone))
        await self._db.execute(SQL.part_members, members)
        for previous, current in made:
            if column not in (previous, current):
                await self._joined(previous, current)
        await self.drop_summaries_about(members)

    async def _joined(self, one: str, other: str) -> None:
        """Join the groups of two users. The group's name is its smallest member."""
        members = {one, other} | {member for (member,) in await self._db.fetch(SQL.groups_of, [one, other])}
        await self._db.execute(SQL.join_members, sorted(members), who(root_of(map(identifier, members))))
        await self.drop_summaries_about(members)

    async def drop_summaries_about(self, columns: Iterable[str]) -> None:
        """Delete every summary that includes, or may come to include, events filed under these identifiers."""
        await self._db.execute(SQL.drop_summaries_about, list(columns))

    async def _put(self, changed: Mapping[Identifier, Changes]) -> None:
        """Write these identifiers' changes."""
        named = [(who(of), changes) for of, changes in changed.items()]
        rows: dict[str, list[tuple[Any, ...]]] = {
            SQL.delete_claims: [claim_row(each) for _, changes in named for each in changes.claims_removed],
            SQL.insert_claims: [claim_row(each) for _, changes in named for each in changes.claims_added],
            SQL.delete_uncounted: [(column, who(each)) for column, changes in named for each in changes.counted],
            SQL.insert_uncounted: [uncounted_row(each) for _, changes in named for each in changes.uncounted],
            SQL.delete_holdings: [
                (column, each.moves, each.since) for column, changes in named for each in changes.holdings_removed
            ],
            SQL.insert_holdings: [
                holding_row(column, each) for column, changes in named for each in changes.holdings_added
            ],
            SQL.contest: [
                (column, odd.claimers, odd.at) for column, changes in named if (odd := changes.contested) is not None
            ],
        }
        for query, values in rows.items():
            if values:
                await self._db.execute(query, *_columns(values))


def _case_of(weaker: Identifier, made: list[Claim], rows: Sequence[Any]) -> Case | None:
    """Return the case of new claims on an identifier; None if they change nothing.

    `rows` are its holdings, each with whether anybody else claims it.
    """
    if not rows:
        return Case(weaker, made, held=Held())
    if len(rows) > 1 or rows[0][-1]:
        return Case(weaker, made)
    sole = holding_of(rows[0][1:-1])
    made = [each for each in made if each.alias or not (repeats(each, sole) or changes_nothing(each, (sole,)))]
    return Case(weaker, made) if made else None


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))
