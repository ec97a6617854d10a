"""Past opens: each can be drawn again from what is kept of it, whatever has happened since."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from tests.asgi import ask
from tests.scenarios.test_who_fetched import CHROME
from tests.web.test_open import JANE, House
from wetink.cli import main
from wetink.core.client_classification import facts_of
from wetink.core.profile.person import Moment
from wetink.ports.ledger import Opened
from wetink.web.app import create

DAY = 86_400_000


def kept(house: House, **narrowed: Any) -> list[Opened]:
    return list(asyncio.run(house.wetink.store.archive.newest(house.now, 50, **narrowed)))


def again(house: House, opened: Opened, slot: int = 1) -> bytes:
    return asyncio.run(house.wetink.opens.again(house.wetink.content, opened, slot)).body


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


def test_a_past_open_is_drawn_with_the_template_and_block_of_its_time(house: House) -> None:
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
    asyncio.run(
        house.wetink.opens.preview(house.wetink.content, house.wetink.content.block("hero"), JANE, Moment(house.now))
    )
    house.get("/o/hero/1/forged.jpg")
    house.get(house.url("picture", "hero"), "HEAD")
    assert kept(house) == []
    house.data()
    [opened] = kept(house, recipients=["user:jane"])
    assert [item.key for item in opened.decision.items] == ["mug"]
    assert kept(house, recipients=["user:else"]) == []


def test_nothing_that_is_kept_names_an_address_or_a_program(house: House, tmp_path: Path) -> None:
    moment = Moment(house.now, facts=facts_of(CHROME), city="Bern", latitude=46.9480, longitude=7.4474)
    asyncio.run(house.wetink.opens.read(house.wetink.content, house.wetink.content.block("hero"), JANE, moment))
    [opened] = kept(house)
    assert (opened.moment.city, opened.moment.latitude, opened.moment.longitude) == ("Bern", None, None)
    house.get(house.url("picture", "hero"), agent=CHROME)
    house.wetink.store.archive.flush()
    for path in house.wetink.settings.data.glob("archive.db*"):
        body = path.read_bytes()
        assert b"46.948" not in body
        assert b"AppleWebKit" not in body
        assert b"127.0.0.1" not in body


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
