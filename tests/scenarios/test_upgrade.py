"""A server goes on while a process of the next version changes the tables, and clients go over to that one."""

import asyncio
from pathlib import Path

import pytest

from tests.postgresql import shared
from tests.upgrade import story


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_server_goes_on_while_the_next_version_changes_the_tables(tmp_path: Path, engine: str) -> None:
    store = f"sqlite:///{tmp_path}/store"
    if engine == "postgresql":
        shared().sql("CREATE DATABASE upgraded")
        store = shared().address("upgraded")
    wrong, clients = asyncio.run(story(tmp_path, store, messages=1_500, count=30))
    assert wrong == []
    assert clients.refused == {}
    if engine == "postgresql":
        unfilled = "SELECT count(*) FROM message WHERE message_id LIKE 'before%' AND next IS NULL"
        assert shared().sql(unfilled, "upgraded").strip() == "0", "the next version has filled in its column"
        shared().sql("DROP DATABASE upgraded WITH (FORCE)")
