"""The people pages: a table that is filtered and paged, and a timeline that ends at the first event."""

import asyncio
import re

import pytest
from starlette.testclient import TestClient

from tests.contracts.profiles import received
from tests.storage import all_at_once
from wetink.core.blocks.block import Block, Decision, decision_id
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.ports import Record
from wetink.ports.ledger import Opened
from wetink.web.request import now_ms
from wetink.wiring import Wetink

MOST = 120
"""More people, and more events of one person, than a page has."""


@pytest.fixture
def crowd(wetink: Wetink) -> Wetink:
    """A wetink with many people, every third of them with a gold plan."""

    async def fill() -> None:
        now, messages = now_ms(), []
        for number in range(MOST):
            plan = "gold" if number % 3 == 0 else "basic"
            traits = {"email": f"p{number}@shop.example", "firstName": "Pat", "lastName": str(number), "plan": plan}
            at = {"userId": f"p{number}", "messageId": f"i{number}", "timestamp": now - 1_000 - number}
            messages.append(received({"type": "identify", "traits": traits, **at}))
        await wetink.store.log.append(messages)
        members = all_at_once(*(Identifier("user", f"p{number}") for number in range(60)))
        await wetink.store.memberships.take("regulars", members, now, lambda *_: False)

    asyncio.run(fill())
    path = wetink.settings.content / "audiences" / "regulars.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("title: Our regulars\nrule: [{trait: plan, exists: true}]\n")
    asyncio.run(wetink.look_again())
    return wetink


def names(text: str) -> list[str]:
    """Return the people of a page."""
    return re.findall(r'class="main-who" href="/dashboard/people/([^"]+)"', text)


def pages(dashboard: TestClient, address: str) -> list[list[str]]:
    """Return the people of a list's pages, following its links."""
    found = []
    while address:
        text = dashboard.get(address).text
        found.append(names(text))
        more = re.search(r'<a href="(/dashboard/people\?[^"]+)">Next', text)
        address = more[1].replace("&amp;", "&") if more else ""
    return found


def test_people_are_listed_by_newest_message_a_page_at_a_time(crowd: Wetink, dashboard: TestClient) -> None:
    listed = [name for some in pages(dashboard, "/dashboard/people") for name in some]
    assert sorted(listed) == sorted(["user:42", *(f"user:p{number}" for number in range(MOST))])


def test_a_row_names_the_person_their_address_and_audiences(crowd: Wetink, dashboard: TestClient) -> None:
    text = dashboard.get("/dashboard/people?q=p7@").text
    assert [fact for fact in ("Pat 7", "p7@shop.example", "Our regulars") if fact not in text] == []
    row = dashboard.get("/dashboard/people?q=42").text
    assert [fact for fact in ("$1,234.50", "jane@shop.example") if fact not in row] == []


def test_a_name_that_several_people_have_is_a_choice_on_a_blocks_page(crowd: Wetink, dashboard: TestClient) -> None:
    page = dashboard.get("/dashboard/blocks/hero?who=pat").text
    assert "Several people fit “pat”. Choose one:" in page
    choices = re.findall(r'<a href="(/dashboard/blocks/hero\?who=user%3Ap\d+)">Pat \d+</a>', page)
    assert len(choices) == 10
    assert "Preview as user:p" in dashboard.get(choices[0]).text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("trait=plan&test=equals&value=gold", 41),
        ("trait=plan&test=not_equals&value=gold", 80),
        ("trait=plan&test=contains&value=OL", 41),
        ("trait=lastName&test=at_least&value=100", 20),
        ("trait=lastName&test=exists", MOST),
        ("audience=regulars&trait=plan&test=equals&value=gold", 41),
    ],
)
def test_a_filter_by_trait_shows_how_many_match(crowd: Wetink, dashboard: TestClient, query: str, count: int) -> None:
    found = pages(dashboard, f"/dashboard/people?{query}")
    matches = re.search(r"<strong>(\d+)</strong> of", dashboard.get(f"/dashboard/people?{query}").text)
    listed = [name for some in found for name in some]
    assert matches is not None
    assert (int(matches[1]), len(listed), len(set(listed))) == (count, count, count)


def test_a_filter_by_audience_lists_all_its_members(crowd: Wetink, dashboard: TestClient) -> None:
    found = pages(dashboard, "/dashboard/people?audience=regulars")
    assert [len(some) for some in found] == [50, 10]
    assert {name for some in found for name in some} == {f"user:p{number}" for number in range(60)}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("trait=visits&test=at_least&value=many", "Enter a number"),
        ("trait=plan&test=equals&value=", "Enter a value"),
        ("audience=absent", "Nobody matches"),
        ("trait=%00&test=exists", "Nobody matches"),
        ("trait=plan&test=equals&value=platinum", "Nobody matches"),
        ("start=99999999999", "No profiles"),
    ],
)
def test_a_filter_that_finds_nobody_says_why(crowd: Wetink, dashboard: TestClient, query: str, words: str) -> None:
    answer = dashboard.get(f"/dashboard/people?{query}")
    assert answer.status_code == 200
    assert words in answer.text


def test_a_timeline_shows_every_event_once_however_many_share_a_time(wetink: Wetink, dashboard: TestClient) -> None:
    def step(number: int, at: int) -> Record:
        told = {"type": "track", "event": f"Step {number}", "userId": "busy", "messageId": f"s{number}"}
        return received({**told, "timestamp": at - number // 7 - (50 if number > 200 else 0)})

    asyncio.run(wetink.store.log.append([step(number, now_ms() - 100_000) for number in range(260)]))
    seen, address = list[str](), "/dashboard/people/user:busy"
    while address:
        text = dashboard.get(address).text
        seen += re.findall(r"<span class=\"label\">(Step \d+)</span>", text)
        more = re.search(r'hx-get="(/dashboard/timeline/user:busy\?[^"]+)"', text)
        address = more[1].replace("&amp;", "&") if more else ""
    assert sorted(seen) == sorted(f"Step {number}" for number in range(260))


def decided(block: Block, at: int) -> Decision:
    """Return the decision of an open by the person 42."""
    id_ = decision_id(block.name, "user:42", "weekly", at)
    return Decision(id_, block.name, "user:42", "weekly", at, "", "", "", {}, (), (), ())


def test_a_timeline_shows_the_pictures_of_opens_among_events(wetink: Wetink, dashboard: TestClient) -> None:
    block, now, ids = wetink.content.block("hero"), now_ms(), list[str]()

    async def open_twice() -> None:
        for at in (now - 500, now - 90_000_000):
            decision = decided(block, at)
            ids.append(decision.id)
            wetink.store.archive.keep(Opened(decision, Moment(at, campaign="weekly"), block, ""))
        while len(await wetink.store.archive.newest(now, 5, recipients=["user:42"])) < 2:  # noqa: ASYNC110 (written soon)
            await asyncio.sleep(0.01)

    asyncio.run(open_twice())
    text = dashboard.get("/dashboard/people/user:42").text
    assert [each for each in ids if f'<img src="/dashboard/opens/{each}/1.img"' not in text] == []
    assert text.count("Opened Left behind") == 2
    assert "weekly" in text
