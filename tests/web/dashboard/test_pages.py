import asyncio
import re
from collections.abc import Mapping
from html import unescape
from itertools import chain

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from tests.contracts.profiles import received
from tests.days import today
from tests.web.dashboard.shopper import EVIL, HOUR, USER, record
from wetink.core.errors import BadRequest
from wetink.core.events.event import Event
from wetink.core.signals.attribution import Touch
from wetink.web import session
from wetink.web.dashboard.page.query import field_of
from wetink.web.request import now_ms
from wetink.wiring import Wetink

JANE = "/dashboard/people/user:42"


@pytest.mark.parametrize(
    ("address", "facts"),
    [
        ("/dashboard", ["Events with problems", "send sku or product_id", "send userId", "shop-backend"]),
        ("/dashboard", ["blocks/broken.yaml", "/dashboard/blocks/hero", "/dashboard/blocks/picks"]),
        ("/dashboard/live", ["Product Added", "unusable", "parked", "raw of m-cart", "properties.sku"]),
        ("/dashboard/people", ["jane@shop.example", "/dashboard/people/user:42"]),
        (JANE, ["v/1", "/dashboard/people/anonymous:v%2F1", "gold", "O-7", "$1,234.50", "Sea mug", "$24.50"]),
        (f"{JANE}?block=hero", ["cart left behind", "chosen", "/dashboard/preview/hero/1.img?who=user%3A42"]),
        (f"{JANE}?block=picks", ["/dashboard/preview/picks/2.img", "https://shop.example/mug"]),
        ("/dashboard/people/anonymous:v%2F1", ["jane@shop.example", "Sea mug"]),
        ("/dashboard/blocks", ["Left behind", "2 slots", "blocks/broken.yaml", "The first variant of each"]),
        ("/dashboard/blocks?who=email:jane@shop.example", ["who=email%3Ajane%40shop.example"]),
        (
            "/dashboard/blocks/hero",
            [
                "who did not do Order Completed within 1d",
                "and trait plan is one of &#34;gold&#34;, &#34;silver&#34;",
                "sealed token, plain email",
                "https://shop.example/new",
                "Choose a person",
            ],
        ),
        ("/dashboard/blocks/hero?who=Jane", ["Preview as user:42", "/o/hero/1/"]),
        ("/dashboard/blocks/hero?who=nobody+here", ["Nobody fits “nobody here”.", "Preview as a stranger"]),
        ("/dashboard/blocks/hero?who=user:42", ["Snippet", "/o/hero/1/", "/c/hero/1/", "data-copy"]),
        ("/dashboard/sources", ["shop-backend", "shop.example", 'name="csrf"']),
    ],
)
def test_a_page_tells_what_is_known(dashboard: TestClient, address: str, facts: list[str]) -> None:
    answer = dashboard.get(address)
    assert answer.status_code == 200
    assert [fact for fact in facts if fact not in answer.text] == []
    assert answer.headers["cache-control"] == "no-store"


def test_a_timeline_names_its_days_at_any_hour(dashboard: TestClient) -> None:
    answer = dashboard.get(JANE)
    assert "Today" in answer.text or "Yesterday" in answer.text, "her newest event is an hour old"


@pytest.mark.parametrize(
    "address",
    [
        "/dashboard",
        "/dashboard/live",
        "/dashboard/people?q=%3Cscript%3E",
        "/dashboard/people/user:%3Cscript%3Ealert(1)",
        JANE,
        f"{JANE}?block=picks",
        "/dashboard/blocks?who=%3Cscript%3E",
        "/dashboard/blocks/%3Cscript%3E",
    ],
)
def test_nothing_a_sender_or_an_address_says_becomes_markup(dashboard: TestClient, address: str) -> None:
    text = dashboard.get(address).text
    assert EVIL not in text
    assert "<script>" not in text
    assert 'href="javascript' not in text
    assert "style=" not in text


def test_a_name_with_markup_is_shown_as_it_was_sent(dashboard: TestClient) -> None:
    assert "Jane &lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in dashboard.get(JANE).text


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/dashboard/people/nonsense", "user:42"),
        ("/dashboard/people/user:null", "is not an identifier"),
        ("/dashboard/blocks/absent", "blocks: hero, picks"),
    ],
)
def test_an_unknown_name_gets_a_page_that_says_what_to_do(dashboard: TestClient, address: str, says: str) -> None:
    answer = dashboard.get(address)
    assert answer.status_code == 404
    assert says in answer.text
    assert "Go to the home page" in answer.text


def test_a_stranger_gets_a_page_with_the_fallback_they_would_see(dashboard: TestClient) -> None:
    answer = dashboard.get("/dashboard/people/email:new@shop.example?block=hero")
    assert answer.status_code == 200
    assert "wetink has no data about" in answer.text
    assert "fallback: no variant matches" in answer.text


