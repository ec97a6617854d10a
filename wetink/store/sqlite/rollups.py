"""Rollups: the tables of opens and clicks with their sums, and reports from these."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import apsw

from wetink.core.signals.report import DAY_MS, QUARTER_MS, DayCount
from wetink.store.interactions import COLUMNS, Source, encode_json, parts_of, source_of
from wetink.store.queries import queries, script
from wetink.store.sqlite.batch import transaction
from wetink.store.sqlite.connection import first

SQL = queries(__package__, "rollup_queries.sql")


def create(db: apsw.Connection) -> None:
    """Create missing tables and columns, and sum up what earlier versions counted, after `interactions.prepare`."""
    db.execute(script(__package__, "ledger.sql"))
    if first(db, SQL.lacks_audiences)[0]:
        db.execute(SQL.add_audiences)
    if first(db, SQL.lacks_rollups)[0]:  # a sealed folder cannot be written
        with transaction(db):
            if first(db, SQL.lacks_rollups)[0]:  # another process may have filled them
                db.execute(SQL.fill_rollups)


def sums(
    db: apsw.Connection,
    periods: Sequence[tuple[int, int]],
    by: Collection[str],
    blocks: Sequence[str] | None,
    campaign: str | None,
) -> list[DayCount]:
    """Return the sums of periods, as `Ledger.sums` does: of each day by itself, since its rows are in order."""
    source = source_of(by, blocks=blocks is not None, campaign=campaign is not None)
    days, edges = parts_of(periods)
    of_days, of_edges = (_query(source, by, blocks, campaign, quarters=quarters) for quarters in (False, True))
    parts = [(of_days, period, day, day + 1, 1) for period, first, last in days for day in range(first, last, DAY_MS)]
    parts += [(of_edges, *edge) for edge in edges]
    only = {"blocks": encode_json(blocks).decode() if blocks is not None else None, "campaign": campaign}
    found: dict[tuple[int, str, str, str, str], list[int]] = {}
    for query, period, since, until, sign in parts:
        given = only
        if blocks is not None:
            given = {**only, "starts": encode_json(list(range(since, until, QUARTER_MS))).decode()}
        for row in db.execute(query, {**given, "since": since, "until": until}):
            if row[4] is None:  # no rows at all
                continue
            known = found.setdefault((period, *row[:4]), [0] * 9)
            for index, amount in enumerate(row[4:]):
                known[index] += sign * amount
    rows: list[tuple[Any, ...]] = [
        (*key[:4], *amounts, key[4]) for key, amounts in sorted(found.items()) if any(amounts)
    ]
    return [DayCount(*row) for row in rows]


def _query(
    source: Source, by: Collection[str], blocks: Sequence[str] | None, campaign: str | None, *, quarters: bool
) -> str:
    """Return the query for sums from a source, apart by some columns, with empty text for the others.

    With `blocks`, each start is looked up with each of them: others between are not read.
    """
    kind = source.quarters if quarters else source.days
    shown = ", ".join(name if name in by else "''" for name in COLUMNS)
    mine = [name for name in COLUMNS if name in by]
    query: str = SQL.sums.replace("SELECT " + ", ".join(COLUMNS), f"SELECT {shown}")
    query = query.replace("GROUP BY " + ", ".join(COLUMNS), f"GROUP BY {', '.join(mine)}" if mine else "")
    table, start = ("rollup", "start") if isinstance(kind, int) else (kind, "day")
    where = [f"kind = {kind}"] if isinstance(kind, int) else []
    if blocks is None:
        where += [f"{start} >= :since", f"{start} < :until"]
    else:
        where += [f"{start} = wanted.value", "block IN (SELECT value FROM json_each(:blocks))"]
        table = f"json_each(:starts) AS wanted CROSS JOIN {table}"
    if campaign is not None:
        where.append("campaign = :campaign")
    query = query.replace("rollup WHERE start >= :since AND start < :until", f"{table} WHERE {' AND '.join(where)}")
    return query if kind != "part_daily" else query.replace("sum(pictures)", "sum(0)")


def as_json(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a query, each list as JSON."""
    lists = {name: encode_json(asked[name]).decode() for name in ("blocks", "recipients") if asked[name] is not None}
    return {**asked, **lists}
