"""Sample data: people, products and orders to try wetink with, which leave nothing behind."""

import asyncio
from pathlib import Path

import pytest

from tests.storage import opened
from wetink.core.identity.identifier import Identifier
from wetink.ingest.receive import Ingest
from wetink.ingest.sample_data import SOURCE, SampleData, messages
from wetink.web.request import now_ms

ADA = Identifier("email", "ada@sample.invalid")
OWN = b'{"type":"track","userId":"42","event":"Product Viewed","properties":{"sku":"OWN-1","name":"Own"}}'


@pytest.mark.parametrize("twice", [False, True])
def test_sample_data_comes_and_goes_without_a_trace_in_profiles(tmp_path: Path, twice: bool) -> None:
    async def story() -> None:
        store = opened(tmp_path, now_ms)
        ingest = Ingest(store.log)
        sample, now = SampleData(store, ingest), now_ms()
        assert not await sample.there()
        for _ in range(1 + twice):
            assert await sample.bring(now) == len(list(messages(now)))
        assert await sample.there()
        while await store.projections.settle():
            pass
        assert len(await store.profiles.history(ADA, now)) == 16
        assert (await store.catalog.products(["TW-201"]))["TW-201"].price == 99.0
        assert len(await store.catalog.keys("", 50)) == 12
        assert await sample.remove() > 300
        assert await store.profiles.history(ADA, now_ms()) == []
        assert list(await store.profiles.profiles(limit=50)) == []
        while await store.projections.settle():
            pass
        assert await store.catalog.keys("", 50) == []
        assert [each.name for each in await store.sources.all()] == []
        assert await sample.remove() == 0
        await store.close()

    asyncio.run(story())


def test_what_others_sent_stays(tmp_path: Path) -> None:
    async def story() -> None:
        store = opened(tmp_path, now_ms)
        ingest = Ingest(store.log)
        await store.sources.create_key("shop", "server", [], now_ms())
        [shop] = await store.sources.all()
        sample = SampleData(store, ingest)
        await sample.bring(now_ms())
        from wetink.core.events.message import Endpoint

        await ingest.receive(OWN, shop, Endpoint(), now_ms())
        await sample.remove()
        while await store.projections.settle():
            pass
        assert await store.catalog.keys("", 50) == ["OWN-1"]
        assert len(await store.profiles.history(Identifier("user", "42"), now_ms())) == 1
        assert SOURCE not in [each.name for each in await store.sources.all()]
        await store.close()

    asyncio.run(story())
