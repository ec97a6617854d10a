"""/metrics: one scrape of a real server answers for all its processes, and only where it may be read."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.web.scraped import TOKEN, House, basic, serving
from wetink.telemetry.metrics import MESSAGES

MUG = {
    **{"sku": "S-1", "name": "Mug", "price": 12, "currency": "EUR"},
    **{"url": "https://shop.example/mug", "image_url": "https://shop.example/mug.jpg"},
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with serving(tmp_path_factory.mktemp("scrape") / "data") as made:
        yield made


def track(name: str, **more: object) -> bytes:
    return json.dumps({"event": name, "userId": "42", **more}).encode()


def test_a_scrape_counts_the_requests_of_all_processes(house: House) -> None:
    before = house.numbers()
    for number in range(12):
        assert house.ask("POST", "/v1/track", track("Seen"), authorization=basic(house.key))[0] == 200
        assert house.ask("GET", f"/o/hero/1.jpg?user={number}")[0] == 200
        assert house.ask("GET", f"/d/hero.json?user={number}")[0] == 200
        assert house.ask("GET", f"/c/hero/1?user={number}")[0] == 302
    # A head without a body arrives before it is counted, and a scrape may come between its two numbers.
    last = "wetink_requests_total{route=click,status=3xx}", "wetink_request_seconds_count{route=click}"
    after = house.wait(lambda numbers: all(numbers[name] - before[name] == 12 for name in last))
    for route, status in (("message", "2xx"), ("picture", "2xx"), ("data", "2xx"), ("click", "3xx")):
        for name in (
            f"wetink_requests_total{{route={route},status={status}}}",
            f"wetink_request_seconds_count{{route={route}}}",
        ):
            assert after[name] - before[name] == 12, name
    assert after["wetink_opens_total{kind=picture,outcome=decided}"] >= 12
    assert after["wetink_store_seconds_count{operation=append}"] > 0
    assert after["wetink_decide_seconds_count{}"] >= 24


def test_messages_are_counted_by_outcome(house: House) -> None:
    before = house.numbers()
    once = track("Product Viewed", messageId="m-1", properties=MUG)
    for body in (once, once, b'{"event": "Product Viewed"}', track("Product Viewed")):
        assert house.ask("POST", "/v1/track", body, authorization=basic(house.key))[0] == 200
    after = house.numbers()
    outcomes = {name: f"wetink_messages_total{{outcome={name}}}" for name in MESSAGES}
    counted = {name: after[sample] - before[sample] for name, sample in outcomes.items()}
    assert counted == {"usable": 1, "duplicate": 1, "parked": 1, "unusable": 1, "failed": 0}


def test_refused_requests_are_counted_by_class_of_status(house: House) -> None:
    before = house.numbers()
    assert house.ask("POST", "/v1/batch", b"{", authorization=basic(house.key))[0] == 400
    assert house.ask("GET", "/nothing")[0] == 404
    after = house.numbers()
    for name in ("wetink_requests_total{route=batch,status=4xx}", "wetink_requests_total{route=other,status=4xx}"):
        assert after[name] - before[name] == 1, name


def test_the_state_of_the_store_is_in_a_scrape(house: House) -> None:
    found = house.wait(lambda numbers: any(name.startswith("wetink_lease_held") for name in numbers))
    assert "wetink_follower_lag_messages{projection=catalog}" in found
    assert found["wetink_store_bytes{part=wetink}"] > 0
    assert found["wetink_disk_free_bytes{}"] > 0
    assert found["wetink_scrape_unread_parts{}"] == 0
    assert [name for name in found if name.startswith("wetink_build{engine=sqlite")]
    assert len([name for name in found if name.startswith("process_resident_memory_bytes")]) == 2


def test_drawers_are_counted_and_timed(house: House) -> None:
    house.ask("GET", "/o/hero/1.jpg?user=drawn")
    found = house.wait(lambda numbers: numbers["wetink_drawers{}"] >= 1)
    assert found["wetink_draw_seconds_count{}"] > 0
    assert found["wetink_draw_wait_seconds_count{}"] > 0


def test_a_scrape_without_the_token_is_refused(house: House) -> None:
    assert house.scrape()[0] == 401
    assert house.scrape(authorization="Bearer wrong")[0] == 401
    assert house.scrape(authorization=f"bearer {TOKEN}x")[0] == 401


def test_the_public_address_has_no_metrics(house: House) -> None:
    status, body = house.ask("GET", "/metrics", authorization=f"Bearer {TOKEN}")
    assert status == 404
    assert b"wetink_" not in body


@pytest.mark.parametrize("path", ["/", "/dashboard", "/o/hero/1.jpg?user=1", "/healthz", "/v1/track"])
def test_the_address_of_metrics_answers_nothing_else(house: House, path: str) -> None:
    assert house.ask("GET", path, port=house.port, authorization=f"Bearer {TOKEN}")[0] == 404


def test_a_killed_process_takes_no_number_with_it(house: House) -> None:
    for number in range(8):
        house.ask("GET", f"/d/hero.json?user=k{number}")
    before = house.numbers()
    os.kill(min(house.server.children), signal.SIGKILL)
    after = house.wait(lambda numbers: numbers["wetink_worker_restarts_total{}"] == 1)
    counters = [name for name in before if "_total{" in name and name.startswith("wetink_")]
    assert {name: (before[name], after[name]) for name in counters if after[name] < before[name]} == {}
