"""The crowd: what is said of all people at once is what is said of each of them, whatever they did."""

import random
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.asking import holds
from tests.contracts.columns import columns_of, laid_out
from tests.contracts.engines import ENGINES
from tests.contracts.loop import run
from tests.contracts.profiles import received
from tests.core.rules.asking import DAY, NOW
from tests.core.rules.rules import EVENTS, leaves, odd, rules
from tests.examples import examples
from wetink.audiences.segment_query import ColumnCrowd
from wetink.core.identity.holding import FOREVER
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.evaluate import EVERY, compiled
from wetink.core.rules.parse import parse
from wetink.core.rules.tree import Rule
from wetink.opens.lookup import Lookup
from wetink.ports import Record, Storage

USERS, ADDRESSES, DEVICES = ["ann", "bob", "cid"], ["a@x.example", "b@x.example"], ["d1", "d2", "d3"]
_some = st.one_of(st.none(), st.none(), st.sampled_from(["Shoes", "Tea", "7", 7, True]))
_price = st.sampled_from([None, 7, 12.5, "99.99", "free"])


@st.composite
def messages(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A message as a sender sends it: of somebody, of some time, some of them twice, aliases among them."""
    at = NOW - draw(st.sampled_from([-60_000, 0, 60_000, 20 * 60_000, DAY, DAY + 1, 3 * DAY, 30 * DAY, 91 * DAY]))
    kind = draw(st.sampled_from(["track"] * 6 + ["identify", "identify", "page", "alias"]))
    said: dict[str, Any] = {"type": kind, "messageId": f"m{number}", "timestamp": at, "receivedAt": NOW + 2 * DAY}
    carried = {
        "userId": draw(st.sampled_from([None, None, *USERS])),
        "anonymousId": draw(st.sampled_from([None, *DEVICES])),
    }
    address = draw(st.sampled_from([None, None, *ADDRESSES]))
    if not any(carried.values()) and not address:
        carried["anonymousId"] = "d1"
    said |= {name: value for name, value in carried.items() if value}
    traits = {"email": address} if address else {}
    if kind == "alias":
        said |= {"userId": draw(st.sampled_from(USERS)), "previousId": draw(st.sampled_from([*USERS, *DEVICES]))}
    elif kind == "identify":
        traits |= draw(st.dictionaries(st.sampled_from(["plan", "age", "joined", "address", "tags"]), odd, max_size=2))
        traits |= draw(st.sampled_from([{}, {"address": {"city": "Shoes"}}, {"timezone": "Asia/Tokyo"}, {"age": 50}]))
    elif kind == "page":
        said["name"] = "Shoes"
    else:
        said["event"] = draw(st.sampled_from(EVENTS))
        ware = {"sku": draw(st.sampled_from(["a", "b"])), "category": draw(_some), "price": draw(_price),
                "quantity": draw(st.sampled_from([None, 0, 2])), "url": "https://shop.example/a"}  # fmt: skip
        more = draw(st.dictionaries(st.sampled_from(["stars", "gift", "coupon", "gift.wrap"]), odd, max_size=2))
        said["properties"] = {**ware, "query": draw(_some), **more}
        if said["event"] == "Order Completed":
            said["properties"] |= {
                "total": draw(st.sampled_from([7, 12.5, 99.99])),
                "products": [ware] * draw(st.integers(0, 2)),
            }
    said["context"] = {"traits": traits}
    if kind == "identify":
        said["traits"] = traits
    return said


@st.composite
def logs(draw: st.DrawFn) -> list[list[Record]]:
    """Messages in the order in which they came, in some batches; some come again, received another time."""
    told = [draw(messages(number)) for number in range(draw(st.integers(1, 20)))]
    again = draw(st.lists(st.sampled_from(told), max_size=2))
    later = [{**each, "receivedAt": each["receivedAt"] - 1000, "sentAt": each["timestamp"] + 2 * DAY} for each in again]
    arriving = draw(st.permutations([*told, *later]))
    cuts = sorted(draw(st.lists(st.integers(0, len(arriving)), max_size=3)))
    parts = [arriving[start:end] for start, end in zip([0, *cuts], [*cuts, len(arriving)], strict=True)]
    levels = draw(st.sampled_from(["server", "browser"]))
    return [[received(each, levels) for each in part] for part in parts]


async def asked_one_by_one(store: Storage, rule: Any, records: list[Record], now: int) -> tuple[set[Identifier], int]:
    """Ask everybody there is as an open does."""
    names = {each.filed for each in records if each.filed is not None}
    roots = {await store.profiles.resolve(each, FOREVER - 1) for each in names}
    roots |= {Identifier("user", each) for each in USERS} | {Identifier("anonymous", each) for each in DEVICES}
    roots |= {Identifier("email", each) for each in ADDRESSES}
    roots = {root for root in roots if await store.profiles.resolve(root, FOREVER - 1) == root}
    one = compiled(rule)
    found = {root: await holds(store, one, Moment(now), root) for root in roots}
    return {root for root, held in found.items() if held}, sum(held is not None for held in found.values())


@settings(max_examples=examples(12), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    logs(),
    st.lists(st.one_of(leaves, rules), min_size=8, max_size=8),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.sampled_from([NOW, NOW, NOW + 3 * DAY, NOW - 2 * DAY]),
)
def test_a_count_equals_asking_each_person_for_any_log(
    parts: list[list[Record]], said: list[Any], written: list[bool], now: int
) -> None:
    """Whatever has been laid out in columns by then, and whatever came since."""
    for engine in ENGINES.values():
        with TemporaryDirectory() as folder:
            run(_agree(engine(Path(folder)), Path(folder), parts, said, written, now))


async def _agree(
    store: Storage, folder: Path, parts: list[list[Record]], said: list[Any], written: list[bool], now: int
) -> None:
    columns = columns_of(store, folder)
    crowd = ColumnCrowd(store, lambda: columns)
    for part, lay_out in zip(parts, [*written, False], strict=False):
        await store.log.append(part)
        if lay_out:
            laid_out(store, folder)
    records = [each for part in parts for each in part]
    for each in said:
        rule = parse(each)
        members, people = await asked_one_by_one(store, rule, records, now)
        counted = await crowd.count(rule, Moment(now), {})
        listed = await _list(crowd, rule, now)
        assert sorted(listed) == sorted(members), each
        assert (counted.matches, counted.of) == (len(members), people), each
    await columns.close()
    await store.close()


async def _list(crowd: ColumnCrowd, rule: Rule, now: int) -> list[Identifier]:
    return [who async for some in crowd.members(rule, Moment(now), {}) for who in some]


class Folded(Lookup):
    """The people of a store to which nothing is added: each is read and folded once for a moment, not for each rule."""

    def __init__(self, store: Storage) -> None:
        super().__init__(store, None, OrderedDict())
        self._at: dict[tuple[Identifier, int], Person] = {}

    async def person(self, who: Identifier | None, now: int, **_: Any) -> Person:
        assert who is not None
        if (who, now) not in self._at:
            self._at[who, now] = await super().person(who, now, events=frozenset([EVERY]))
        return self._at[who, now]


class Town:
    """Two hundred people with some twenty events each, all of it laid out in columns."""

    def __init__(self, store: Storage, folder: Path) -> None:
        self.store, self.columns = store, columns_of(store, folder)
        self.crowd = ColumnCrowd(self.store, lambda: self.columns)
        self.look = Folded(store)
        chance = random.Random(11)
        self.people = [Identifier("user", f"p{number}") for number in range(200)]
        told = [_message(chance, who, place) for who in self.people for place in range(chance.randrange(2, 40))]
        run(self._fill([received(each) for each in told]))

    async def _fill(self, records: list[Record]) -> None:
        await self.store.log.append(records)
        while await self.store.projections.settle():  # else each read of a product derives all of them again
            pass

    def agrees(self, said: Any, now: int) -> None:
        """Compare a count with asking everybody."""
        rule = parse(said)
        one = compiled(rule)

        async def ask() -> tuple[set[Identifier], list[Identifier], int]:
            held = {who for who in self.people if await holds(self.store, one, Moment(now), who, self.look)}
            counted = await self.crowd.count(rule, Moment(now), {})
            return (
                held,
                await _list(self.crowd, rule, now),
                counted.matches,
            )

        held, members, matches = run(ask())
        assert sorted(members) == sorted(held)
        assert matches == len(held)


def _message(chance: random.Random, who: Identifier, place: int) -> dict[str, Any]:
    edge = chance.choice([0, 1_800_000, DAY, 3 * DAY, 30 * DAY, 90 * DAY]) if chance.random() < 0.4 else None
    at = NOW - (int(chance.random() ** 3 * 100 * DAY) if edge is None else edge)
    said: dict[str, Any] = {"messageId": f"{who.value}-{place}", "userId": who.value, "timestamp": at}
    said |= {"receivedAt": NOW + 1000, "context": {}}
    if place == 0:
        traits = {"plan": chance.choice(["Shoes", "tea", 7, None]), "age": chance.choice([7, "12.5", 50, 99.99, True])}
        traits |= {"joined": chance.choice([at, "2024-10-04", "soon"]), "tags": chance.sample(["Tea", 7, "s", {}], 2)}
        traits["address"] = chance.choice([None, {}, {"city": "Shoes"}, {"city": ["Tea", 7]}, "Ulm"])
        return {**said, "type": "identify", "traits": traits}
    wares = [
        {"sku": chance.choice(["a", "b", "7"]), "category": chance.choice(["Shoes", "Tea", "", None]),
         "price": chance.choice([7, 12.5, 99.99]), "brand": chance.choice(["Shoes", "7.0", "true", None]),
         "quantity": chance.choice([1, 2, 3]), "url": "https://shop.example/a"}
        for _ in range(chance.choice([1, 1, 2, 3]))
    ]  # fmt: skip
    name = chance.choice(EVENTS)
    more = {
        "stars": chance.choice([1, "4.5", None, [1, 7]]),
        "gift": chance.choice([None, {"wrap": "Tea"}, {"wrap": 7}]),
    }
    more |= {"coupon": chance.choice(["Shoes", "7", None]), "query": chance.choice(["Tea", "shoes 7", "Ü"])}
    if name == "Order Completed":
        more |= {"total": chance.choice([7, 12.5, 99.99, 50]), "products": wares, "order_id": f"o{who.value}{place}"}
    else:
        more |= wares[0]
    return {**said, "type": "track", "event": name, "properties": more}


@pytest.fixture(scope="module", params=ENGINES)
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    made = Town(ENGINES[request.param](folder), folder)
    yield made
    run(made.columns.close())
    run(made.store.close())


@settings(max_examples=examples(120), deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.one_of(leaves, rules), now=st.sampled_from([NOW, NOW, NOW + 5000, NOW - 2 * DAY]))
def test_any_rule_counts_the_same_in_columns_and_person_by_person(town: Town, said: Any, now: int) -> None:
    town.agrees(said, now)


ALONE: list[Any] = [
    {"done": "Product Viewed", "where": {"category": "shoes"}, "within": "30d", "at_least": 2},
    {"done": "Order Completed", "where": {"total": {"above": 10}, "category": "Tea", "stars": {"exists": True}}},
    {"done": "Product Added", "exactly": 2, "since": "last order"},
    {"done": "Product Added", "first_time": True, "within": "30d"},
    {"not_done": "Order Completed", "within": "60d"},
    {"any": [{"trait": "plan", "equals": "tea"}, {"trait": "age", "above": 12}, {"trait": "tags", "contains": "e"}]},
    {"trait": "address.city", "exists": True},
    {"trait": "joined", "before": "2024-10-05"},
    {"not": {"trait": "plan", "one_of": ["shoes", 7]}},
    {"maximum": "price", "of": "Product Viewed", "above": 50},
    {"distinct": "sku", "of": "Product Viewed", "at_least": 2},
    {"sum": "total", "of": "Order Completed", "within": "90d", "above": 100.5},
    {"share": "20%", "seed": "x"},
    {"trait": "plan", "matches": "^S.*s$"},
    {"done": "Product Viewed", "where": {"stars": {"matches": "[.]5"}}},
    {"trait": "joined", "anniversary": "this week"},
    {"cart": {"value": {"above": 20}, "items": {"at_least": 2}, "age": {"above": "1d"}, "contains": {"sku": "a"}}},
    {"sequence": [{"done": "Product Viewed"}, {"done": "Order Completed"}], "within": "3d"},
    {
        "sequence": [{"done": "Product Added"}, {"done": "Product Viewed"}, {"done": "Order Completed"}],
        "without": {"done": "Product Removed"},
    },
    {"lifecycle": "active", "new_for": "3d"},
    {"moment": {"device": "mobile"}},
]


@pytest.mark.parametrize("said", ALONE, ids=str)
def test_the_usual_rules_are_counted_without_asking_anybody(town: Town, said: Any) -> None:
    now = NOW + 5000
    narrowed = run(town.columns.narrow(parse(said), Moment(now), {}))
    assert not narrowed.unsure
    assert not narrowed.changed
    town.agrees(said, now)


@pytest.mark.parametrize("value", ["'; DROP TABLE profile; --", "$v1", "\\", "{}", "%s", "\0x", "ü\N{SNOWMAN}"])
def test_no_value_of_a_rule_can_be_more_than_a_value(town: Town, value: str) -> None:
    for said in (
        {"done": value, "where": {value: {"contains": value}, "category": value}, "since": f"last {value}"},
        {"trait": value, "starts_with": value},
        {"distinct": value, "of": value, "above": 1},
        {"share": "50%", "seed": value},
    ):
        town.agrees(said, NOW)
    town.agrees({"done": "Product Viewed"}, NOW)


def test_new_people_are_counted_at_once_by_every_process(store: Storage, tmp_path: Path) -> None:
    town = Town(store, tmp_path)
    other = columns_of(store, tmp_path)
    rule = parse({"done": "Signed Up", "where": {"coupon": "fresh"}})
    crowds = [town.crowd, ColumnCrowd(town.store, lambda: other)]
    assert [run(each.count(rule, Moment(NOW + 9), {})).matches for each in crowds] == [0, 0]
    for number in range(3):
        said = {"messageId": f"f{number}", "userId": f"new{number}", "type": "track", "event": "Signed Up",
                "timestamp": NOW, "receivedAt": NOW + 1, "properties": {"coupon": "fresh"}}  # fmt: skip
        run(town.store.log.append([received(said)]))
        counts = [run(each.count(rule, Moment(NOW + 9), {})) for each in crowds]
        assert [(each.matches, each.of) for each in counts] == [(number + 1, 201 + number)] * 2
        if number == 1:
            laid_out(store, tmp_path)
    run(town.columns.close())
    run(other.close())
