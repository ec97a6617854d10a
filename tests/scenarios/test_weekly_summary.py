"""The weekly summary: what it says, that each receiver gets it once, and what the page says when it cannot be sent."""

import asyncio
import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from tests.smtp import Mailbox, smtp
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import Answer, Post
from wetink.core.signals.attribution import Touch
from wetink.core.signals.digest import digest, due, message, text_of
from wetink.core.signals.report import Line
from wetink.core.signals.reporting import Reporting, Summary
from wetink.feeds.mail import SMTPMail
from wetink.insights.weekly import TRIES, Weekly
from wetink.settings import read
from wetink.web.app import create
from wetink.wiring import Wetink

MONDAY = int(datetime(2026, 11, 30, tzinfo=UTC).timestamp() * 1000)
HOUR, DAY = 3_600_000, 86_400_000
TEAM = Summary(to=("jane@shop.example", "bob@shop.example"), webhook="https://hooks.example/x")
BLOCK = "title: Left <behind>\nfallback: {link: 'https://shop.example/', title: Hi}\nrecipients: [email]\n"


class Post_(list[Post]):
    """A webhook's receiver."""

    status = 200

    async def send(self, post: Post) -> Answer:
        self.append(post)
        return Answer(self.status)

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with smtp() as made:
        yield made


@pytest.fixture
def wetink(tmp_path: Path, box: Mailbox) -> Iterator[Wetink]:
    data = tmp_path / "data"
    (data / "content" / "blocks").mkdir(parents=True)
    (data / "content" / "blocks" / "hero.yaml").write_text(BLOCK)
    mail = {"smtp_url": f"smtp://team:p%40ss@127.0.0.1:{box.port}", "sender": "Reports <reports@shop.example>"}
    made = Wetink(read({}, data=data, **mail), draws=False)

    async def start() -> None:
        await made.look_again()
        for week, count in ((1, 60), (2, 100)):
            for number in range(count):
                at = MONDAY - week * 7 * DAY + number * HOUR
                await made.store.ledger.record(Touch("open", "hero", f"user:{week}-{number}", "", at, ""))

    asyncio.run(start())
    yield made
    asyncio.run(made.close())


def weekly(wetink: Wetink, now: list[int], posts: Any, mail: Any = None) -> Weekly:
    return Weekly(
        wetink.store,
        wetink.reports,
        wetink.experiments,
        posts,
        mail or SMTPMail(wetink.settings.smtp_url, wetink.settings.sender),
        lambda: "https://wetink.shop.example",
        wetink.feeds,
        lambda: now[0],
    )


def test_each_receiver_gets_the_week_beside_the_one_before_once(wetink: Wetink, box: Mailbox) -> None:
    problems = ("blocks/a.yaml: it is wrong",)
    content = replace(wetink.content, reporting=Reporting(summary=TEAM), problems=problems)
    posts, now = Post_(), [MONDAY + 8 * HOUR - 1]
    processes = [weekly(wetink, now, posts) for _ in range(3)]

    async def together() -> None:
        await asyncio.gather(*(each.step(content) for each in processes))

    asyncio.run(together())
    assert (len(box.letters), len(posts)) == (0, 0)
    for at in (MONDAY + 8 * HOUR, MONDAY + 8 * HOUR, MONDAY + 30 * HOUR, MONDAY + 6 * DAY):
        now[0] = at
        asyncio.run(together())
    assert (len(box.letters), len(posts)) == (1, 1)
    [letter], [post] = box.letters, posts
    assert box.receivers == [["jane@shop.example", "bob@shop.example"]]
    assert box.logins == ["|team|p@ss"]
    assert (letter["From"], letter["Message-ID"]) == (
        "Reports <reports@shop.example>",
        "<summary-2026-W48@shop.example>",
    )
    assert "23 Nov" in letter["Subject"]
    plain, rich = (part.get_content() for part in letter.iter_parts())
    for words in (
        "Unique opens: 60 (-40%)",
        "Left <behind>: 60 opens",
        "blocks/a.yaml: it is wrong",
        "reports/summary",
    ):
        assert words in plain
    assert "Left &lt;behind&gt;" in rich
    assert "<behind>" not in rich
    sent = json.loads(post.body)
    assert sent["text"] == letter["Subject"]
    assert "Left &lt;behind&gt;" in json.dumps(sent["blocks"])
    assert sent["summary"]["figures"][0] == {
        "name": "Unique opens", "value": "60", "change": "-40%", "direction": "down",
    }  # fmt: skip
    now[0] = MONDAY + 7 * DAY + 9 * HOUR
    asyncio.run(together())
    assert (len(box.letters), len(posts)) == (2, 2)


def test_a_failed_try_is_repeated_later_for_that_receiver_alone(wetink: Wetink, box: Mailbox) -> None:
    content = replace(wetink.content, reporting=Reporting(summary=TEAM))
    posts, now = Post_(), [MONDAY + 9 * HOUR]
    box.refuses["RCPT"] = b"451 try later"
    one = weekly(wetink, now, posts)
    for minutes in range(0, 36 * 60, 2):
        now[0] = MONDAY + 9 * HOUR + minutes * 60_000
        asyncio.run(one.step(content))
    state = asyncio.run(one.state())
    assert (len(box.letters), len(posts)) == (0, 1)
    assert (state.channels["webhook"].state, state.channels["webhook"].tries) == ("sent", 1)
    assert (state.channels["email"].state, state.channels["email"].tries) == ("failed", TRIES)
    assert "jane@shop.example" in state.channels["email"].why


