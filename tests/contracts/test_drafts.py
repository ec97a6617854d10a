"""The contract of drafts: one for each file, never over somebody else's, and no revision comes twice."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.loop import run
from wetink.core.errors import Conflict
from wetink.ports import Storage
from wetink.ports.content import Draft, Drafts, digest

HERO, SALE = "blocks/hero.yaml", "templates/sale.liquid"
AT = 1_700_000_000_000


@pytest.fixture
def make(another: Callable[[], Storage]) -> Callable[[], Drafts]:
    """Makes what another process would hold of the same store."""
    return lambda: another().drafts


def put(
    drafts: Drafts, body: bytes | None, expected: int = 0, by: str = "ida", at: int = AT, path: str = HERO
) -> Draft:
    made: Draft = run(drafts.put(path, body, digest(b"base"), expected, by, at))
    return made


def test_a_draft_is_read_in_every_process_as_it_was_saved(make: Callable[[], Drafts]) -> None:
    one, other = make(), make()
    assert (run(other.get(HERO)), run(other.all())) == (None, [])
    draft = put(one, b"\0\xff one")
    assert draft == Draft(HERO, b"\0\xff one", digest(b"base"), 1, "ida", AT)
    sale = put(other, None, by="bob", path=SALE)
    assert (run(other.get(HERO)), run(one.get(SALE))) == (draft, sale)
    assert run(make().all()) == [draft, sale]
    assert put(other, b"", 1, "bob") == Draft(HERO, b"", digest(b"base"), 2, "bob", AT)


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_nobody_saves_over_a_draft_that_they_have_not_seen(make: Callable[[], Drafts], expected: int) -> None:
    one, other = make(), make()
    put(one, b"one")
    there = put(one, b"two", 1, "bob")
    with pytest.raises(Conflict, match=r"bob saved blocks/hero\.yaml on 2023-11-14 at 22:13 UTC"):
        put(other, b"mine", expected)
    with pytest.raises(Conflict, match="bob saved"):
        run(other.drop(HERO, expected))
    assert run(one.get(HERO)) == there


def test_a_draft_that_was_dropped_is_gone_and_its_revisions_never_come_again(make: Callable[[], Drafts]) -> None:
    one, other = make(), make()
    put(one, b"one")
    run(other.drop(HERO, 1))
    assert (run(one.get(HERO)), run(one.all())) == (None, [])
    run(one.drop(HERO, 1))
    run(one.drop("blocks/never.yaml", 4))
    with pytest.raises(Conflict, match="published or discarded"):
        put(other, b"stale", 1)
    assert put(one, b"new").revision == 2
    with pytest.raises(Conflict):
        put(other, b"stale", 1)
    with pytest.raises(Conflict):
        run(other.drop(HERO, 1))


def test_of_many_that_save_at_once_one_succeeds(make: Callable[[], Drafts]) -> None:
    several = [make() for _ in range(4)]

    async def story(expected: int) -> list[Any]:
        tries = (each.put(HERO, b"%d" % n, "", expected, f"p{n}", AT) for n, each in enumerate(several * 4))
        return await asyncio.gather(*tries, return_exceptions=True)

    for revision in (0, 1):
        found = run(story(revision))
        assert [type(each) for each in found].count(Conflict) == 15
        assert run(several[0].get(HERO)) in found


def test_only_the_owner_reads_drafts_and_closing_twice_is_fine(make: Callable[[], Drafts], tmp_path: Path) -> None:
    drafts = make()
    put(drafts, b"one")
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    run(drafts.close())
    run(drafts.close())
