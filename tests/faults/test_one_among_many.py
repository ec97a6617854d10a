"""One among many: wherever work is grouped, what is odd about one piece of it is an answer to that one alone."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec.structs import replace

from tests.asgi import ask
from tests.scenarios.test_who_fetched import CHROME
from tests.storage import all_at_once, opened
from tests.store.said import NOW, message
from tests.web.test_open import JANE, House
from wetink.audiences.webhooks import Hooks
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import Answer as Told
from wetink.core.outbound.webhook import Hook, Outcome, Post
from wetink.core.profile.person import Moment
from wetink.core.profile.summary import Summary
from wetink.ingest.receive import BATCH, Endpoint, Ingest
from wetink.ports import Record, Source
from wetink.store.sqlite.memberships import SQLiteMemberships
from wetink.web.request import OpenRequest

T = TypeVar("T")
MANY = 100
HALF = "\ud800"
"""Half a character: no file takes it."""
SERVER = Source("shop", "server", ())


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.mark.parametrize("odd", [{"message_id": HALF}, {"received": 1 << 70}, {"raw": object()}])
def test_an_odd_message_leaves_a_hundred_requests_stored(tmp_path: Path, odd: dict[str, Any]) -> None:
    async def stored() -> tuple[list[Any], int]:
        store = opened(tmp_path)
        jobs = [[message(number)] for number in range(MANY)]
        jobs.insert(50, [replace(message(MANY), **odd)])
        answers = await asyncio.gather(*map(store.log.append, jobs), return_exceptions=True)
        there = await store.log.messages(limit=1000)
        await store.close()
        del answers[50]
        return answers, len(there)

    answers, there = run(stored())
    assert answers == [[False]] * MANY
    assert there == MANY


class Picky:
    """A log that does not take everything."""

    def __init__(self, refused: str) -> None:
        self.refused, self.taken = refused, list[str]()

    async def append(self, batch: Sequence[Record]) -> Sequence[bool]:
        if any(each.message_id == self.refused for each in batch):
            raise RuntimeError("not this one")
        self.taken += [each.message_id for each in batch]
        return [False] * len(batch)


def body(*numbers: int) -> bytes:
    each = [{"type": "track", "event": "X", "userId": "u", "messageId": f"m{number}"} for number in numbers]
    return msgspec.json.encode({"batch": each})


def test_a_rejected_append_leaves_a_hundred_requests_answered() -> None:
    async def taken() -> list[Any]:
        ingest = Ingest(Picky("m50"))
        work = (ingest.receive(body(number), SERVER, BATCH, NOW) for number in range(MANY + 1))
        return await asyncio.gather(*work, return_exceptions=True)

    answers = run(taken())
    assert isinstance(answers.pop(50), RuntimeError)
    assert all(len(each) == 1 for each in answers)


def test_an_unreadable_message_is_parked_and_the_rest_of_its_request_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from wetink.ingest import receive as module

    def made(piece: Any, *given: Any, **named: Any) -> Any:
        if b'"m50"' in piece.raw:
            raise ZeroDivisionError("nobody has thought of this")
        return real(piece, *given, **named)

    real = module.normalize
    monkeypatch.setattr(module, "normalize", made)

    async def taken() -> tuple[int, list[Any]]:
        store = opened(tmp_path)
        duplicates = await Ingest(store.log).receive(body(*range(MANY + 1)), SERVER, BATCH, NOW)
        again = await Ingest(store.log).receive(body(50), SERVER, BATCH, NOW + 9)
        there = await store.log.messages(limit=1000, verdict="parked")
        await store.close()
        assert again == [True]
        return len(duplicates), list(there)

    count, [parked] = run(taken())
    assert count == MANY + 1
    assert (parked.problems[0].code, b'"m50"' in parked.raw) == ("unreadable", True)
    assert "nobody has thought of this" in caplog.text


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data", draws=False)
    yield made
    run(made.wetink.close())


def test_an_open_that_cannot_be_answered_leaves_a_hundred_that_are(house: House) -> None:
    async def answered() -> list[int]:
        heard: list[int] = []
        done = asyncio.Event()

        def tell(status: int, headers: Any, body: bytes) -> None:
            heard.append(status)
            if len(heard) == MANY + 1:
                done.set()

        def gone(status: int, headers: Any, body: bytes) -> None:
            raise ConnectionResetError("whoever asked is gone")

        for number in range(MANY):
            token = house.wetink.seals.seal(Identifier("user", f"u{number}"), "hero", "data")
            asked = OpenRequest("GET", f"/d/hero/{token}.json", b"", {}, "127.0.0.1")
            if number == 37:
                house.door.take(asked, b"", gone)
                house.door.take(OpenRequest("GET", "/d/\0/\ud800", b"", {b"user-agent": b"\xff"}, "?"), b"", tell)
            house.door.take(asked, b"", tell)
        await asyncio.wait_for(done.wait(), 60)
        return heard

    heard = run(answered())
    assert heard.count(200) == MANY


@pytest.mark.parametrize("slot", [2, 12, 13, 62, 63, 64, 98, 99])
def test_a_slot_beyond_the_blocks_own_shows_nothing_and_harms_nobody(house: House, slot: int) -> None:
    house.saw("mug")
    fallback = house.get("/o/hero/1.jpg?user=nobody").body

    async def opened() -> list[bytes]:
        paths = [f"/o/hero/1.jpg?user=u{number}" for number in range(20)]
        paths[7] = f"/o/hero/{slot}.jpg?user=jane"
        agent = {"user-agent": CHROME}
        return [
            each.body for each in await asyncio.gather(*(ask(house.door, "GET", path, headers=agent) for path in paths))
        ]

    assert set(run(opened())) == {fallback}, "nobody has seen anything but jane, and she not in that slot"
    wetink = house.wetink
    picture = run(wetink.opens.open(wetink.content, "hero", slot, JANE, Moment(house.now), counted=False))
    assert not picture.stopgap
    click = house.get(house.url("click", "hero", slot)).headers["location"]
    assert click == "https://shop.example/"
    assert run(house.wetink.store.ledger.touches(["user:jane"], 0, 1 << 61)) == []
    house.get(house.url("picture", "hero"), agent=CHROME)
    assert len(run(house.wetink.store.ledger.touches([str(JANE)], 0, 1 << 61))) == 1


@pytest.mark.parametrize("odd", [Product(sku="odd", name=HALF), Product(sku="odd", stock=1 << 70), Product(sku=HALF)])
def test_an_odd_product_leaves_a_hundred_in_the_catalog(tmp_path: Path, odd: Product) -> None:
    async def known() -> int:
        store = opened(tmp_path)
        products = [Product(sku=f"s{number}", name=f"The {number}", price=9.0) for number in range(MANY)]
        await store.catalog.learn([*products[:37], odd, *products[37:]], NOW)
        there = await store.catalog.products([product.sku for product in products])
        found = await store.catalog.search("The")
        await store.close()
        assert found
        return len(there)

    assert run(known()) == MANY


def test_somebody_who_cannot_be_summed_up_leaves_the_others_their_summaries(tmp_path: Path) -> None:
    async def summed_up() -> list[bool]:
        store = opened(tmp_path)
        for who in ("a", "odd", "b"):
            messages = [{"type": "track", "event": "X", "userId": who, "messageId": f"{who}{n}"} for n in range(20)]
            await Ingest(store.log).receive(msgspec.json.encode({"batch": messages}), SERVER, BATCH, NOW)

        made: list[int] = []

        def make(entries: Sequence[Any]) -> Summary:
            made.append(len(entries))
            if len(made) == 2:
                raise ZeroDivisionError
            return Summary(b"x")

        while await store.profiles.summarize(make, 1, NOW + 10**9, 100):
            pass
        people = [Identifier("user", who) for who in ("a", "odd", "b")]
        loaded = await store.profiles.load(dict.fromkeys(people, ""), NOW + 10**9, rules=1)
        found = [loaded[who].summary is not None for who in people]
        await store.close()
        return found

    assert sum(run(summed_up())) == 2


def test_a_hook_that_one_change_breaks_tells_the_others_and_gives_that_one_up(tmp_path: Path) -> None:
    class Posts:
        def __init__(self) -> None:
            self.sent: list[bytes] = []

        async def send(self, post: Post) -> Told:
            if b"u37" in post.body:
                raise ZeroDivisionError("nobody has thought of this")
            self.sent.append(post.body)
            return Told(200)

        async def close(self) -> None:
            pass

    async def told() -> tuple[int, dict[Any, int]]:
        kept, store, posts = SQLiteMemberships(tmp_path), opened(tmp_path), Posts()
        hooks = Hooks(kept, store.profiles, posts, b"secret", "KEY")
        people = [Identifier("user", f"u{number}") for number in range(MANY)]

        def tell(change: Any, first: bool) -> bool:
            if change.member.value == "u50":
                raise ZeroDivisionError("nor of this")
            return True

        await kept.take("vip", all_at_once(*people), NOW, tell)
        await hooks.deliver({"vip": Hook("https://shop.example/vip")}, lambda: NOW)
        await kept.settle([("no such", Outcome("waiting", NOW, HALF))])
        tallies = await kept.tallies("vip")
        await kept.close()
        await store.close()
        return len(posts.sent), dict(tallies)

    sent, tallies = run(told())
    assert sent == tallies["delivered"] == MANY - 2
    assert tallies["waiting"] == 1, "it is tried again, as what a receiver did not take"


def test_single_messages_beside_one_that_is_no_json_are_stored(tmp_path: Path) -> None:
    async def told() -> tuple[list[str], int]:
        store = opened(tmp_path)
        ingest, heard = Ingest(store.log), dict[int, str]()
        done = asyncio.Event()

        def tell(number: int, outcome: Any) -> None:
            heard[number] = type(outcome).__name__
            if len(heard) == MANY:
                done.set()

        for number in range(MANY):
            raw = b"{" if number == 50 else b'{"event":"X","userId":"u","messageId":"m%d"}' % number
            ingest.take(raw, SERVER, Endpoint(type="track"), NOW, lambda outcome, number=number: tell(number, outcome))
        await asyncio.wait_for(done.wait(), 60)
        there = await store.log.messages(limit=1000)
        await store.close()
        return [heard[number] for number in range(MANY)], len(there)

    heard, there = run(told())
    assert heard.pop(50) == "BadRequest"
    assert set(heard) == {"list"}
    assert there == MANY - 1
