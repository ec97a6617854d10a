"""Past opens: each can be drawn again from what is kept of it, whatever has happened since."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from tests.asgi import ask
from tests.scenarios.test_who_fetched import CHROME
from tests.web.test_open import JANE, SHOP, House
from wetink.cli import main
from wetink.core.blocks.block import Block, Decision, Fallback, decision_id
from wetink.core.client_classification import facts_of
from wetink.core.profile.person import Moment
from wetink.ports.archive import Opened
from wetink.store.sqlite.archive import SQLiteArchive
from wetink.web.app import create

DAY = 86_400_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    yield made
    asyncio.run(made.wetink.close())


def kept(house: House, **narrowed: Any) -> list[Opened]:
    return list(asyncio.run(house.wetink.archive.newest(house.now, 50, **narrowed)))


def again(house: House, opened: Opened, slot: int = 1) -> bytes:
    return asyncio.run(house.wetink.again(opened, slot)).body


@pytest.mark.parametrize("query", ["", "?scheme=dark", "?r=3", "?lang=de&cur=EUR&c=spring"])
@pytest.mark.parametrize("block", ["hero", "hello", "cards"])
def test_an_open_is_drawn_again_byte_for_byte(house: House, block: str, query: str) -> None:
    house.take({"type": "identify", "userId": "jane", "messageId": "i", "timestamp": house.now,
                "traits": {"name": "Jane"}})  # fmt: skip
    house.saw("mug")
    shown = house.get(house.url("picture", block) + query, agent=CHROME).body
    house.now += DAY
    house.saw("lamp")
    assert house.get(house.url("picture", block) + query, agent=CHROME).body != shown or block == "hello"
    [second, first] = kept(house, block=block)
    assert first.decision.at < second.decision.at
    assert again(house, first) == shown


def test_it_is_drawn_with_the_template_and_the_block_of_then(house: House) -> None:
    house.saw("mug")
    shown = house.get(house.url("picture", "hello")).body
    content = house.wetink.settings.data / "content"
    (content / "templates" / "hello.liquid").write_text("<i>Another</i>")
    hello = content / "blocks" / "hello.yaml"
    hello.write_text(hello.read_text().replace("width: 200", "width: 300"))
    asyncio.run(house.wetink.look_again())
    house.now += DAY
    assert house.get(house.url("picture", "hello")).body != shown
    assert again(house, kept(house)[1]) == shown
    hello.unlink()
    asyncio.run(house.wetink.look_again())
    assert again(house, kept(house)[1]) == shown


def test_opens_as_data_are_kept_too_and_previews_and_strangers_are_not(house: House) -> None:
    house.saw("mug")
    asyncio.run(house.wetink.preview("hero", JANE, Moment(house.now)))
    house.get("/o/hero/1/forged.jpg")
    house.get(house.url("picture", "hero"), "HEAD")
    assert kept(house) == []
    house.data()
    [opened] = kept(house, recipients=["user:jane"])
    assert [item.key for item in opened.decision.items] == ["mug"]
    assert kept(house, recipients=["user:else"]) == []


def test_nothing_that_is_kept_names_an_address_or_a_program(house: House, tmp_path: Path) -> None:
    moment = Moment(house.now, facts=facts_of(CHROME), city="Bern", latitude=46.9480, longitude=7.4474)
    asyncio.run(house.wetink.read(house.wetink.block("hero"), JANE, moment))
    [opened] = kept(house)
    assert (opened.moment.city, opened.moment.latitude, opened.moment.longitude) == ("Bern", None, None)
    house.get(house.url("picture", "hero"), agent=CHROME)
    house.wetink.archive.flush()
    for path in house.wetink.settings.data.glob("archive.db*"):
        body = path.read_bytes()
        assert b"46.948" not in body
        assert b"AppleWebKit" not in body
        assert b"127.0.0.1" not in body


def test_what_is_kept_is_bounded_by_days_and_by_size(tmp_path: Path) -> None:
    now = [100 * DAY]
    block = Block("hero", Fallback(f"{SHOP}/"))

    def named(number: int, at: int) -> str:
        return decision_id("hero", f"user:{number}", "", at)

    def opened(number: int, at: int) -> Opened:
        decision = Decision(
            named(number, at), "hero", "user:jane", "", at, "", "", "", {"x": "y" * 2_000}, (), (f"{SHOP}/",), ()
        )
        return Opened(decision, Moment(at), block, "")

    async def run() -> tuple[list[str], int]:
        archive = SQLiteArchive(tmp_path, lambda: now[0], days=2, most_bytes=4 << 20)
        archive.keep(opened(0, 97 * DAY))
        archive.keep(opened(1, 99 * DAY))
        archive.flush()
        await archive.tidy()
        left = [each.decision.id for each in await archive.newest(now[0], 10)]
        for number in range(2, 6_000):
            archive.keep(opened(number, now[0]))
            if number % 500 == 0:
                archive.flush()
                await archive.tidy()
        count = len(await archive.newest(now[0], 10_000, block="hero"))
        newest = await archive.find(named(5_999, now[0]))
        await archive.close()
        assert newest is not None
        return left, count

    left, count = asyncio.run(run())
    assert left == [named(1, 99 * DAY)]
    assert 1_000 < count < 4_500
    assert (tmp_path / "archive.db").stat().st_size < 12 << 20


def test_a_block_that_another_process_tidied_away_is_kept_again_with_the_next_open(tmp_path: Path) -> None:
    def opened(number: int, at: int) -> Opened:
        id_ = decision_id("hero", f"user:{number}", "", at)
        decision = Decision(id_, "hero", f"user:{number}", "", at, "", "", "", {}, (), (), ())
        return Opened(decision, Moment(at), Block("hero", Fallback(f"{SHOP}/")), "the template")

    async def run() -> tuple[Opened | None, Opened | None]:
        one, other = (SQLiteArchive(tmp_path, lambda: 100 * DAY, days=2, most_bytes=1 << 30) for _ in range(2))
        old, new = opened(1, 90 * DAY), opened(2, 100 * DAY)
        one.keep(old)
        one.flush()
        assert not await other.tidy()
        one.keep(new)
        one.flush()
        found = await other.find(old.decision.id), await other.find(new.decision.id)
        await one.close()
        await other.close()
        return found

    gone, kept = asyncio.run(run())
    assert gone is None
    assert kept is not None
    assert kept.template == "the template"


def test_any_id_and_any_time_may_be_asked_for_and_any_number_of_days_kept(tmp_path: Path) -> None:
    async def run() -> list[int]:
        archive = SQLiteArchive(tmp_path, lambda: 5, days=10**9, most_bytes=1 << 30)
        decision = Decision(
            decision_id("hero", "user:jane", "", 5), "hero", "user:jane", "", 5, "", "", "", {}, (), (), ()
        )
        archive.keep(Opened(decision, Moment(5), Block("hero", Fallback(f"{SHOP}/")), ""))
        archive.flush()
        await archive.tidy()
        for odd in ("", "none", "f" * 40, "-1", "ffffffffffff", decision.id + "0", "é" * 12):
            assert await archive.find(odd) is None
        assert await archive.find(decision.id) is not None
        found = [len(await archive.newest(until, 10)) for until in (-(10**20), -1, 4, 5, 10**20)]
        await archive.close()
        return found

    assert asyncio.run(run()) == [0, 0, 0, 1, 1]


def test_with_no_days_nothing_is_kept(tmp_path: Path) -> None:
    async def run() -> int:
        archive = SQLiteArchive(tmp_path, lambda: 5, days=0, most_bytes=1 << 20)
        decision = Decision(
            decision_id("hero", "user:jane", "", 5), "hero", "user:jane", "", 5, "", "", "", {}, (), (), ()
        )
        archive.keep(Opened(decision, Moment(5), Block("hero", Fallback(f"{SHOP}/")), ""))
        found = len(await archive.newest(5, 10))
        await archive.close()
        return found

    assert asyncio.run(run()) == 0


def test_an_open_that_cannot_be_written_down_loses_no_other(tmp_path: Path) -> None:
    ids = [decision_id("hero", "user:jane", campaign, 5) for campaign in ("bad", "good")]

    async def run() -> list[str]:
        archive = SQLiteArchive(tmp_path, lambda: 5, days=1, most_bytes=1 << 30)
        block = Block("hero", Fallback(f"{SHOP}/"))
        for name, facts in ((ids[0], {"x": object()}), (ids[1], {})):
            decision = Decision(name, "hero", "user:jane", "", 5, "", "", "", {}, (), (), (), facts)
            archive.keep(Opened(decision, Moment(5), block, ""))
        found = [each.decision.id for each in await archive.newest(5, 10)]
        await archive.close()
        return found

    assert asyncio.run(run()) == ids[1:]


def test_programs_read_past_opens_with_the_token_and_nobody_else(house: House) -> None:
    house.saw("mug")
    shown = house.get(house.url("picture", "hero")).body
    app = create(house.wetink)
    bearer = {"authorization": f"Bearer {house.wetink.dashboard_token}"}

    def get(path: str, headers: dict[str, str] = bearer) -> Any:
        return asyncio.run(ask(app, "GET", path, headers=headers))

    [listed] = get(f"/api/opens?who=user:jane&block=hero&until={house.now}").json
    assert listed["items"][0]["sku"] == "mug"
    assert get(f"/api/opens/{listed['id']}").json["moment"]["now"] == house.now
    assert get(f"/api/opens/{listed['id']}/1.img").body == shown
    assert get("/api/opens?who=jane").status == 400
    assert get("/api/opens/none").status == 404
    for path in ("/api/opens", f"/api/opens/{listed['id']}", f"/api/opens/{listed['id']}/1.img"):
        assert get(path, {}).status == 401
        assert get(path, {"authorization": "Bearer x"}).status == 401


def test_the_command_line_lists_past_opens_and_draws_one_again(house: House, tmp_path: Path) -> None:
    house.saw("mug")
    shown = house.get(house.url("picture", "hero")).body
    [opened] = kept(house)
    data = ["--data", str(house.wetink.settings.data)]
    listed = CliRunner().invoke(main, ["opens", "list", "--who", "user:jane", *data]).output
    assert opened.decision.id in listed
    assert "The mug" in listed
    saved = tmp_path / "again.jpg"
    said = CliRunner().invoke(main, ["opens", "show", opened.decision.id, "--image", str(saved), *data]).output
    assert "hero for user:jane at" in said
    assert saved.read_bytes() == shown
    told = msgspec.json.decode(CliRunner().invoke(main, ["opens", "show", opened.decision.id, "--json", *data]).output)
    assert told["decision"]["id"] == opened.decision.id
    gone = CliRunner().invoke(main, ["opens", "show", "none", *data])
    assert gone.exit_code == 1
    assert "archive_days" in gone.output
