"""The contract of sources: keys are shown once, found by what was shown, and end when they are to."""

from collections.abc import Callable

import pytest

from tests.contracts.loop import run
from wetink.core.errors import BadSettings, NotFound
from wetink.ports import Storage

NOW = 1_790_000_000_000


def test_keys_are_shown_once_and_found_by_what_was_shown(store: Storage) -> None:
    made = run(store.sources.create_key("shop", "browser", ("shop.example",), NOW))
    source = run(store.sources.source_of_write_key(made.write_key))
    assert source is not None
    assert (source.name, source.level, source.hosts) == ("shop", "browser", ("shop.example",))
    path = made.path.removeprefix("/behavioral/")
    assert run(store.sources.source_of_access_key(path, made.access_key, made.secret)) == source
    assert run(store.sources.source_of_access_key(path, made.access_key, "wrong")) is None
    assert run(store.sources.source_of_write_key("wrong")) is None
    with pytest.raises(BadSettings, match="shop"):
        run(store.sources.create_key("shop", "server", (), NOW))


def test_what_one_process_changes_holds_in_the_other(store: Storage, another: Callable[[], Storage]) -> None:
    async def story() -> None:
        here, there = store.sources, another().sources
        first = await here.create_key("shop", "server", (), NOW)
        second = await there.rotate_key("shop", NOW + 1)
        assert second.path == first.path
        for key in (first, second):
            assert await here.source_of_write_key(key.write_key) is not None
        assert [await there.is_old_key(key.write_key) for key in (first, second)] == [True, False]
        await here.old_key_used("shop", NOW + 2)
        [source] = await there.all()
        assert (source.rotated, source.old_used) == (NOW + 1, NOW + 2)
        await here.retire_key("shop")
        assert await there.source_of_write_key(first.write_key) is None
        with pytest.raises(BadSettings):
            await there.retire_key("shop")
        changed = await there.set_source("shop", disabled=True, per_second=2.5, burst=7, orders="wait")
        assert (changed.disabled, changed.per_second, changed.burst, changed.orders) == (True, 2.5, 7, "wait")
        assert await here.source_of_write_key(second.write_key) is None
        assert await here.set_source("shop", disabled=False) == (await there.all())[0]
        assert (await here.set_source("shop", hosts=["b.example"])).hosts == ("b.example",)
        await here.create_key("page", "browser", [], 1)
        with pytest.raises(BadSettings, match="already"):
            await here.rename_source("shop", "page")
        await here.rename_source("shop", "store")
        assert [each.name for each in await there.all()] == ["page", "store"]
        with pytest.raises(NotFound):
            await here.rename_source("shop", "else")
        await here.rename_source("store", "shop")
        await here.delete_source("page")
        secret = await here.renew_secret("shop")
        assert (await there.all())[0].secrets[0] == secret
        assert await here.knows_path(first.path.removeprefix("/behavioral/"))
        await there.delete_source("shop")
        assert not await here.all()
        assert not await here.knows_path(first.path.removeprefix("/behavioral/"))
        with pytest.raises(NotFound):
            await here.delete_source("shop")

    run(story())
