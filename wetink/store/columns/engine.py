"""The engine: asks a rule of all profiles at once, as far as SQL can say, and names those to be asked in memory."""

import logging
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from wetink.core.errors import StoreUnavailable
from wetink.core.person import Moment
from wetink.core.rule.operators import pattern_of
from wetink.core.rule.traits import drawn
from wetink.core.rule.tree import Rule
from wetink.ports.crowd import Narrowed
from wetink.sandbox import python
from wetink.store.columns import manifest
from wetink.store.columns.compile import Compiler
from wetink.store.columns.follow import attach, catch_up, roots_of
from wetink.store.columns.log import Log
from wetink.store.columns.manifest import Manifest
from wetink.store.sqlite.codec import identifier
from wetink.store.sqlite.connection import snapshot, translated

logger = logging.getLogger(__name__)

MOST_CHANGED = 1_000
"""Changed profiles beyond which a new segment is written before a rule is asked."""
MOST_BEHIND, HERE = 5_000, 2_000
"""Messages since the last segment beyond which the next one is written first, and beyond which by another process."""
MEMORY = "1GB"
"""What DuckDB may take for one question; beyond that it goes to the disk."""
MOST_EXPRESSIONS = 50
"""Regular expressions of which is kept what fits them."""
FACTS = "max(traits_at), max(last_seen), max(first_seen), count(*) FILTER (odd), count(*)"
"""What is asked of a segment once. One without profiles says None of the first three."""
AT_ONCE = 10_000
"""Roots that are read at once."""


class DuckDBColumns:
    """`ports.Columns` over a store's file and a folder of segments. Any number of processes may share both."""

    def __init__(self, database: Path, folder: Path) -> None:
        """Follow the store in a file; nothing is opened before it is asked."""
        self._database, self._folder = database, folder
        self._turn = threading.Lock()
        self._log: Log | None = None
        self._view: _View | None = None
        self._writing: subprocess.Popen[bytes] | None = None
        self._closed = False

    def narrow(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], *, members: int = 0) -> Narrowed:
        """See `ports.crowd.Columns.narrow`."""
        with self._turn:
            try:
                return self._newest().narrow(rule, moment, audiences, members=members)
            except duckdb.Error as error:
                logger.warning("the columns are written anew, since they cannot be read: %s", error)
                self._view = None
                (self._folder / "manifest.json").unlink(missing_ok=True)
            try:
                return self._newest().narrow(rule, moment, audiences, members=members)
            except duckdb.Error as error:
                raise StoreUnavailable(f"asking all profiles: {error}", hint="see the log") from error

    def _newest(self) -> "_View":
        """Return a view that sees all that was written."""
        for _ in range(2):
            there = manifest.read(self._folder)
            if there is not None and (self._view is None or self._view.manifest != there):
                self._view = _View(self._folder, there)
            if self._view is not None and there is not None:
                if self._log is None:
                    self._log = Log(self._database)
                with translated("following the log"), snapshot(self._log.db):
                    behind = self._log.place()[0] - self._view.seq
                    if behind <= MOST_BEHIND:
                        self._view.follow(self._log)
                if behind <= MOST_BEHIND and len(self._view.changed) <= MOST_CHANGED:
                    return self._view
            self._catch_up(there)
        raise StoreUnavailable("the columns cannot keep up with the log", hint="try again")

    def _catch_up(self, there: Manifest | None) -> None:
        """Have the next segment written: here when it is a small one, else by another process."""
        log = Log(self._database)
        try:
            behind = log.place()[0] - (there.seq if there is not None else 0)
        finally:
            log.close()
        if behind <= HERE:
            catch_up(self._database, self._folder)
            return
        command = python.command("wetink.store.columns", str(self._database.absolute()), str(self._folder.absolute()))
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=python.environment(), stdout=pipe, stderr=pipe) as process:  # noqa: S603
            self._writing = process
            if self._closed:
                process.kill()
            _, trouble = process.communicate()
            self._writing = None
        if process.returncode != 0:
            last = trouble.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise StoreUnavailable(f"the columns could not be written: {last[:200]}", hint="try again")

    def close(self) -> None:
        """See `ports.crowd.Columns.close`."""
        self._closed, writing = True, self._writing
        if writing is not None:
            writing.kill()
        with self._turn:
            if self._log is not None:
                self._log.close()
            self._log = self._view = None