def test_new_receivers_begin_with_the_next_week(wetink: Wetink, box: Mailbox) -> None:
    content = replace(wetink.content, reporting=Reporting(summary=TEAM))
    now = [MONDAY + 10 * HOUR]
    one = weekly(wetink, now, Post_())
    asyncio.run(one.begin(content))
    asyncio.run(one.step(content))
    assert box.letters == []
    now[0] += 7 * DAY
    asyncio.run(one.step(content))
    assert len(box.letters) == 1


@pytest.mark.parametrize(
    ("day", "hour", "zone", "now", "week"),
    [
        ("monday", 8, "UTC", "2026-11-30T07:59", None),
        ("monday", 8, "UTC", "2026-11-30T08:00", "2026-W48"),
        ("monday", 8, "America/New_York", "2026-11-30T12:59", None),
        ("monday", 8, "America/New_York", "2026-11-30T13:00", "2026-W48"),
        ("friday", 0, "Asia/Tokyo", "2026-12-03T15:00", "2026-W48"),
        ("sunday", 23, "UTC", "2027-01-03T23:30", "2026-W52"),
        ("monday", 8, "UTC", "2027-01-04T08:00", "2026-W53"),
        ("monday", 8, "UTC", "2026-12-03T08:00", None),
    ],
)
def test_it_is_due_at_its_hour_in_the_shops_zone_for_three_days(
    day: Any, hour: int, zone: str, now: str, week: str | None
) -> None:
    at = int(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp() * 1000)
    assert due(Summary(to=("a@b.c",), day=day, hour=hour), zone, at) == week
    assert due(Summary(day=day, hour=hour), zone, at) is None


def test_a_week_without_anything_and_odd_titles_still_make_a_summary() -> None:
    found = digest("2026-W53", "UTC", [], [], {})
    assert "Unique opens: 0" in text_of(found, "https://a.example")
    lines = [Line({"block": "x"}, unique_opens=80, revenue={"EUR": 5.0})]
    odd = digest("2026-W01", "UTC", lines, [], {"x": "<!channel> & *x*"}, problems=[str(n) for n in range(9)])
    assert "<!channel>" not in json.dumps(json.loads(message(odd, ""))["blocks"])
    assert odd.problems[-1] == "4 more"


@pytest.fixture
def web(wetink: Wetink) -> Iterator[TestClient]:
    with TestClient(create(wetink)) as client:
        client.get(f"/dashboard/login?token={wetink.dashboard_token}")
        yield client


def fields(page: str) -> dict[str, str]:
    csrf = html.unescape(page).partition('name="csrf" value="')[2].partition('"')[0]
    return {"csrf": csrf, "day": "friday", "hour": "7"}


def test_the_page_previews_tests_saves_and_turns_off(web: TestClient, wetink: Wetink, box: Mailbox) -> None:
    page = web.get("/dashboard/reports/summary").text
    given = fields(page)
    assert "Preview" in page
    answer = web.post("/dashboard/reports/summary/test", data={**given, "to": "jane@shop.example"})
    assert "A test was sent to 1 address." in answer.text
    assert [each["Subject"].startswith("Test: ") for each in box.letters] == [True]
    assert not wetink.content.reporting.summary.on
    answer = web.post("/dashboard/reports/summary", data={**given, "to": "jane@shop.example\nbob@shop.example"})
    assert "The weekly summary is on." in answer.text
    assert wetink.content.reporting.summary == Summary(
        to=("jane@shop.example", "bob@shop.example"), day="friday", hour=7
    )
    answer = web.post("/dashboard/reports/summary", data=given)
    assert "The weekly summary is off." in answer.text
    assert not wetink.content.reporting.summary.on


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"to": "jane"}, "to", "is not an email address"),
        ({"to": "a@b.c\r\nBcc: evil@x.example"}, "to", "is not an email address"),
        ({"to": ",".join(f"a{n}@b.c" for n in range(51))}, "to", "At most 50 addresses"),
        ({"webhook": "javascript:alert(1)"}, "webhook", "is not an http(s) URL"),
        ({"hour": "24", "to": "a@b.c"}, "hour", "from 0 to 23"),
        ({"day": "someday", "to": "a@b.c"}, "day", "a day of the week"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    web: TestClient, wetink: Wetink, more: dict[str, str], field: str, words: str
) -> None:
    given = {**fields(web.get("/dashboard/reports/summary").text), **more}
    for path in ("/dashboard/reports/summary", "/dashboard/reports/summary/test"):
        answer = web.post(path, data=given)
        page = html.unescape(answer.text)
        assert answer.status_code == 400
        assert words in page
        assert f'id="{field}"' in page
        assert 'aria-invalid="true"' in page
        assert given.get("to", "").replace("\r", "").split("\n")[0] in page
    assert not wetink.content.reporting.summary.on


def test_a_test_that_cannot_be_sent_says_what_the_mail_server_said(web: TestClient, box: Mailbox) -> None:
    box.refuses["AUTH"] = b"535 wrong password"
    given = {**fields(web.get("/dashboard/reports/summary").text), "to": "jane@shop.example"}
    answer = web.post("/dashboard/reports/summary/test", data=given)
    assert answer.status_code == 400
    assert "535 wrong password" in answer.text
    assert str(Identifier("email", "jane@shop.example").value) in answer.text
