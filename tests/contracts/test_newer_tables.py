"""The next version may add columns and indexes: processes of this one go on with the tables, and start with them."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests import postgresql
from tests.contracts.engines import ENGINES
from tests.contracts.houses import House, derived, fill, records
from tests.contracts.loop import run
from tests.contracts.profiles import everybody, mentioned

SQLITE_TABLES = """
SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'
"""
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
ADDED = 'ALTER TABLE "{0}" ADD next_column TEXT; CREATE INDEX "{0}_next" ON "{0}" (next_column)'


def sqlite(folder: Path) -> int:
    count = 0
    for path in folder.glob("*.db"):
        with apsw.Connection(str(path)) as db:
            db.set_busy_timeout(10_000)
            for (table,) in db.execute(SQLITE_TABLES).fetchall():
                db.execute(ADDED.format(table))
                count += 1
    return count


def postgres(folder: Path) -> int:
    server, name = postgresql.shared(), postgresql.database_of(folder)
    tables = server.sql(TABLES, name).split()
    server.sql("; ".join(ADDED.format(table) for table in tables), name)
    return len(tables)


CHANGES: dict[str, Callable[[Path], int]] = {"sqlite": sqlite, "postgresql": postgres}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_goes_on_when_every_table_gets_another_column(engine: str, tmp_path: Path) -> None:
    house, some = House(engine, tmp_path), records()
    whom = mentioned(some)
    run(house.store.log.append(some[:30]))
    run(fill(house.store))
    assert CHANGES[engine](tmp_path) > 30
    run(house.store.log.append(some[30:60]))
    run(fill(house.store, 1))
    derived(house.store, ["S"])
    house.close()

    house = House(engine, tmp_path)
    run(house.store.log.append(some[60:]))
    run(fill(house.store, 2))
    for projection in ("catalog", "conversions"):
        run(house.store.projections.rebuild(projection))
    found = derived(house.store, ["S"]), everybody(house.store.profiles, whom)
    house.close()

    plain = House(engine, tmp_path / "plain")
    run(plain.store.log.append(some))
    for number in range(3):
        run(fill(plain.store, number))
    assert found == (derived(plain.store, ["S"]), everybody(plain.store.profiles, whom))
    plain.close()
