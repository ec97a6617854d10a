"""The demo's past emails: made from a seed, opened by the code of an open, so that reports are not empty."""

import asyncio
from pathlib import Path

from wetink.demo.life import life
from wetink.demo.run import CONTENT
from wetink.demo.seed import CAMPAIGNS, PREFETCH, letters, post
from wetink.settings import read
from wetink.wiring import Wetink

NOW = 1_795_000_000_000
MESSAGES = life(20, NOW, "http://127.0.0.1:8000")


def test_the_same_seed_makes_the_same_emails_and_none_after_now() -> None:
    made = letters(20, MESSAGES, NOW)
    assert made == letters(20, MESSAGES, NOW) != letters(21, MESSAGES, NOW)
    assert {letter.campaign for letter in made} == {name for name, _ in CAMPAIGNS}
    assert all(letter.at < NOW for letter in made)
    assert any(letter.agent == PREFETCH for letter in made)
    assert "email:jane@mercer.example" in {letter.recipient for letter in made}


def test_reports_have_opens_clicks_and_an_experiment_with_people_in_both_arms(tmp_path: Path) -> None:
    content = tmp_path / "data" / "content"
    for source in CONTENT.glob("*/*"):
        target = content / source.relative_to(CONTENT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())

    async def run() -> None:
        async with Wetink(read({}, data=tmp_path / "data")) as wetink:
            assert wetink.content.problems == ()
            sent = await post(wetink, letters(20, MESSAGES, NOW)[:400])
            lines = {line.key["block"]: line for line in await wetink.reports.lines(wetink.content, 0, NOW + 1)}
            assert sum(line.pictures for line in lines.values()) == sent
            hero = lines["hero"]
            assert hero.unique_opens > hero.unique_clicks > 0 < hero.unique_machine_opens
            found = await wetink.experiments.result(wetink.content, "cart-words")
            assert all(arm.people > 50 for arm in found.arms)
            assert found.alarm == ""

    asyncio.run(run())
