"""`wetink doctor` examines a wetink on PostgreSQL as it does one on SQLite."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.run import wetink
from tests.cli.test_doctor import ABOUT_THE_MACHINE
from tests.contracts.test_inspection import WRONG, filled
from tests.postgresql import Server
from wetink.settings import read
from wetink.wiring import Wetink

PAGE = 8_192


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    made.sql("CREATE DATABASE wetink")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def data(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose store is in the server, with a shop's messages."""
    data = tmp_path_factory.mktemp("doctor") / "data"

    async def fill() -> None:
        async with Wetink(read({"WETINK_STORE": server.address("wetink")}, data=data), draws=False) as made:
            await filled(made.store)
            await made.store.sources.create_key("shop", "server", (), 1)

    asyncio.run(fill())
    return data


def states(server: Server, data: Path, *more: str, status: int = 0) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    told = wetink("doctor", "--data", data, "--json", *more, status=status, WETINK_STORE=server.address("wetink"))
    for each in json.loads(told):
        found.setdefault(each["check"], set()).add(each["state"])
    return found


def test_wrong_derived_data_is_found_and_repaired(server: Server, data: Path) -> None:
    whole = states(server, data, "--all")
    assert {check: some for check, some in whole.items() if some != {"ok"} and check not in ABOUT_THE_MACHINE} == {}
    for statement in WRONG.values():
        server.sql(statement, "wetink")
    assert {check for check, some in states(server, data, status=1).items() if some == {"problem"}} == {*WRONG}
    repaired = states(server, data, "--all", "--repair")
    assert {check for check, some in repaired.items() if some == {"repaired"}} == {*WRONG}
    assert states(server, data, "--all") == whole


def test_damaged_pages_and_indexes_are_found(server: Server, data: Path) -> None:
    server.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'holding_by_owner'::regclass", "wetink")
    path = server.data / server.sql("SELECT pg_relation_filepath('claim')", "wetink").strip()
    server.stop()
    with path.open("r+b") as file:
        file.seek(PAGE // 2)
        file.write(b"\xff" * 100)
    server.start()
    told = wetink("doctor", "--data", data, "--json", status=1, WETINK_STORE=server.address("wetink"))
    faults = [each["text"] for each in json.loads(told) if each["check"] == "store"]
    assert any("claim: invalid page" in text for text in faults), faults
    assert any("REINDEX INDEX CONCURRENTLY holding_by_owner" in text for text in faults), faults
