"""What a process remembers of products: what is being written is not believed before it is committed."""

from collections.abc import Callable, Mapping

import pytest

from wetink.core.catalog import Facts, learn
from wetink.core.event import Event, Product
from wetink.store.sqlite.heard import Heard

MUG = Product(sku="M", name="Mug", price=5.0)
CHEAPER = Product(sku="M", name="Mug", price=4.0)
NOW = 1_790_000_000_000

Say = Callable[..., tuple[list[bool], list[str]]]


class Catalog:
    """What is committed, and how often somebody looked."""

    def __init__(self) -> None:
        self.facts: dict[str, Facts] = {}
        self.revised: list[str] = []
        self.looked: list[str] = []

    def read(self, skus: set[str]) -> Mapping[str, Facts]:
        self.looked += sorted(skus)
        return {sku: dict(self.facts.get(sku, {})) for sku in skus}

    def since(self, revision: int) -> tuple[int, list[str]]:
        return len(self.revised), self.revised[max(0, revision) :]

    def commit(self, said: Product, at: int) -> None:
        learn(self.facts.setdefault(said.sku, {}), said, at)


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def say(catalog: Catalog, heard: Heard) -> Say:
    def told(*said: Product, at: int = NOW) -> tuple[list[bool], list[str]]:
        events = [Event("track", at, f"m{n}", "s", products=(each,)) for n, each in enumerate(said)]
        return heard.tells(events, catalog.read, catalog.since)

    return told


def test_what_was_written_is_known_without_looking_again(catalog: Catalog, heard: Heard, say: Say) -> None:
    tells, told = say(MUG)
    catalog.commit(MUG, NOW)
    heard.settled(told, written=True)
    assert tells == [True]
    assert say(MUG, at=NOW + 1_000)[0] == [False]
    assert catalog.looked == ["M"]


def test_what_is_still_being_written_is_told_again(say: Say) -> None:
    say(MUG)
    assert say(MUG)[0] == [True], "the first may never be written"


def test_what_was_not_written_is_looked_up_again(catalog: Catalog, heard: Heard, say: Say) -> None:
    heard.settled(say(MUG)[1], written=False)
    tells, told = say(MUG)
    assert tells == [True]
    assert catalog.looked == ["M", "M"]
    heard.settled(told, written=True)


def test_one_of_several_writers_that_fails_spoils_what_all_of_them_said(
    catalog: Catalog, heard: Heard, say: Say
) -> None:
    first, second = say(MUG)[1], say(CHEAPER, at=NOW + 1)[1]
    catalog.commit(MUG, NOW)
    heard.settled(second, written=False)
    heard.settled(first, written=True)
    assert say(CHEAPER, at=NOW + 2)[0] == [True]
    assert catalog.looked == ["M", "M"]


def test_what_others_revise_meanwhile_is_looked_up_again(catalog: Catalog, heard: Heard, say: Say) -> None:
    told = say(MUG)[1]
    catalog.commit(CHEAPER, NOW + 1)
    catalog.revised.append("M")
    assert say(Product(sku="other", name="Other"))[0] == [True]  # hears of the revision
    heard.settled(told, written=True)
    assert say(Product(sku="M", price=5.0), at=NOW + 2)[0] == [True], "it costs 4 by now"
