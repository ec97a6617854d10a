"""What if: a preview with events that did not happen has the bytes of an open after they did."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.asgi import ask
from tests.web.test_open import JANE, SHOP, House
from wetink.cli import main
from wetink.core.errors import BadContent
from wetink.core.identity.identifier import Identifier
from wetink.core.messages.simulation import events_of, read
from wetink.core.profile.person import Moment
from wetink.web.app import ROUTES, create

STRANGER = Identifier("user", "new")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data", draws=False)
    yield made
    asyncio.run(made.wetink.close())


def viewed(sku: str, **more: Any) -> dict[str, Any]:
    return {"event": "Product Viewed", **more,
            "properties": {"sku": sku, "name": f"The {sku}", "url": f"{SHOP}/{sku}", "price": 9}}  # fmt: skip


def previewed(house: House, block: str, who: Identifier | None, messages: list[dict[str, Any]], **moment: Any) -> bytes:
    async def run() -> bytes:
        when = Moment(house.now, **moment)
        events = events_of(messages, house.now)
        decision = await house.wetink.opens.preview(
            house.wetink.content, house.wetink.content.block(block), who, when, events
        )
        return (await house.wetink.opens.picture(house.wetink.content, decision, 1, when, events)).body

    return asyncio.run(run())


WHAT_IFS: list[tuple[str, list[dict[str, Any]]]] = [
    ("hero", [viewed("lamp")]),
    ("hero", [viewed("lamp"), viewed("tent")]),
    ("cards", [viewed("lamp")]),
    ("hello", [{"type": "identify", "traits": {"name": "Janet"}}]),
]


@pytest.mark.parametrize("who", [JANE, STRANGER], ids=["jane", "a stranger"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("block", "messages"), WHAT_IFS)
def test_a_preview_of_what_has_not_happened_has_the_bytes_of_an_open_after_it_has(
    house: House, block: str, messages: list[dict[str, Any]], scheme: str, who: Identifier
) -> None:
    house.saw("mug")
    house.now += 1000
    before = house.get(f"{house.url('picture', block, who=who)}?scheme={scheme}").body
    supposed = previewed(house, block, who, messages, scheme=scheme)
    assert supposed != before
    assert previewed(house, block, who, [], scheme=scheme) == before, "nothing of it is kept"
    for number, message in enumerate(messages):
        happened = {"type": "track", **message, "userId": who.value, "messageId": f"s{number}", "timestamp": house.now}
        house.take(happened)
    assert house.get(f"{house.url('picture', block, who=who)}?scheme={scheme}").body == supposed


def test_nobody_at_all_can_be_supposed_to_have_done_something(house: House) -> None:
    house.saw("mug")
    assert previewed(house, "hero", None, [viewed("mug")]) != previewed(house, "hero", None, [])
    assert house.get(house.url("picture", "hero")).body == previewed(
        house, "hero", None, [{**viewed("mug"), "timestamp": house.now}]
    )


def test_events_happen_when_they_say(house: House) -> None:
    supposed = events_of([viewed("a", ago="2h"), viewed("b", timestamp=house.now - 5), viewed("c")], house.now)
    assert [event.at for event in supposed] == [house.now - 7_200_000, house.now - 5, house.now]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "this is not JSON"),
        ("7", "this is not a message"),
        ('{"event": "A"}\n{"event":', "line 2 is not JSON"),
        (json.dumps([{"event": "A"}] * 101), "more than 100 messages"),
        ("x" * 70_000, "more than 64 KB"),
        ('{"event": "Product Viewed"}', "events[0] is unusable"),
        ('{"event": "Product Viewed", "timestamp": "soon"}', "events[0].timestamp is not a time"),
        ('{"event": "Product Viewed", "ago": "soon"}', "events[0].ago: 'soon' is not a duration"),
        ('{"type": "nonsense"}', "events[0] is parked"),
        ("[" * 2_000, "this is not JSON"),
    ],
)
def test_what_cannot_be_supposed_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadContent, match=r".") as caught:
        events_of(read(text), 1_763_000_000_000)
    assert said in str(caught.value)


def test_a_batch_and_lines_are_read_as_segment_writes_them() -> None:
    assert read('{"batch": [{"event": "A"}], "sentAt": "x"}') == [{"event": "A"}]
    assert read(b"") == []


def test_on_a_persons_page_one_supposes_an_event_of_a_product_or_messages(house: House) -> None:
    house.saw("mug")
    house.saw("lamp", who="else")
    app = Starlette(routes=ROUTES)
    app.state.wetink = house.wetink
    with TestClient(app) as browser:
        page = browser.get(
            "/dashboard/people/user:jane",
            params={"block": "hero", "at": house.now, "if_event": "Product Viewed", "if_product": "lamp"},
        ).text
        assert "1 event simulated for this preview only" in page
        assert "The lamp, The mug" in page
        address = page.split('<img src="/dashboard/preview/', 1)[1].split('"')[0].replace("&amp;", "&")
        shown = browser.get(f"/dashboard/preview/{address}").content
        plain = browser.get(f"/dashboard/preview/hero/1.img?who=user:jane&at={house.now}").content
        assert shown != plain
        text = json.dumps(viewed("tent"))
        page = browser.get(
            "/dashboard/people/user:jane", params={"block": "hero", "at": house.now, "suppose": text}
        ).text
        assert "The tent, The mug" in page
        for wrong, said in (
            ({"if_event": "Product Viewed"}, "Product Viewed needs a product"),
            ({"if_event": "Product Added", "if_product": "none"}, "There is no product"),
            ({"suppose": "{"}, "This is not JSON"),
        ):
            answer = browser.get("/dashboard/people/user:jane", params={"block": "hero", **wrong})
            assert answer.status_code == 200
            assert said in answer.text
        bought = {"block": "hero", "if_event": "Order Completed", "if_product": "mug", "at": house.now}
        assert browser.get("/dashboard/people/user:jane", params=bought).status_code == 200


def test_programs_preview_with_the_token(house: House) -> None:
    house.saw("mug")
    app = create(house.wetink)
    bearer = {"authorization": f"Bearer {house.wetink.dashboard_token}"}
    asked = {
        "block": "hero",
        "who": "user:jane",
        "moment": {"now": house.now, "scheme": "dark"},
        "events": [viewed("lamp")],
    }

    def post(path: str, body: dict[str, Any], headers: dict[str, str] = bearer) -> Any:
        return asyncio.run(ask(app, "POST", path, json.dumps(body).encode(), headers))

    assert [item["sku"] for item in post("/api/preview", asked).json["items"]] == ["lamp", "mug"]
    picture = post("/api/preview/1", asked)
    assert picture.body == previewed(house, "hero", JANE, [viewed("lamp")], scheme="dark")
    assert picture.headers["wetink-weight"] == f"{len(picture.body) / 1000:.0f} KB, of 200 KB at most"
    assert post("/api/preview", asked, {}).status == 401
    for wrong in ({"who": "x"}, {"block": "none"}, {"moment": {"now": "x"}}, {"events": [{"event": 7}]}, {"extra": 1}):
        answer = post("/api/preview", {**asked, **wrong})
        assert answer.status in (400, 404), wrong
        assert answer.json["error"]["message"]


def test_the_command_line_takes_a_file_of_messages(house: House, tmp_path: Path) -> None:
    house.saw("mug")
    file, image = tmp_path / "events.jsonl", tmp_path / "x.jpg"
    file.write_text("\n".join(json.dumps(viewed(sku)) for sku in ("lamp", "tent")))
    command = ["open", "hero", "user:jane", "--at", str(house.now), "--scheme", "dark", "--with", str(file)]
    ran = CliRunner().invoke(main, [*command, "--image", str(image), "--data", str(house.wetink.settings.data)])
    assert ran.exit_code == 0, ran.output
    assert "The tent" in ran.output
    assert image.read_bytes() == previewed(house, "hero", JANE, [viewed("lamp"), viewed("tent")], scheme="dark")
