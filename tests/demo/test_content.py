"""The demo's content can be used, and decides for each of the cast what their story promises."""

from functools import cache, partial
from pathlib import Path

import pytest

import wetink.demo
from tests.demo.story import person_of
from wetink.apps import load as apps
from wetink.content.content import load
from wetink.content.tree import read_tree
from wetink.core.app.app import Shop
from wetink.core.blocks.block import Decision
from wetink.core.blocks.decide import choose, decide, prepared
from wetink.core.profile.person import Moment, Person
from wetink.core.rules.evaluate import Rulebook
from wetink.demo.life import CAST, DAY, Role, life
from wetink.demo.shop import BY_SKU

NOW = 1_795_468_800_000
BASE = "http://127.0.0.1:8000"
messages = cache(partial(life, 20, NOW, BASE))
SHELF = load(read_tree(Path(wetink.demo.__file__).parent / "content"), apps())


def test_there_is_nothing_wrong_with_the_content_folder() -> None:
    assert SHELF.problems == ()
    assert set(SHELF.blocks) == {"greeting", "hero", "picks"}


@pytest.mark.parametrize("role", CAST, ids=[role.name for role in CAST])
def test_the_hero_shows_what_the_role_s_story_promises(role: Role) -> None:
    decision = _decision("hero", person_of(messages(), role, NOW))
    assert tuple(item.sku for item in decision.items) == role.hero
    assert decision.links == (BASE + BY_SKU[role.hero[0]].path,)


@pytest.mark.parametrize("role", CAST, ids=[role.name for role in CAST])
def test_each_card_leads_to_the_product_it_shows(role: Role) -> None:
    decision = _decision("picks", person_of(messages(), role, NOW))
    assert len(decision.links) == 3
    assert decision.items
    for item, link in zip(decision.items, decision.links, strict=False):
        assert link == BASE + BY_SKU[item.sku].path


def test_an_order_silences_the_cart_for_a_day() -> None:
    carla = person_of(messages(), CAST[2], NOW)
    assert any(step.why == "did Order Completed once within 1d" for step in _decision("hero", carla).trace)
    later = _decision("hero", carla, NOW + DAY)
    assert any("did not do Order Completed within 1d" in step.why for step in later.trace)


def test_nobody_gets_the_fallback_on_top_and_a_greeting_without_a_name() -> None:
    assert _decision("hero", Person()).variant == ""
    assert _decision("greeting", Person()).variant == "to a visitor"
    assert _decision("greeting", person_of(messages(), CAST[0], NOW)).variant == "by name"


def _decision(name: str, person: Person, now: int = NOW) -> Decision:
    block, moment = SHELF.blocks[name], Moment(now=now)
    choice = choose(prepared(block, apps(), Rulebook()), person, moment, Shop())
    return decide(block, choice, moment, {}, recipient="", decision_id="d", allowed=lambda url: url.startswith(BASE))
