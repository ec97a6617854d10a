"""Who fetched: people count, machines do not; what is kept names nobody; people's opens stand in their timeline."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.asgi import ask
from tests.scenarios.test_what_counts import results
from tests.web.test_open import JANE, House
from wetink.core.profile.person import Moment, Person
from wetink.web.app import ROUTES

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data", draws=False)
    yield made
    asyncio.run(made.wetink.close())


@pytest.mark.parametrize(
    ("agent", "counted"),
    [(CHROME, 1), (GMAIL, 1), ("", 1), ("python-requests/2.32.5", 1), ("Mozilla/5.0", 0), ("Barracuda Sentinel", 0)],
    ids=["a browser", "Gmail's proxy", "nothing known", "a program", "Apple's prefetch", "a scanner"],
)
def test_each_class_of_fetch_counts_as_an_open_or_does_not(house: House, agent: str, counted: int) -> None:
    house.saw("mug")
    house.get(house.url("picture", "hero"), agent=agent)
    assert results(house)["hero"].opens == counted
    [touch] = asyncio.run(house.wetink.store.ledger.touches([str(JANE)], 0, house.now + 1))
    assert touch.human is bool(counted)
    assert agent not in repr(touch) or not agent


IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Mobile/15E148 Safari/604.1"
)
APPLE = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("fetches", "opens", "implied", "clicks"),
    [
        ([("picture", APPLE)], 0, 0, 0),
        ([("picture", APPLE), ("click", IPHONE)], 1, 1, 1),
        ([("picture", APPLE), ("click", IPHONE), ("click", IPHONE)], 1, 1, 2),
        ([("picture", GMAIL), ("click", CHROME)], 1, 0, 1),
        ([("picture", CHROME), ("click", CHROME)], 1, 0, 1),
        ([("click", IPHONE)], 1, 1, 1),
        ([("picture", APPLE), ("click", "")], 0, 0, 0),
        ([("picture", APPLE), ("click", "python-requests/2.32.5")], 0, 0, 0),
        ([("picture", APPLE), ("click", "Barracuda Sentinel")], 0, 0, 0),
        ([("picture", APPLE), ("click", IPHONE), ("picture", IPHONE)], 1, 0, 1),
        ([("data", APPLE), ("data", IPHONE), ("click", IPHONE)], 1, 0, 1),
    ],
)
def test_a_persons_click_proves_an_open_and_no_rate_is_above_100_percent(
    house: House, fetches: list[tuple[str, str]], opens: int, implied: int, clicks: int
) -> None:
    house.saw("mug")
    for purpose, agent in fetches:
        house.now += 30_000
        house.get(house.url(purpose, "hero"), agent=agent)
    [line] = [
        each
        for each in asyncio.run(house.wetink.reports.lines(house.wetink.content, 0, house.now + 1))
        if each.key["block"] == "hero"
    ]
    assert (line.opens, line.implied_opens, line.clicks) == (opens, implied, clicks)
    assert line.click_rate is None or line.click_rate <= 1
    asyncio.run(house.wetink.reports.reclassify(house.wetink.content))
    [line] = [
        each
        for each in asyncio.run(house.wetink.reports.lines(house.wetink.content, 0, house.now + 1))
        if each.key["block"] == "hero"
    ]
    assert (line.opens, line.implied_opens, line.clicks) == (opens, implied, clicks)


def test_in_hindsight_links_that_were_followed_at_once_were_a_scanners(house: House) -> None:
    house.saw("mug")
    for block in ("hero", "cards", "hello"):
        house.get(house.url("picture", block), agent=CHROME)
        house.get(house.url("click", block), agent=CHROME)
    assert sum(each.clicks for each in results(house).values()) == 3
    assert asyncio.run(house.wetink.reports.reclassify(house.wetink.content)) == 3
    assert sum(each.clicks for each in results(house).values()) == 0
    assert sum(each.opens for each in results(house).values()) == 3
    assert asyncio.run(house.wetink.reports.reclassify(house.wetink.content)) == 0, "the same rules say the same again"


def test_opens_and_clicks_of_people_stand_in_their_timeline(house: House) -> None:
    house.now = 1_763_000_000_000
    house.saw("mug")
    house.get(house.url("picture", "hero") + "?c=spring", agent=CHROME)
    house.get(house.url("click", "hero") + "?c=spring", agent=CHROME)
    house.get(house.url("picture", "cards"), agent="Barracuda")
    app = Starlette(routes=ROUTES)
    app.state.wetink = house.wetink
    with TestClient(app) as browser:
        text = browser.get("/dashboard/people/user:jane").text
    assert [text.count(shown) for shown in ("Opened hero", "Opened cards", ">scanner<")] == [1, 1, 1]
    assert "Email Opened" not in text, "an open with a picture is not listed twice"
    assert text.count("Email Link Clicked") == 1
    assert "spring" in text


def test_pages_of_the_shop_may_read_data_and_no_others(house: House) -> None:
    house.saw("mug")

    def origin(named: str) -> str | None:
        answer = asyncio.run(ask(house.door, "GET", house.url("data", "hero"), headers={"origin": named}))
        assert answer.status == 200
        return answer.headers.get("access-control-allow-origin")

    assert origin("https://shop.example") == "https://shop.example"
    assert origin("https://www.shop.example") in (None, "https://www.shop.example")
    for other in ("https://evil.example", "https://shop.example.evil.example", "null", "https://evilshop.example"):
        assert origin(other) is None


@pytest.mark.parametrize(
    ("query", "traits", "expected"),
    [
        ("", {}, ("", "", "")),
        ("", {"locale": "de-DE", "timezone": "Europe/Berlin", "currency": "EUR"}, ("de-DE", "EUR", "Europe/Berlin")),
        ("?lang=fr&tz=Europe/Paris", {"locale": "de-DE", "currency": "EUR"}, ("fr", "EUR", "Europe/Paris")),
        ("", {"locale": 7, "timezone": ""}, ("", "", "")),
    ],
)
def test_language_currency_and_time_zone_come_from_the_url_else_the_profile(
    house: House, monkeypatch: pytest.MonkeyPatch, query: str, traits: dict[str, object], expected: tuple[str, ...]
) -> None:
    seen: list[Moment] = []
    app = house.wetink.apps["last-viewed"]

    def noted(person: Person, settings: object, moment: Moment, shop: object) -> None:
        seen.append(moment)

    monkeypatch.setitem(house.wetink.apps, "last-viewed", type(app)(app.name, app.title, app.settings, noted))
    house.take({"type": "identify", "userId": "jane", "messageId": "i", "timestamp": house.now, "traits": traits})
    house.get(house.url("picture", "hero") + query)
    assert (seen[0].language, seen[0].currency, seen[0].time_zone) == expected


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        ("10.0.0.1", "", ""),
    ],
    ids=[
        "directly",
        "nobody asked it to say",
        "through a proxy",
        "what is before the last proxy is hearsay",
        "nothing",
    ],
)
def test_only_trusted_proxies_are_believed_about_where_a_request_came_from(
    house: House, monkeypatch: pytest.MonkeyPatch, client: str, forwarded: str, expected: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(house.wetink.places, "_proxies", frozenset({"10.0.0.1"}))
    monkeypatch.setattr(house.wetink.places, "of", asked.append)
    house.wetink.places.of_request(client, forwarded)
    assert asked == [expected]
