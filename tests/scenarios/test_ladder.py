"""The ladder of fallbacks: fresh, the last good picture of this person, the block's fallback, an empty picture."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.storage import part_with
from tests.web.test_open import House, image
from wetink.core.errors import StoreUnavailable
from wetink.core.identity.identifier import Identifier
from wetink.opens.drawing import LastGood
from wetink.ports import Picture
from wetink.settings import read
from wetink.store.sqlite.pictures import SQLitePictures
from wetink.web.open import OpenEndpoints
from wetink.wiring import Wetink


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    made.wetink.opens._deadline = 0.5
    yield made
    asyncio.run(made.wetink.close())


def store_down(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("the store is down")

    for name in ("load", "products", "profile"):
        monkeypatch.setattr(part_with(house.wetink.store, name), name, down)


def engine_hangs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forever(scene: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(house.wetink.renderer, "render", forever)


def engine_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(scene: Any) -> Any:
        raise RuntimeError("out of ink")

    monkeypatch.setattr(house.wetink.renderer, "render", fails)


@pytest.mark.parametrize("fault", [store_down, engine_hangs, engine_fails])
def test_who_was_shown_a_picture_before_gets_that_and_others_the_fallback(
    house: House, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    house.saw("mug")
    stranger = house.get(house.url("picture", "hero", who=Identifier("user", "nobody"))).body
    good = house.get(house.url("picture", "hero")).body
    fault(house, monkeypatch)
    house.now += 100_000
    assert house.get(house.url("picture", "hero")).body == good != stranger
    assert house.get(house.url("picture", "hero", who=Identifier("user", "else"))).body == stranger
    assert house.get(house.url("picture", "hero") + "?c=another").body == stranger, "another email never showed it"
    empty = image(house.get("/o/no-such-block/1/x.jpg")).convert("RGBA")
    assert empty.getextrema()[3] == (0, 0), "nothing to see, and nothing broken"


def test_a_forged_token_never_gets_anybodys_picture(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.saw("mug")
    good = house.get(house.url("picture", "hero")).body
    engine_fails(house, monkeypatch)
    forged = house.url("picture", "hero").replace("/hero/1/", "/hero/1/x")
    assert house.get(forged).body != good


def test_a_late_picture_is_ready_for_the_next_open(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.saw("mug")
    house.wetink.opens._deadline = 0.05
    real = house.wetink.renderer.render
    begun: list[asyncio.Task[Any]] = []

    async def slow(scene: Any) -> Any:
        await asyncio.sleep(0.2)
        return await real(scene)

    monkeypatch.setattr(house.wetink.renderer, "render", slow)

    async def opened_twice() -> tuple[bytes, bytes]:
        from wetink.core.profile.person import Moment

        async def once() -> bytes:
            return (
                await house.wetink.opens.open(
                    house.wetink.content, "hero", 1, Identifier("user", "jane"), Moment(house.now)
                )
            ).body

        first = await once()
        begun.extend(task for task in asyncio.all_tasks() if task is not asyncio.current_task())
        await asyncio.gather(*begun)
        return first, await once()

    first, second = asyncio.run(opened_twice())
    assert begun
    assert first != second
    assert first == house.wetink.fallbacks.of(house.wetink.content.block("hero")).body


def test_pictures_are_kept_within_a_bound() -> None:
    def kept(who: str) -> Picture | None:
        return asyncio.run(last.get(("b", 1, who, "")))

    last = LastGood(most=100)
    for number in range(5):
        last.put(("b", 1, f"u{number}", ""), Picture(b"x" * 40, "image/png"), 1)
    assert [kept(f"u{number}") is not None for number in range(5)] == [False] * 3 + [True] * 2
    last.put(("b", 1, "u4", ""), Picture(b"y" * 10, "image/png"), 2)
    last.put(("b", 1, "u5", ""), Picture(b"z" * 40, "image/png"), 2)
    last.put(("b", 1, "u5", ""), Picture(b"old", "image/png"), 1)
    assert kept("u5") == Picture(b"z" * 40, "image/png"), "a late one takes no newer one's place"
    assert kept("u3") is not None


def test_a_restart_forgets_nobodys_picture_and_gives_nobody_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path / "data")
    house.saw("mug")
    house.saw("lamp", who="bob")
    urls = {name: house.url("picture", "hero", who=Identifier("user", name)) for name in ("jane", "bob", "nobody")}
    good = {name: house.get(url).body for name, url in urls.items()}
    assert len(set(good.values())) == 3
    asyncio.run(house.wetink.close())
    house = reopened(house, tmp_path / "data")
    engine_fails(house, monkeypatch)
    house.now += 100_000
    assert {name: house.get(url).body for name, url in urls.items()} == good
    other = house.url("picture", "hero", who=Identifier("user", "else"))
    assert house.get(other).body == house.wetink.fallbacks.of(house.wetink.content.block("hero")).body
    asyncio.run(house.wetink.close())


def reopened(house: House, data: Path) -> House:
    """The house after a restart."""
    house.wetink = Wetink(read({}, data=data, deadline=5000))
    house.door = OpenEndpoints(house.wetink, clock=lambda: house.now)
    asyncio.run(house.wetink.look_again())
    return house


def test_the_newest_picture_counts_whichever_process_drew_it(tmp_path: Path) -> None:
    async def run() -> list[bytes]:
        one, two = SQLitePictures(tmp_path), SQLitePictures(tmp_path)
        first, second = LastGood(one), LastGood(two)
        place, found = ("b", 1, "user:jane", ""), []
        first.put(place, Picture(b"old", "image/png"), 1)
        one.flush()
        second.put(place, Picture(b"new", "image/png"), 2)
        two.flush()
        for last in (first, second):
            found.append(await last.get(place) or Picture(b"", ""))
        first.put(place, Picture(b"late", "image/png"), 1)
        one.flush()
        found.append(await second.get(place) or Picture(b"", ""))
        await one.close()
        await two.close()
        return [each.body for each in found]

    assert asyncio.run(run()) == [b"new", b"new", b"new"]


def test_what_outlives_a_restart_is_bounded_and_may_be_damaged(tmp_path: Path) -> None:
    async def run() -> tuple[bool, bool]:
        pictures = SQLitePictures(tmp_path, most_bytes=4 << 20)
        for number in range(6_000):
            pictures.put(("b", 1, f"user:{number}", ""), number, Picture(b"%8d" % number * 256, "image/png"))
            if number % 400 == 399:
                pictures.flush()
        pictures.flush()
        gone, there = [await pictures.get(("b", 1, f"user:{number}", "")) for number in (0, 5_999)]
        await pictures.close()
        return gone is None, there is not None

    assert asyncio.run(run()) == (True, True)
    assert (tmp_path / "pictures.db").stat().st_size < 8 << 20
    (tmp_path / "pictures.db").write_bytes(b"no database at all" * 500)
    damaged = SQLitePictures(tmp_path)
    assert asyncio.run(damaged.get(("b", 1, "user:5999", ""))) is None
    asyncio.run(damaged.close())