class _View:
    """The segments of a manifest, opened, and whose profiles have changed since."""

    def __init__(self, folder: Path, there: Manifest) -> None:
        self.manifest, self.seq, self._change = there, there.seq, there.change
        self.changed: set[str] = set()
        self._db = duckdb.connect(
            config={
                "memory_limit": MEMORY, "threads": 2, "autoinstall_known_extensions": False,
                "temp_directory": str((folder / "spill").absolute()),
            }
        )  # fmt: skip
        attach(self._db, folder, there)
        self._db.execute("SET enable_external_access = false; SET lock_configuration = true")
        self._draws: dict[tuple[int, str], str] = {}
        self._made = 0
        self._fits: dict[tuple[int, str, str, str], str] = {}
        self._facts = []
        for index in range(len(there.segments)):
            self._db.execute(f"CREATE TABLE stale{index} (pid INTEGER, root VARCHAR)")
            later = range(index + 1, len(there.segments))
            for each in later:
                self._set_aside(index, f"SELECT root FROM s{each}.replaces", [])  # noqa: S608
            self._facts.append(self._row(f"SELECT {FACTS} FROM s{index}.profile"))  # noqa: S608

    def _row(self, query: str, values: Any = None) -> Any:
        return self._db.execute(query, values).fetchone()

    def _set_aside(self, index: int, roots: str, values: list[Any]) -> None:
        self._db.execute(
            f"INSERT INTO stale{index} SELECT pid, root FROM s{index}.profile WHERE root IN ({roots}) "  # noqa: S608
            f"AND root NOT IN (SELECT root FROM stale{index})",
            values,
        )

    def follow(self, log: Log) -> None:
        """Learn whose profiles have changed since the last look."""
        place = log.place()
        if place == (self.seq, self._change):
            return
        touched = log.touched(self.seq, self._change, lambda columns: roots_of(self._db, self.manifest, columns))
        self.seq, self._change = place
        fresh = list(touched - self.changed)
        if fresh:
            self.changed |= touched
            for index in range(len(self.manifest.segments)):
                self._set_aside(index, "SELECT unnest($1)", [fresh])

    def narrow(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], *, members: int) -> Narrowed:
        """Return what the segments say; of who has changed nothing."""
        if len(self._fits) >= MOST_EXPRESSIONS:
            for name in self._fits.values():
                self._db.execute(f"DROP TABLE {name}")
            self._fits.clear()
        matches = of = 0
        unsure: list[str] = []
        sure: list[str] = []
        for index in range(len(self.manifest.segments)):
            wanted = members - len(sure)
            if members and not wanted:
                break
            one = self._segment(index, rule, moment, audiences, members=wanted)
            matches, of = matches + one[0], of + one[1]
            unsure += one[2]
            sure += one[3]
        asked = (*unsure, *sorted(self.changed))
        return Narrowed(
            matches,
            of,
            tuple(map(identifier, unsure)),
            tuple(map(identifier, asked[len(unsure) :])),
            tuple(map(identifier, sure)),
        )

    def _segment(
        self, index: int, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], *, members: int
    ) -> tuple[int, int, list[str], list[str]]:
        """Return how many match, of how many; the roots of those that may, and with `members` of those that do."""
        traits_at, last_seen, first_seen, odd, everybody = (fact or 0 for fact in self._facts[index])
        compiler = Compiler(
            f"s{index}", moment, audiences, traits_at=traits_at, last_seen=last_seen,
            draws=lambda seed: self._drawn(index, seed),
            fitting=lambda table, path, pattern: self._fitting(index, table, path, pattern),
        )  # fmt: skip
        answer = compiler.rule(rule)
        there = []
        if first_seen > moment.now:
            there.append(f"p.first_seen <= {moment.now:d}")
        stale = self._row(f"SELECT count(*) FROM stale{index}")[0]  # noqa: S608
        if stale:
            there.append(f"p.pid NOT IN (SELECT pid FROM stale{index})")  # noqa: S608
        plain = ["NOT p.odd"] if odd else []
        source = f"FROM s{index}.profile AS p"
        of = everybody - stale
        if first_seen > moment.now:
            of = self._row(f"SELECT count(*) {source} WHERE {' AND '.join(there)}")[0]
        value = compiler.ask.value

        def where(*conditions: str) -> str:
            return f"WHERE {' AND '.join([*there, *conditions])}"

        unsure: list[str] = []
        if odd:
            unsure += self._roots(f"SELECT p.root {source} {where('p.odd')}", {})
        if not answer.exact:
            query = f"SELECT p.root {source} {where(*plain, answer.maybe, f'NOT {answer.sure}')}"
            unsure += self._roots(query, value.used(query))
        if answer.sure == "false":
            return 0, of, unsure, []
        if members:
            query = f"SELECT p.root {source} {where(*plain, answer.sure)}"
            sure = list(self._roots(query, value.used(query)))
            return len(sure), of, unsure, sure
        query = f"SELECT count(*) {source} {where(*plain, answer.sure)}"
        return self._row(query, value.used(query))[0], of, unsure, []

    def _roots(self, query: str, values: Mapping[str, Any]) -> Iterator[str]:
        found = self._db.execute(query, dict(values))
        while rows := found.fetchmany(AT_ONCE):
            yield from (root for (root,) in rows)

    def _drawn(self, index: int, seed: str) -> str:
        """Return the table of where the profiles of a segment stand under a seed, made when it is first asked for."""
        known = self._draws.get((index, seed))
        if known is not None:
            return known
        name = self._draws[index, seed] = f"draw{len(self._draws)}"
        roots = self._db.execute(f"SELECT root FROM s{index}.profile ORDER BY pid").fetchall()  # noqa: S608
        places = np.fromiter((drawn(identifier(root), seed) for (root,) in roots), np.float64, len(roots))
        self._db.register("fresh", {"pid": np.arange(len(roots), dtype=np.int32), "place": places})
        self._db.execute(f"CREATE TABLE {name} AS SELECT * FROM fresh")  # noqa: S608
        self._db.unregister("fresh")
        return name

    def _fitting(self, index: int, table: str, path: str, pattern: str) -> str:
        """Return the table of what is said under a path that fits an expression: each text is looked at once."""
        known = self._fits.get((index, table, path, pattern))
        if known is not None:
            return known
        self._made += 1
        name = self._fits[index, table, path, pattern] = f"fits{self._made}"
        query = f"SELECT DISTINCT said FROM s{index}.{table} WHERE path = $1 AND said IS NOT NULL"  # noqa: S608
        fits, found = pattern_of(pattern), self._db.execute(query, [path])
        passing: list[str] = []
        while rows := found.fetchmany(AT_ONCE):
            passing += [said for (said,) in rows if fits(said)]
        self._db.execute(f"CREATE TABLE {name} (said VARCHAR)")
        if passing:
            self._db.execute(f"INSERT INTO {name} SELECT unnest($1)", [passing])
        return name
