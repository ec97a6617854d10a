"""The mission's example flow: a real Segment SDK in, a personal picture out."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore
import pytest
from segment.analytics.client import Client

from tests.serving import Server
from wetink.core.identity.identifier import Identifier
from wetink.settings import read
from wetink.wiring import Wetink

SHOP = "https://shop.example"
MAIL_CLIENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.5.0"


class Scene:
    """A running server, a Segment SDK pointed at it, and a mail client."""

    def __init__(self, server: Server, key: str, data: Path, tokens: dict[str, str]) -> None:
        self.server, self.key, self.data, self.tokens = server, key, data, tokens
        self.http = httpcore.ConnectionPool()

    def say(self, kind: str, **what: Any) -> None:
        """Send one message through the real SDK and wait until it was acknowledged."""
        errors: list[Exception] = []
        client = Client(self.key, host=self.server.address, on_error=lambda error, _: errors.append(error))
        getattr(client, kind)(**what)
        client.flush()
        client.join()
        assert not errors

    def owned_by(self, who: Identifier) -> list[str]:
        """The events of whoever this means now."""

        async def look() -> list[str]:
            async with Wetink(read({}, data=self.data)) as wetink:
                return [event.label for event in await wetink.store.profiles.history(who, 1 << 61)]

        return asyncio.run(look())

    def get(self, path: str) -> httpcore.Response:
        return self.http.request("GET", self.server.address + path, headers={"user-agent": MAIL_CLIENT})

    def picture(self) -> bytes:
        answer = self.get(f"/o/last-viewed/1/{self.tokens['picture']}.jpg")
        assert answer.status == 200
        return answer.content

    def shown(self) -> list[str]:
        answer = self.get(f"/d/last-viewed/{self.tokens['data']}.json")
        return [item["key"] for item in json.loads(answer.content)["items"]]

    def click(self) -> str:
        answer = self.get(f"/c/last-viewed/1/{self.tokens['click']}")
        assert answer.status == 302
        return dict(answer.headers)[b"location"].decode()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    async def prepare() -> tuple[str, dict[str, str]]:
        async with Wetink(read({}, data=tmp_path)) as wetink:
            made = await wetink.store.sources.create_key("shop", "server", (), 1)
            jane = Identifier("email", "jane@shop.example")
            tokens = {
                purpose: wetink.seals.seal(jane, "last-viewed", purpose) for purpose in ("picture", "data", "click")
            }  # type: ignore[arg-type]
            return made.write_key, tokens

    key, tokens = asyncio.run(prepare())
    with Server(tmp_path) as server:
        made = Scene(server, key, tmp_path, tokens)
        yield made
        made.http.close()


def product(sku: str) -> dict[str, Any]:
    return {"sku": sku, "name": f"The {sku}", "price": 20, "url": f"{SHOP}/{sku}"}


def test_what_was_done_without_a_name_is_in_the_email_once_they_say_who_they_are(scene: Scene) -> None:
    visitor, jane = Identifier("anonymous", "visitor"), Identifier("user", "jane")
    nothing = scene.picture()

    scene.say("track", anonymous_id="visitor", event="Product Viewed", properties=product("mug"))
    assert scene.owned_by(visitor) == ["Product Viewed"]
    assert scene.owned_by(jane) == []
    assert scene.picture() == nothing

    scene.say("identify", user_id="jane", anonymous_id="visitor", traits={"email": "Jane@Shop.Example"})
    assert scene.owned_by(jane) == ["Product Viewed", "identify"]
    assert scene.shown() == ["mug"]
    mug = scene.picture()
    assert mug != nothing

    scene.say("track", user_id="jane", event="Product Viewed", properties=product("lamp"))
    assert scene.owned_by(jane) == ["Product Viewed", "identify", "Product Viewed"]
    assert scene.shown() == ["lamp", "mug"]
    assert scene.picture() != mug
    assert scene.click() == f"{SHOP}/lamp"


def test_an_order_is_credited_to_the_block_that_was_clicked(scene: Scene) -> None:
    scene.say("identify", user_id="jane", traits={"email": "jane@shop.example"})
    scene.say("track", user_id="jane", event="Product Viewed", properties=product("mug"))
    scene.picture()
    assert scene.click() == f"{SHOP}/mug"
    order = {"order_id": "O-1", "total": 20, "currency": "EUR", "products": [product("mug")]}
    scene.say("track", user_id="jane", event="Order Completed", properties=order)
    assert scene.shown() == [], "what was bought is not shown any more"

    async def results() -> Any:
        await asyncio.sleep(0.8)  # opens and clicks are counted a moment later
        async with Wetink(read({}, data=scene.data)) as wetink:
            return {each.key["block"]: each for each in await wetink.reports.lines(wetink.content, 0, 1 << 61)}

    block = asyncio.run(results())["last-viewed"]
    assert (block.clicks, block.orders, block.revenue) == (1, 1, {"EUR": 20.0})
    assert block.opens >= 1


def test_the_behavioral_endpoint_takes_its_key_and_refuses_a_wrong_one(scene: Scene) -> None:
    message = {"type": "track", "event": "product_viewed", "user_id": "jane", "properties": {"id": "p"}}
    wrong = scene.http.request(
        "POST", f"{scene.server.address}/behavioral/nobody", content=json.dumps(message).encode()
    )
    assert wrong.status == 404
    assert json.loads(wrong.content)["message"] == "Behavioral endpoint key not found"
    basic = {"authorization": "Basic " + b64encode(b"wrong:").decode()}
    unknown = scene.http.request("POST", f"{scene.server.address}/v1/track", headers=basic, content=b"{}")
    assert unknown.status == 401
    assert json.loads(unknown.content)["error"]["hint"]
