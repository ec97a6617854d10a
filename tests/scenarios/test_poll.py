"""A poll in an email: links only ask, one button votes, and the next open shows how it stands."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.asgi import Answer, ask
from tests.web import test_open
from tests.web.test_open import JANE, House
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.web.app import App

BOB = Identifier("email", "bob@shop.example")
BLOCK = """
width: 600
height: 60
slots: 3
variants: [{name: ask, app: poll, settings: {question: "Tea or coffee?", options: [Tea, Coffee, Neither]}}]
fallback: {link: "https://shop.example/", title: Thanks}
"""
FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(test_open, "BLOCKS", {"tea": BLOCK})
    made = House(tmp_path / "data", draws=False)
    yield made
    asyncio.run(made.wetink.close())


def browse(house: House, path: str, method: str = "GET", **form: str) -> Answer:
    body = urlencode(form).encode()
    return asyncio.run(ask(App(house.wetink), method, path, headers=FORM, body=body))


def ballot_of(house: House, slot: int = 1, who: Identifier = JANE) -> str:
    answer = house.get(house.url("click", "tea", slot, who))
    assert answer.status == 302
    return answer.headers["location"]


def votes(house: House, who: Identifier = JANE) -> list[int]:
    facts = asyncio.run(
        house.wetink.opens.preview(house.wetink.content, house.wetink.content.block("tea"), who, Moment(house.now))
    ).facts
    return [option["votes"] for option in facts["options"]]


def test_a_click_asks_and_the_button_votes(house: House) -> None:
    place = ballot_of(house, slot=2)
    asked = browse(house, place)
    assert asked.status == 200
    assert re.findall(r'value="(\d)" required( checked)?', asked.body.decode()) == [
        ("1", ""), ("2", " checked"), ("3", ""),
    ]  # fmt: skip
    told = browse(house, place, "POST", option="2")
    assert (told.status, told.headers["location"]) == (303, f"{place}?voted=1")
    assert "Your vote was counted." in browse(house, told.headers["location"]).body.decode()
    assert votes(house) == [0, 1, 0]


def test_following_a_link_alone_casts_no_vote(house: House) -> None:
    for slot in (1, 2, 3):
        place = ballot_of(house, slot)
        for method in ("GET", "HEAD"):
            browse(house, place, method)
            browse(house, f"{place}?option=1&voted=1", method)
    ballot = asyncio.run(house.wetink.store.polls.tally("tea/first", JANE))
    assert (dict(ballot.votes), ballot.own) == ({}, 0)


def test_the_very_next_open_shows_how_it_stands_to_who_has_voted(house: House) -> None:
    picture = house.url("picture", "tea", 1)
    before = house.get(picture).body
    assert house.get(picture).body == before
    browse(house, ballot_of(house, 1), "POST", option="1")
    after = house.get(picture).body
    assert after != before
    browse(house, ballot_of(house, 2, BOB), "POST", option="2")
    assert house.get(picture).body != after, "another's vote is seen, too"


def test_who_has_not_voted_sees_no_numbers_until_it_is_over(house: House) -> None:
    browse(house, ballot_of(house), "POST", option="3")
    assert votes(house, BOB) == [0, 0, 0]
    path = house.wetink.settings.content / "blocks" / "tea.yaml"
    path.write_text(BLOCK.replace("Neither]", 'Neither], ends: "2020-01-01"'))
    asyncio.run(house.wetink.look_again())
    assert votes(house, BOB) == [0, 0, 1]
    assert house.get(house.url("click", "tea", 1, BOB)).headers["location"] == "https://shop.example/"


def test_voting_again_changes_the_vote(house: House) -> None:
    place = ballot_of(house)
    for option in ("1", "1", "3"):
        browse(house, place, "POST", option=option)
    browse(house, ballot_of(house, who=BOB), "POST", option="3")
    assert votes(house) == [0, 0, 2]


def test_a_vote_is_an_event_of_theirs_that_rules_can_ask_for(house: House) -> None:
    browse(house, ballot_of(house, who=BOB), "POST", option="2")
    event = asyncio.run(house.wetink.store.profiles.history(BOB, house.now * 2))[-1]
    assert event.name == "Poll Answered"
    assert (event.properties["question"], event.properties["answer"]) == ("Tea or coffee?", "Coffee")


@pytest.mark.parametrize("option", ["0", "4", "", "one", "-1", "99999999999999999999"])
def test_an_invalid_vote_is_asked_again(house: House, option: str) -> None:
    place = ballot_of(house)
    told = browse(house, place, "POST", option=option)
    assert told.status == 422
    assert "Choose an answer first." in told.body.decode()
    assert votes(house) == [0, 0, 0]


def test_a_forged_link_votes_for_nobody(house: House) -> None:
    tokens = (
        "x",
        house.wetink.seals.seal(JANE, "tea", "click"),
        house.wetink.seals.seal(JANE, "hero", "vote"),
        "A" * 3_000,
    )
    for token in tokens:
        for method in ("GET", "POST"):
            told = browse(house, f"/v/tea/1/{token}", method, option="1")
            assert told.status == 404
            assert "This link does not vote" in told.body.decode()


def test_a_vote_after_the_end_does_not_count(house: House) -> None:
    place = ballot_of(house)
    path = house.wetink.settings.content / "blocks" / "tea.yaml"
    path.write_text(BLOCK.replace("Neither]", 'Neither], ends: "2020-01-01"'))
    asyncio.run(house.wetink.look_again())
    told = browse(house, place, "POST", option="1")
    assert told.status == 410
    assert "The poll is over." in told.body.decode()
    path.write_text('fallback: {link: "https://shop.example/", title: Gone}')
    asyncio.run(house.wetink.look_again())
    assert "This poll is closed" in browse(house, place).body.decode()
