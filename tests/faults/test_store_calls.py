"""Store calls: whichever of an open's fails, its answer is right or a rung of the ladder, and the next one is right."""

import asyncio
import shutil
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.scenarios.test_who_fetched import CHROME
from tests.web.test_open import JANE, SHOP, House
from wetink.core.errors import StoreUnavailable
from wetink.ports import Picture, Scene

STORE = ("load", "products", "profile", "resolve", "changes", "search", "tally")
LEDGER = ("current", "settle", "promised", "promise", "contacts")
EXPOSURES = ("of", "keep")
RULES = {
    "not-done": "{not: {done: Order Completed}}",
    "done": "{done: Product Viewed, where: {sku: mug}}",
    "not-done-where": "{not: {done: Product Viewed, where: {sku: mug}}}",
    "sum": "{sum: price, of: Product Viewed, above: 100}",
    "not-sum": "{not: {sum: price, of: Product Viewed, above: 100}}",
    "visit": "{not: {done: Product Viewed, in: this visit}}",
    "sequence": "{not: {sequence: [{done: Product Viewed}, {done: Product Added}]}}",
    "viewed": "{not: {product: viewed, where: {sku: s9}, back_in_stock: true}}",
    "price": "{not: {product: any, price_fell: 1%}}",
    "share": "{share: 50%, seed: x}",
    "audience": "{audience: buyers}",
    "not-audience": "{not: {audience: buyers}}",
}
OWN = """
variants:
  - {{name: first, app: last-viewed, when: [{rule}]}}
  - {{name: second, app: last-viewed, settings: {{items: 1}}}}
fallback: {{link: "https://shop.example/", title: Come in}}
recipients: [user]
"""


class Faults:
    """Counts the calls of a house's stores, and lets one of them fail."""

    def __init__(self, house: House) -> None:
        self.calls, self.fails_at = 0, 0
        opens = house.wetink.opens
        store = house.wetink.store
        parts = (store.log, store.profiles, store.catalog, store.polls)
        kept = (*((each, STORE) for each in parts), (store.ledger, LEDGER), (opens._assignments._exposures, EXPOSURES))
        for port, names in kept:
            for name in names:
                if hasattr(port, name):
                    setattr(port, name, self._counted(getattr(port, name)))

    def _counted(self, call: Any) -> Any:
        def counted(*given: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.fails_at:
                raise StoreUnavailable("the store is down")
            return call(*given, **named)

        return counted


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house") / "data")
    content = made.wetink.settings.data / "content"
    for source in (files("wetink.content") / "starter", files("wetink.demo") / "content"):
        with as_file(source) as folder:
            for kind in ("blocks", "audiences", "templates"):
                if (folder / kind).exists():
                    shutil.copytree(folder / kind, content / kind, dirs_exist_ok=True)
    (content / "audiences").mkdir(exist_ok=True)
    (content / "audiences" / "buyers.yaml").write_text("rule: {done: Order Completed, at_least: 1}\n")
    for name, rule in RULES.items():
        (content / "blocks" / f"own-{name}.yaml").write_text(OWN.format(rule=rule))
    made.now -= 3 * 86_400_000
    for number in range(30):
        made.saw("mug" if number == 3 else f"s{number}", price=3 + number)
    asyncio.run(made.wetink.look_again())
    assert not made.wetink.content.problems
    while asyncio.run(made.wetink.summaries.step(1000)):
        pass
    made.now += 3 * 86_400_000
    made.take({"type": "track", "event": "Order Completed", "userId": "bob", "messageId": "o", "timestamp": made.now,
               "properties": {"order_id": "o", "total": 9, "products": [{"sku": "s1", "price": 9}]}})  # fmt: skip

    async def drawn(scene: Scene) -> Picture:
        return Picture(repr((scene.sight, scene.photos)).encode(), "image/png")

    made.wetink.renderer.render = drawn  # type: ignore[method-assign]
    yield made
    asyncio.run(made.wetink.close())


@pytest.fixture(scope="module")
def faults(house: House) -> Faults:
    return Faults(house)


def names() -> list[str]:
    found = [f"own-{name}" for name in RULES]
    for source in (files("wetink.content") / "starter", files("wetink.demo") / "content"):
        with as_file(source / "blocks") as folder:
            found += [path.stem for path in Path(folder).glob("*.yaml")]
    return sorted(set(found))


def news(house: House) -> None:
    """Have somebody else do something, and let a moment pass, so that nothing that is remembered may be believed."""
    house.saw("lamp", who="somebody")
    house.now += 1_000


@pytest.mark.parametrize("who", ["jane", "bob", "nobody"])
@pytest.mark.parametrize("block", names())
def test_the_nth_store_call_of_an_open_fails(house: House, faults: Faults, block: str, who: str) -> None:
    token = house.wetink.seals.seal(msgspec.structs.replace(JANE, value=who), block, "data")
    url = f"/d/{block}/{token}.json"
    faults.fails_at = 0
    news(house)
    right = house.get(url).json
    home = house.wetink.content.blocks[block].fallback.link
    fallback = {**right, "variant": "", "app": "", "items": [], "link": home}
    for number in range(1, 60):
        news(house)
        faults.calls, faults.fails_at = 0, number
        answer = house.get(url).json
        fired = faults.calls >= number
        faults.fails_at = 0
        assert {**answer, "at": 0} in ({**right, "at": 0}, {**fallback, "at": 0}), f"call {number} failed"
        assert house.get(url).json["items"] == right["items"], f"the next open, after call {number} had failed"
        assert house.get(url).json["variant"] == right["variant"], f"the next open, after call {number} had failed"
        if not fired:
            break
    else:
        raise AssertionError("an open that never ends")
    assert number > 1


@pytest.mark.parametrize("block", ["own-not-done-where", "own-not-audience", "hero", "picks"])
def test_the_nth_store_call_of_a_picture_fails(house: House, faults: Faults, block: str) -> None:
    token = house.wetink.seals.seal(JANE, block, "picture")
    faults.fails_at = 0
    fallback = house.wetink.fallbacks.of(house.wetink.content.blocks[block]).body
    for number in range(1, 60):
        news(house)
        url = f"/o/{block}/1/{token}.png?c=n{number}"
        faults.calls, faults.fails_at = 0, number
        answer = house.get(url, agent=CHROME)
        fired = faults.calls >= number
        faults.fails_at = 0
        house.door._responses = type(house.door._responses)()
        right = house.get(url, agent=CHROME)
        assert answer.status == right.status == 200
        assert answer.body in (right.body, fallback), f"call {number} failed"
        assert SHOP.encode() in right.body or right.body == fallback
        if not fired:
            break
    assert number > 1
