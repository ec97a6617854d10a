"""View: an open file of columns, and the profiles that have changed since it was written."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from wetink.columns.compile import Compiler
from wetink.columns.layout import attach, changed_since, connect, one
from wetink.columns.tables import identifier
from wetink.core.profile.person import Moment
from wetink.core.rules.operators import pattern_of
from wetink.core.rules.traits import share_position
from wetink.core.rules.tree import Rule
from wetink.ports.audiences import CrowdLog, Narrowed

MOST_EXPRESSIONS = 50
"""Regular expressions whose matching values are kept."""
FACTS = "max(traits_at), max(last_seen), max(first_seen), count(*) FILTER (odd), count(*)"
"""Values to read from a file once. For a file without profiles the first three are None."""
AT_ONCE = 10_000
"""Roots to read at once."""


class View:
    """Reads one file. Only one thread at a time may use it."""

    def __init__(self, path: Path) -> None:
        """Open a file. Raises duckdb.Error if it cannot be read."""
        self.changed: set[str] = set()
        self._draws: dict[str, str] = {}
        self._made = 0
        self._fits: dict[tuple[str, str, str], str] = {}
        self._db = connect(":memory:")
        try:
            self._open(path)
        except duckdb.Error:
            self.close()  # else DuckDB keeps using its data of the file, even for another file in its place
            raise

    def _open(self, path: Path) -> None:
        attach(self._db, path, "laid")
        self._db.execute("SET temp_directory = $1", [str((path.parent / "spill").absolute())])
        self._db.execute("USE laid; SET enable_external_access = false; SET lock_configuration = true")
        self._db.execute("CREATE TEMP TABLE stale (pid INTEGER)")
        self._cursor: str = one(self._db, "SELECT cursor FROM about")
        facts = self._db.execute(f"SELECT {FACTS} FROM profile").fetchall()[0]  # noqa: S608
        self._traits_at, self._last_seen, self._first_seen, self._odd, self.profiles = (fact or 0 for fact in facts)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def follow(self, log: CrowdLog, limit: int) -> bool:
        """Find the profiles that have changed since the last call; False if more than `limit` messages came."""
        if log.cursor == self._cursor:
            return True
        changed = changed_since(log, self._db, self._cursor, limit)
        if changed is None:
            return False
        self._cursor = log.cursor
        fresh = list(changed - self.changed)
        if fresh:
            self.changed |= changed
            self._db.execute(
                "INSERT INTO stale SELECT pid FROM profile WHERE root IN (SELECT unnest($1))",
                [fresh],
            )
        return True

    def narrow(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], *, members: int) -> Narrowed:
        """Return the file's result, without the profiles that have changed."""
        if len(self._fits) >= MOST_EXPRESSIONS:
            for name in self._fits.values():
                self._db.execute(f"DROP TABLE {name}")
            self._fits.clear()
        compiler = Compiler(
            moment, audiences, traits_at=self._traits_at, last_seen=self._last_seen, draws=self._drawn,
            fitting=self._fitting,
        )  # fmt: skip
        answer, value = compiler.rule(rule), compiler.ask.value
        there = []
        stale = one(self._db, "SELECT count(*) FROM stale")
        of = self.profiles - stale
        if stale:
            there.append("p.pid NOT IN (SELECT pid FROM stale)")
        if self._first_seen > moment.now:
            there.append(f"p.first_seen <= {moment.now:d}")
            of = one(self._db, f"SELECT count(*) FROM profile AS p WHERE {' AND '.join(there)}")  # noqa: S608
        plain = ["NOT p.odd"] if self._odd else []

        def select(columns: str, *conditions: str) -> Any:
            query = f"SELECT {columns} FROM profile AS p WHERE {' AND '.join([*there, *conditions])}"  # noqa: S608
            return self._db.execute(query, value.used(query))

        unsure: list[str] = []
        if self._odd:
            unsure += _all(select("p.root", "p.odd"))
        if not answer.exact:
            unsure += _all(select("p.root", *plain, answer.maybe, f"NOT {answer.sure}"))
        sure: list[str] = []
        matches = 0
        if answer.sure != "false" and members:
            sure += _all(select("p.root", *plain, f"{answer.sure} ORDER BY p.pid LIMIT {members:d}"))
            matches = len(sure)
        elif answer.sure != "false":
            [(matches,)] = select("count(*)", *plain, answer.sure).fetchall()
        changed = sorted(self.changed)
        return Narrowed(matches, of, *(tuple(map(identifier, each)) for each in (unsure, changed, sure)))

    def _drawn(self, seed: str) -> str:
        """Return the table of the profiles' positions under a seed, created at its first use."""
        known = self._draws.get(seed)
        if known is not None:
            return known
        name = self._draws[seed] = f"draw{len(self._draws)}"
        pids, roots = zip(*self._db.execute("SELECT pid, root FROM profile").fetchall() or [(-1, "u")], strict=True)
        places = np.fromiter((share_position(identifier(root), seed) for root in roots), np.float64, len(roots))
        self._db.register("fresh", {"pid": np.array(pids, np.int32), "place": places})
        self._db.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM fresh")  # noqa: S608
        self._db.unregister("fresh")
        return name

    def _fitting(self, table: str, path: str, pattern: str) -> str:
        """Return the table of the values under a path that match an expression. Each text is tested once."""
        known = self._fits.get((table, path, pattern))
        if known is not None:
            return known
        self._made += 1
        name = self._fits[table, path, pattern] = f"fits{self._made}"
        fits = pattern_of(pattern)
        values = self._db.execute(f"SELECT DISTINCT said FROM {table} WHERE path = $1 AND said IS NOT NULL", [path])  # noqa: S608
        passing = [each for each in _all(values) if fits(each)]
        self._db.execute(f"CREATE TEMP TABLE {name} (said VARCHAR)")
        if passing:
            self._db.execute(f"INSERT INTO {name} SELECT unnest($1)", [passing])
        return name


def _all(found: Any) -> Iterator[str]:
    while rows := found.fetchmany(AT_ONCE):
        yield from (value for (value,) in rows)
