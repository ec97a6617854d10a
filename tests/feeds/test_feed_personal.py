"""Per-person feeds: nobody waits longer than the deadline, nobody waits twice, and a sick host is left alone."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.outside import HOUR, MINUTE, Clock, Outside, Reply, outside, refreshed, run, sends, until
from wetink.core.outbound.breaker import SHORTEST_MS, TRIES
from wetink.core.outbound.feed import Feed, Supply
from wetink.feeds import FeedService
from wetink.feeds.download import PER_HOST

PATIENT = 5_000


def weather(there: Outside, *, path: str = "/weather/{city}", **more: Any) -> Feed:
    person = {"parameters": {"city": "person.traits.city"}, "deadline_ms": PATIENT}
    return there.feed("weather", path, per_person={**person, **more})


def numbers(there: Outside) -> Reply:
    """Answer with how often it was asked."""
    return lambda handler: sends(json.dumps({"call": there.calls}).encode())(handler)


async def ask(keeper: FeedService, city: str = "Oslo", deadline_ms: int = PATIENT) -> Supply:
    return await keeper.ask("weather", {"city": city}, deadline_ms)


def test_many_who_ask_the_same_cause_one_call(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        there.reply = numbers(there)
        given = await asyncio.gather(*(ask(keeper) for _ in range(50)))
        assert {(each.state, each.items[0]["call"]) for each in given} == {("fresh", 1)}
        assert (await ask(keeper, "Bergen")).items == ({"call": 2},)

    run(tmp_path, clock, there, scenario, weather(there))


@pytest.mark.parametrize(
    ("path", "city", "sent"),
    [
        ("/weather/{city}", "São Paulo", "/weather/S%C3%A3o%20Paulo"),
        ("/weather/{city}", "a/b?c=d#e&f", "/weather/a%2Fb%3Fc%3Dd%23e%26f"),
        ("/weather/{city}", "%2e%2e/x", "/weather/%252e%252e%2Fx"),
        ("/weather/{city}", "@evil.example", "/weather/%40evil.example"),
        ("/weather?u=m&q={city}", "x&admin=1", "/weather?u=m&q=x%26admin%3D1"),
        ("/weather?u=m", "Oslo\r\nHost: x", "/weather?u=m&city=Oslo%0D%0AHost%3A%20x"),
        ("/weather", "Oslo", "/weather?city=Oslo"),
    ],
)
def test_parameters_are_sent_as_they_must_be(
    tmp_path: Path, there: Outside, clock: Clock, path: str, city: str, sent: str
) -> None:
    async def scenario(keeper: FeedService) -> None:
        assert (await ask(keeper, city)).state == "fresh"
        assert [path for path, _ in there.asked] == [sent]

    run(tmp_path, clock, there, scenario, weather(there, path=path))


@pytest.mark.parametrize("parameters", [{}, {"city": ""}, {"city": ".."}, {"city": "x" * 300}])
def test_without_good_parameters_nobody_is_asked(
    tmp_path: Path, there: Outside, clock: Clock, parameters: dict[str, str]
) -> None:
    async def scenario(keeper: FeedService) -> None:
        given = await keeper.ask("weather", parameters, PATIENT)
        keeper.warm("weather", parameters)
        assert given.state == "none"
        assert given.because.startswith("city ")
        assert there.calls == 0

    run(tmp_path, clock, there, scenario, weather(there))


@pytest.mark.parametrize("own", [True, False])
def test_a_slow_answer_costs_the_deadline_once_and_is_there_the_next_time(
    tmp_path: Path, there: Outside, clock: Clock, own: bool
) -> None:
    go = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        go.wait(20)
        sends(b'{"call": 1}')(handler)

    async def scenario(keeper: FeedService) -> None:
        there.reply = slow
        given = await ask(keeper, deadline_ms=PATIENT if own else 20)
        assert given == Supply(because="it did not answer within the deadline")
        go.set()
        while (await ask(keeper, deadline_ms=PATIENT)).state == "none":
            pass
        assert there.calls == 1

    run(tmp_path, clock, there, scenario, weather(there, deadline_ms=20 if own else PATIENT))


def test_in_the_last_quarter_of_its_life_an_answer_is_given_and_refreshed_meanwhile(
    tmp_path: Path, there: Outside, clock: Clock
) -> None:
    go = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        go.wait(20)
        numbers(there)(handler)

    async def scenario(keeper: FeedService) -> None:
        there.reply = numbers(there)
        await ask(keeper)
        clock.now += 40 * MINUTE
        assert (await ask(keeper)).items == ({"call": 1},)
        assert there.calls == 1
        there.reply = slow
        clock.now += 10 * MINUTE
        for _ in range(5):
            given = await ask(keeper)
            assert (given.state, given.items, given.age_ms) == ("fresh", ({"call": 1},), 50 * MINUTE)
        go.set()
        await until(lambda: there.at_once == 0)
        for _ in range(1000):
            given = await ask(keeper)
            if given.items == ({"call": 2},):
                break
            await asyncio.sleep(0.005)
        assert (given.state, given.age_ms, there.calls) == ("fresh", 0, 2)

    run(tmp_path, clock, there, scenario, weather(there))


def test_who_opens_now_and_then_never_waits_and_who_does_not_is_forgotten(
    tmp_path: Path, there: Outside, clock: Clock
) -> None:
    async def scenario(keeper: FeedService) -> None:
        there.reply = numbers(there)
        await ask(keeper)
        for _ in range(10):
            for _ in range(10):
                clock.now += 9 * MINUTE
                await refreshed(keeper)
            given = await ask(keeper, deadline_ms=0)
            assert given.state == "fresh"
        calls = there.calls
        for _ in range(100):
            clock.now += 9 * MINUTE
            await refreshed(keeper)
        assert calls < there.calls <= calls + 3
        assert (await ask(keeper, deadline_ms=0)).state == "stale"

    run(tmp_path, clock, there, scenario, weather(there))


def test_a_prefetched_answer_is_ready_at_the_open(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        keeper.warm("weather", {"city": "Oslo"})
        keeper.warm("weather", {"city": "Oslo"})
        keeper.warm("nothing", {"city": "Oslo"})
        assert (await ask(keeper)).state == "fresh"
        keeper.warm("weather", {"city": "Oslo"})
        assert (await ask(keeper, deadline_ms=0)).state == "fresh"
        assert there.calls == 1

    run(tmp_path, clock, there, scenario, weather(there))


def test_when_the_host_fails_the_last_answer_is_given_and_says_so(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await ask(keeper)
        there.reply = sends(b"", 500)
        clock.now += 2 * HOUR
        given = await ask(keeper)
        assert (given.state, given.items, given.age_ms) == ("stale", ({"id": 1},), 2 * HOUR)
        assert given.because == "it answered 500"
        await ask(keeper)
        assert there.calls == 2, "what failed a moment ago is not asked again at once"
        there.reply = sends(b'{"id": 2}')
        clock.now += MINUTE
        given = await ask(keeper)
        assert (given.state, given.items, given.because) == ("fresh", ({"id": 2},), "")

    run(tmp_path, clock, there, scenario, weather(there))


@pytest.mark.parametrize(
    ("reply", "because"),
    [
        (sends(b"", 404), "it answered 404"),
        (sends(b"<html>"), "it is a web page (HTML), not a feed"),
        (sends(b"[1]"), "none of its 1 items can be used; item 1: it is not an object"),
        (sends(b" " * 2_000_000), "more than 1048576 bytes"),
        (sends(b"", 302, location="http://10.0.0.1/"), "10.0.0.1 has no public address"),
    ],
)
def test_answers_that_are_no_good_say_nothing_against_the_host(
    tmp_path: Path, there: Outside, clock: Clock, reply: Reply, because: str
) -> None:
    async def scenario(keeper: FeedService) -> None:
        there.reply = reply
        for number in range(2 * TRIES):
            assert await ask(keeper, f"city-{number}") == Supply(because=because)
        there.reply = sends(b"{}")
        assert (await ask(keeper)).state == "fresh"

    run(tmp_path, clock, there, scenario, weather(there))


def test_a_host_that_keeps_failing_is_left_alone_then_probed_by_one(
    tmp_path: Path, there: Outside, clock: Clock
) -> None:
    async def scenario(keeper: FeedService) -> None:
        there.reply = sends(b"", 503)
        for number in range(50):
            given = await ask(keeper, f"city-{number}")
        assert there.calls == TRIES
        assert given.because == f"{there.host} is paused after {TRIES} failures, the last: it answered 503"
        clock.now += SHORTEST_MS
        await asyncio.gather(*(ask(keeper, f"town-{number}") for number in range(30)))
        assert there.calls == TRIES + 1
        there.reply = sends(b"{}")
        clock.now += SHORTEST_MS
        assert (await ask(keeper, "Oslo")).state == "none"
        clock.now += SHORTEST_MS
        assert (await ask(keeper, "Oslo")).state == "fresh"
        assert (await ask(keeper, "Bergen")).state == "fresh"

    run(tmp_path, clock, there, scenario, weather(there))


def test_a_host_gets_so_many_calls_at_a_time_and_a_sick_one_costs_no_other(
    tmp_path: Path, there: Outside, clock: Clock
) -> None:
    go = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        if "city" in handler.path:
            go.wait(20)
        sends(b"{}")(handler)

    async def scenario(keeper: FeedService) -> None:
        there.reply = slow
        for number in range(300):
            keeper.warm("weather", {"city": f"city-{number}"})
        await until(lambda: there.calls == PER_HOST)
        keeper.use({"weather": weather(there), "stores": other.feed("stores")})
        await refreshed(keeper)
        assert keeper.give("stores").state == "fresh"
        given = await ask(keeper, "one more")
        assert given.because == f"{there.host} has 100 calls waiting"
        assert there.calls == PER_HOST
        go.set()
        await until(lambda: there.calls == PER_HOST + 100)
        assert there.most_at_once == PER_HOST

    with outside() as other:
        run(tmp_path, clock, there, scenario, weather(there), other=other)


def test_the_least_recently_requested_answer_is_evicted(
    tmp_path: Path, there: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetink.feeds.personal.MOST_KEPT", 3)

    async def scenario(keeper: FeedService) -> None:
        for city in ("a", "b", "c", "a", "d", "a"):
            await ask(keeper, city)
        assert there.calls == 4
        await ask(keeper, "b")
        assert there.calls == 5

    run(tmp_path, clock, there, scenario, weather(there))


def test_a_feed_that_is_read_in_another_way_is_asked_anew(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await ask(keeper)
        keeper.use({"weather": weather(there)})
        await ask(keeper)
        assert there.calls == 1
        keeper.use({"weather": there.feed("weather", "/weather/{city}", every="2h", per_person=PERSON)})
        await ask(keeper)
        assert there.calls == 2

    run(tmp_path, clock, there, scenario, weather(there))


PERSON = {"parameters": {"city": "person.traits.city"}}


def test_each_kind_of_feed_says_how_it_is_asked(tmp_path: Path, there: Outside, clock: Clock) -> None:
    async def scenario(keeper: FeedService) -> None:
        await refreshed(keeper)
        assert keeper.give("weather").because == "feed weather is fetched for each person"
        assert (await keeper.ask("news", {}, PATIENT)).state == "fresh"
        assert (await keeper.ask("nothing", {}, PATIENT)).because == "there is no feed nothing"
        assert [path for path, _ in there.asked] == ["/feed"]

    run(tmp_path, clock, there, scenario, weather(there), there.feed())


def test_closing_does_not_wait_for_hanging_calls(tmp_path: Path, there: Outside, clock: Clock) -> None:
    go = threading.Event()

    async def scenario(keeper: FeedService) -> None:
        there.reply = lambda handler: (go.wait(20), sends(b"{}")(handler))[1]
        waiting = asyncio.create_task(ask(keeper))
        await until(lambda: there.calls == 1)
        await keeper.close()
        assert (await waiting).state == "none"
        go.set()

    run(tmp_path, clock, there, scenario, weather(there))