def test_a_person_is_shown_as_of_the_chosen_time(dashboard: TestClient) -> None:
    before_cart = field_of(now_ms() - 3 * HOUR - HOUR // 2)
    then = dashboard.get(f"{JANE}?block=hero&at={before_cart}").text
    assert "m-cart" not in then
    assert 'label">Product Added<' not in then
    assert _taken(then) == ["still looking"]
    assert _taken(dashboard.get(f"{JANE}?block=hero").text) == ["cart left behind"]


@pytest.mark.parametrize(
    "query",
    [
        "at=soon",
        "at=99999999999999999999",
        "at=-5",
        "at=0001-01-01",
        "at=9999-12-31",
        "device=tv&scheme=pink",
        "block=absent",
    ],
)
def test_an_odd_query_is_read_leniently(dashboard: TestClient, query: str) -> None:
    assert dashboard.get(f"{JANE}?{query}").status_code == 200


def test_the_identifiers_of_somebody_with_many_devices_are_shown_a_page_at_a_time(
    dashboard: TestClient, wetink: Wetink
) -> None:
    message = {"type": "track", "event": "X", "userId": "many"}
    told = [received({**message, "messageId": f"d{n}", "anonymousId": f"d{n:03}"}) for n in range(120)]
    asyncio.run(wetink.store.log.append(told))
    shown, address = [], "/dashboard/people/user:many?at="
    while address:
        text = dashboard.get(address).text
        shown.append(re.findall(r'class="who"[^>]*><span class="kind">anonymous</span>(d\d+)<', text))
        more = re.search(r'href="([^"]*)">More identifiers', text)
        address = "/dashboard/people/user:many" + unescape(more[1]) if more else ""
    assert list(map(len, shown)) == [49, 50, 21]
    assert list(chain.from_iterable(shown)) == [f"d{n:03}" for n in range(120)]


@pytest.mark.parametrize(
    ("asked", "found"), [("jane", True), ("email:jane@", True), ("4", True), ("user:42", True), ("ane", False)]
)
def test_people_are_found_by_the_start_of_an_identifier(dashboard: TestClient, asked: str, found: bool) -> None:
    assert ("/dashboard/people/user:42" in dashboard.get("/dashboard/people", params={"q": asked}).text) is found


@pytest.mark.parametrize(
    ("verdict", "shown", "hidden"),
    [("unusable", "m-bad", "m-cart"), ("usable", "m-cart", "m-bad"), ("parked", "lost", "m-bad")],
)
def test_live_is_narrowed_to_a_verdict(dashboard: TestClient, verdict: str, shown: str, hidden: str) -> None:
    text = dashboard.get(f"/dashboard/live?verdict={verdict}").text
    assert shown in text
    assert hidden not in text


def test_live_asks_for_newer_messages_only_and_gets_each_once(dashboard: TestClient, wetink: Wetink) -> None:
    poll = _poll(dashboard.get("/dashboard/live").text)
    assert dashboard.get(poll).status_code == 204
    event = Event("track", now_ms(), "m-new", "shop-web", "Just Now", user="42")
    asyncio.run(wetink.store.log.append([record(event, USER)]))
    answer = dashboard.get(poll)
    assert answer.status_code == 200
    assert "Just Now" in answer.text
    assert "m-cart" not in answer.text
    assert dashboard.get(_poll(answer.text)).status_code == 204


def test_older_messages_are_a_page_away_and_stand_still(dashboard: TestClient, wetink: Wetink) -> None:
    many = [record(Event("track", now_ms(), f"n-{n}", "shop-web", "Many", user="42"), USER) for n in range(60)]
    asyncio.run(wetink.store.log.append(many))
    first = dashboard.get("/dashboard/live").text
    assert "raw of n-59" in first
    assert "raw of n-5&" not in first
    older = re.search(r'href="(/dashboard/live\?before=\d+)"', first)
    assert older is not None
    second = dashboard.get(older[1]).text
    assert "raw of n-5&" in second
    assert "raw of m-cart" in second
    assert "hx-get" not in second


def test_the_preview_is_a_picture_and_counts_as_no_open(dashboard: TestClient, wetink: Wetink) -> None:
    answer = dashboard.get("/dashboard/preview/picks/1.img?who=user:42")
    assert answer.status_code == 200
    assert answer.headers["content-type"] in ("image/jpeg", "image/png")
    assert answer.content[:3] in (b"\xff\xd8\xff", b"\x89PN")
    assert list(asyncio.run(today(wetink.store.ledger))) == []


def test_what_a_picture_weighs_stands_with_the_why_of_its_preview(dashboard: TestClient, wetink: Wetink) -> None:
    page = dashboard.get("/dashboard/blocks/picks?who=user:42").text
    addresses = [unescape(each) for each in re.findall(r'hx-get="(/dashboard/preview/[^"]+)"', page)]
    assert len(addresses) == wetink.content.blocks["picks"].slots
    for slot, address in enumerate(addresses, 1):
        size = len(dashboard.get(address.replace("/weight", ".img")).content)
        line = dashboard.get(address).text
        assert f"<strong>Picture {slot}</strong>" in line
        assert f"{size / 1000:.0f} KB, of 200 KB at most" in line


@pytest.mark.parametrize("address", ["absent/1", "hero/2", "hero/0"])
def test_there_is_no_preview_of_what_is_not_there(dashboard: TestClient, address: str) -> None:
    assert dashboard.get(f"/dashboard/preview/{address}.img").status_code == 404
    assert dashboard.get(f"/dashboard/preview/{address}/weight").status_code == 404


def test_home_counts_people_who_opened_and_clicked_orders_and_revenue(dashboard: TestClient, wetink: Wetink) -> None:
    async def touch() -> None:
        for kind, hours in (("open", 50), ("click", 49), ("open", 2)):
            await wetink.store.ledger.record(Touch(kind, "hero", "user:42", "", now_ms() - hours * HOUR))

    asyncio.run(touch())
    row = re.search(r"blocks/hero\">.*?</tr>", dashboard.get("/dashboard").text, re.S)
    assert row is not None
    cells = [re.sub(r"<[^>]+>|\s", "", cell) for cell in re.findall(r"<td.*?</td>", row[0], re.S)]
    assert cells == ["1", "1", "100.0%", "1", "$1,234.50"]


def test_an_empty_store_shows_the_first_steps(nobody_yet: TestClient) -> None:
    text = nobody_yet.get("/dashboard").text
    for fact in ("Bring sample data", 'value="shopify"', 'name="public_url"', "/dashboard/apps"):
        assert fact in text


@pytest.mark.parametrize("address", ["/dashboard/live", "/dashboard/people", "/dashboard/blocks", "/dashboard/sources"])
def test_every_page_stands_without_a_message(nobody_yet: TestClient, address: str) -> None:
    assert nobody_yet.get(address).status_code == 200


def test_a_new_key_is_shown_once_and_works(nobody_yet: TestClient, empty: Wetink) -> None:
    answer = nobody_yet.post(
        "/dashboard/sources", data=_form(nobody_yet, name="site", level="browser", hosts="A.example")
    )
    assert answer.status_code == 200
    shown = re.search(r'id="write-key"[^>]*>([^<]+)<', answer.text)
    assert shown is not None
    source = asyncio.run(empty.store.sources.source_of_write_key(shown[1]))
    assert source is not None
    assert (source.name, source.level, source.hosts) == ("site", "browser", ("a.example",))
    assert shown[1] not in nobody_yet.get("/dashboard/sources").text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "shop-backend"}, "already"),
        ({"name": "  "}, "needs a name"),
        ({"name": "x" * 65}, "needs a name"),
        ({"name": "new", "hosts": "https://a.example/x"}, "is not a host"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(dashboard: TestClient, fields: dict[str, str], says: str) -> None:
    answer = dashboard.post("/dashboard/sources", data=_form(dashboard, **fields))
    assert answer.status_code == 400
    assert says in answer.text


def test_a_form_that_is_not_ours_makes_no_key(
    nobody_yet: TestClient, empty: Wetink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(request: Request, form: Mapping[str, str]) -> None:
        assert form["csrf"] == "forged"
        raise BadRequest("not ours")

    monkeypatch.setattr(session, "check_csrf", refuse)
    assert nobody_yet.post("/dashboard/sources", data={"csrf": "forged", "name": "site"}).status_code == 400
    assert list(asyncio.run(empty.store.sources.all())) == []


def _taken(text: str) -> list[str]:
    return re.findall(r'<strong>([^<]*)</strong>\s*<span class="state">chosen', text)


def _poll(text: str) -> str:
    found = re.search(r'hx-get="([^"]+)"', text)
    assert found is not None
    return found[1].replace("&amp;", "&")


def _form(client: TestClient, **fields: str) -> dict[str, str]:
    found = re.search(r'name="csrf" value="([^"]*)"', client.get("/dashboard/sources").text)
    assert found is not None
    return {"csrf": found[1], **fields}


def test_a_blocks_page_says_what_each_class_of_fetch_gets(dashboard: TestClient) -> None:
    text = dashboard.get("/dashboard/blocks/hero").text
    assert "Response to a scanner</dt><dd>fallback</dd>" in text
    assert "Response to a prefetch</dt><dd>chosen variant, counted</dd>" in text
