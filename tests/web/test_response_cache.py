"""The same answer again: only while nothing has happened, for a moment, and never one that was made in need."""

import asyncio
from typing import Any

import pytest

from tests.web.test_open import House
from wetink.content.content import Content
from wetink.web.request import MOST_ANSWERS, Reply, ResponseCache


@pytest.fixture
def drawn(house: House, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note what is drawn."""
    scenes: list[Any] = []
    real = house.wetink.renderer.render

    async def noted(scene: Any) -> Any:
        scenes.append(scene)
        return await real(scene)

    monkeypatch.setattr(house.wetink.renderer, "render", noted)
    return scenes


def test_the_same_open_gets_the_same_answer_without_drawing_until_something_happens(
    house: House, drawn: list[Any]
) -> None:
    house.saw("mug")
    url = house.url("picture", "hero")
    first = house.get(url)
    again = house.get(url)
    assert (again.body, again.headers["cache-control"]) == (first.body, first.headers["cache-control"])
    assert len(drawn) == 1
    house.saw("lamp")
    assert house.get(url).body != first.body
    assert len(drawn) == 2
    house.now += 2_000
    house.get(url)
    assert len(drawn) == 3, "time alone changes things, too"


def test_what_others_do_leaves_an_answer_as_it_is_but_a_new_price_does_not(house: House, drawn: list[Any]) -> None:
    house.saw("mug")
    url = house.url("picture", "hero")
    house.get(url)
    house.saw("lamp", who="john")
    house.get(url)
    assert len(drawn) == 1
    house.now -= 900
    house.saw("mug", who="john", price=8)
    house.get(url)
    assert len(drawn) == 2


def test_another_question_gets_an_answer_of_its_own(house: House, drawn: list[Any]) -> None:
    house.saw("mug")
    url = house.url("picture", "hero")
    for other in (url, f"{url}?scheme=dark", f"{url}?r=1", f"{url}?c=spring", house.url("picture", "cards")):
        house.get(other)
    house.get(url, agent="GoogleImageProxy")
    assert len(drawn) == 6


def test_content_that_changes_is_seen(house: House) -> None:
    house.saw("mug")
    before = house.data()
    path = house.wetink.settings.content / "blocks" / "hero.yaml"
    path.write_text(path.read_text().replace("app: last-viewed", "app: last-viewed, settings: {items: 1}"))
    house.saw("lamp")
    assert len(house.data()["items"]) == 2
    asyncio.run(house.wetink.look_again())
    assert len(house.data()["items"]) == 1
    assert before


def test_what_was_made_in_need_is_not_given_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.saw("mug")
    real = house.wetink.renderer.render

    async def fails(scene: Any) -> Any:
        raise RuntimeError("out of ink")

    monkeypatch.setattr(house.wetink.renderer, "render", fails)
    fallback = house.get(house.url("picture", "hero")).body
    monkeypatch.setattr(house.wetink.renderer, "render", real)
    assert house.get(house.url("picture", "hero")).body != fallback


def test_answers_are_kept_within_a_bound(house: House) -> None:
    again, look, reply = ResponseCache(), house.wetink.opens.begin(), Reply(200, (), b"x")
    content = house.wetink.content
    for number in range(MOST_ANSWERS + 5):
        again.put(number, content, look, 0, reply)

    def standing(number: int, now: int, content: Content = content) -> Reply | None:
        return asyncio.run(again.standing(number, content, now))

    assert standing(4, 0) is None
    assert standing(5, 0) == reply
    assert standing(5, 0, Content()) is None
    assert standing(5, 5_000) is None
    assert standing(5, -1) is None
