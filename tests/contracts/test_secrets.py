"""The contract of secrets: the first one kept stays until somebody who knows it replaces it, in every process."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.loop import run
from wetink.core.errors import Conflict
from wetink.ports import Storage
from wetink.ports.keys import Secrets


@pytest.fixture
def make(another: Callable[[], Storage]) -> Callable[[], Secrets]:
    """Makes what another process would hold of the same store."""
    return lambda: another().secrets


def test_the_first_secret_of_a_name_is_kept_in_every_process(make: Callable[[], Secrets]) -> None:
    one, other = make(), make()
    assert run(one.all()) == {}
    run(one.keep("seal.keys", "first"))
    run(other.keep("seal.keys", "second"))
    run(other.keep("hooks.key", "é"))
    assert run(one.all()) == run(make().all()) == {"seal.keys": "first", "hooks.key": "é"}


def test_of_many_that_make_a_secret_at_once_all_have_the_same(make: Callable[[], Secrets]) -> None:
    several = [make() for _ in range(4)]

    async def story() -> None:
        await asyncio.gather(*(each.keep("one", f"{n}") for n, each in enumerate(several * 4)))

    run(story())
    assert len({run(each.all())["one"] for each in several}) == 1


def test_a_secret_is_replaced_by_somebody_who_knows_it(make: Callable[[], Secrets]) -> None:
    one, other = make(), make()
    run(one.keep("one", "old"))
    run(other.replace("one", "old", "new"))
    assert run(one.all()) == {"one": "new"}
    for name in ("one", "absent"):
        with pytest.raises(Conflict):
            run(one.replace(name, "old", "newer"))
    assert run(other.all()) == {"one": "new"}


def test_only_the_owner_reads_secrets_and_closing_twice_is_fine(make: Callable[[], Secrets], tmp_path: Path) -> None:
    secrets = make()
    run(secrets.keep("one", "secret"))
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    run(secrets.close())
    run(secrets.close())
