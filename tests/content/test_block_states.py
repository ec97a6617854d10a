"""Blocks that are paused, archived, scheduled or renamed: emails out there always get an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.asgi import ask
from tests.web.dashboard.shopper import past
from wetink import apps
from wetink.content.author import block_text
from wetink.content.content import load
from wetink.content.scenario import outcomes
from wetink.content.strict_yaml import parse_yaml
from wetink.core.blocks.form import form_of, raw_of
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.settings import read
from wetink.web.app import create
from wetink.web.request import now_ms
from wetink.wiring import Wetink

APPS = apps.load()
TEXT = """\
variants:
  - {name: seen, app: last-viewed}
fallback: {title: New in, link: "https://shop.example/new"}
"""
JANE = Identifier("user", "42")


def loaded(text: str = TEXT, **others: str) -> tuple[str, ...]:
    files = {"hero": text, **others}
    content = load({f"blocks/{name}.yaml": text.encode() for name, text in files.items()}, APPS)
    return content.problems


@pytest.mark.parametrize(
    "more",
    [
        "schedule: {from: 2026-11-27, until: 2026-11-30, zone: Europe/Berlin}",
        "schedule: {from: 2026-11-27T18:00:00}",
        "schedule: {until: '2026-11-27T18:00'}",
        "paused: true",
        "archived: true",
        "aliases: [old, older]",
    ],
)
def test_a_file_may_say_when_a_block_is_shown_and_is_written_back_the_same(more: str) -> None:
    content = load({"blocks/hero.yaml": f"{TEXT}{more}\n".encode()}, APPS)
    assert content.problems == ()
    raw = raw_of(form_of(parse_yaml(f"{TEXT}{more}\n"), APPS), APPS)  # as the editor writes it
    again = load({"blocks/hero.yaml": block_text(raw).encode()}, APPS)
    assert again.blocks == content.blocks


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("schedule: {from: soon}", "blocks/hero.yaml: schedule.from: 'soon' is not a date"),
        ("schedule: {begin: 2026-11-27}", "unknown field `begin`"),
        ("schedule: {from: 2026-11-27, zone: Europe/Berln x}", "schedule.zone: there is no time zone"),
        ("aliases: [hero]", "aliases: each earlier name"),
        ("aliases: [other]", "aliases: other is the block other"),
        ("aliases: ['Not a name']", "aliases"),
    ],
)
def test_what_cannot_work_is_named_with_its_place(more: str, said: str) -> None:
    assert said in "; ".join(loaded(f"{TEXT}{more}\n", other=TEXT))


def test_a_variants_schedule_has_its_place_in_a_problem() -> None:
    text = TEXT.replace("app: last-viewed", "app: last-viewed, schedule: {until: someday}")
    assert "variants[0].schedule.until: 'someday' is not a date" in loaded(text)[0]


def told(folder: Path, text: str, story: Callable[[Wetink], Awaitable[None]]) -> None:
    async def run() -> None:
        (folder / "content").mkdir()
        async with Wetink(read({}, data=folder), draws=False) as wetink:
            await wetink.author.save("blocks/hero.yaml", text.encode(), by="ida")
            await wetink.store.log.append(past(now_ms()))
            await story(wetink)

    asyncio.run(run())


@pytest.mark.parametrize("more", ["paused: true", "archived: true", "schedule: {until: 2020-01-01}"])
def test_opens_of_a_block_that_is_not_shown_get_its_fallback_and_no_experiment(tmp_path: Path, more: str) -> None:
    async def story(wetink: Wetink) -> None:
        block, moment = wetink.content.blocks["hero"], Moment(now_ms())
        decision = await wetink.opens.preview(wetink.content, block, JANE, moment, expose=True)
        assert (decision.variant, decision.links, dict(decision.arms)) == ("", ("https://shop.example/new",), {})
        assert len(decision.trace) == 1
        picture = await wetink.opens.open(wetink.content, "hero", 1, JANE, moment)
        assert picture.body
        assert ("hero" in wetink.content.listed) is ("archived" not in more)

    told(tmp_path, f"{TEXT}experiment: {{holdout: 10%}}\n{more}\n", story)


def test_a_renamed_block_answers_what_emails_ask_by_its_old_name(tmp_path: Path) -> None:
    async def story(wetink: Wetink) -> None:
        token, click = (wetink.seals.seal(JANE, "old", kind) for kind in ("picture", "click"))
        app = create(wetink)
        moment = Moment(now_ms())
        picture = await wetink.opens.open(wetink.content, "old", 1, JANE, moment)
        assert picture.served is not None
        assert (picture.served.block, picture.served.variant) == ("hero", "seen")
        assert (await ask(app, "GET", f"/o/old/1/{token}.jpg")).status == 200
        answer = await ask(app, "GET", f"/c/old/1/{click}")
        assert answer.headers["location"] == "https://shop.example/mug"
        data = await ask(app, "GET", f"/d/old/{wetink.seals.seal(JANE, 'old', 'data')}")
        assert data.json["variant"] == "seen"
        assert 'src="http' in await wetink.embed.fragment(wetink.content, "old", JANE, moment)

    told(tmp_path, f"{TEXT}aliases: [old]\n", story)


def test_a_scenario_may_ask_for_a_block_by_its_old_name() -> None:
    tree = {
        "blocks/hero.yaml": f"{TEXT}aliases: [old]\n".encode(),
        "scenarios/a.yaml": b"expect: {old: {fallback: true}, hero: {fallback: true}}",
    }
    assert [each.wrong for each in outcomes(tree, load(tree, APPS), APPS)] == [(), ()]
