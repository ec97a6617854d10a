"""Hooks: a receiver hears of everybody who came and went, once, in order, however often it fails meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.profiles import received
from tests.feeds.outside import Clock, Outside, outside, sends
from tests.storage import opened
from wetink.audiences.audiences import Audiences
from wetink.audiences.webhooks import Hooks
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.breaker import TRIES
from wetink.core.outbound.webhook import PAUSES, Hook
from wetink.core.profile.person import Moment
from wetink.core.rules.tree import Did, Rule
from wetink.core.signals.audience import Audience
from wetink.feeds import Poster
from wetink.ports.audiences import Count
from wetink.store.sqlite.memberships import SQLiteMemberships

ANNA, BEN = Identifier("user", "anna"), Identifier("user", "ben")
DAY = 86_400_000


class ByHand:
    """A crowd that is said by hand who is in it: the rule of each audience asks for an event of the audience's name."""

    def __init__(self) -> None:
        self.inside: dict[str, list[Identifier]] = {}

    async def members(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]
    ) -> AsyncIterator[Sequence[Identifier]]:
        assert isinstance(rule, Did)
        yield self.inside[rule.event]

    async def count(self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule]) -> Count:
        return Count(len(await self.sample(rule, moment, audiences, 1 << 40)), 9)

    async def sample(
        self, rule: Rule, moment: Moment, audiences: Mapping[str, Rule], limit: int = 10
    ) -> Sequence[Identifier]:
        assert isinstance(rule, Did)
        return self.inside[rule.event][:limit]

    async def close(self) -> None:
        pass


class Scene:
    """Audiences whose members are said by hand, and a clock that is set by hand."""

    def __init__(self, folder: Path, hooks: dict[str, Hook], private: Sequence[str]) -> None:
        self.clock, self.hooks, self.crowd = Clock(), hooks, ByHand()
        self.members = self.crowd.inside
        self.members.update({name: [] for name in hooks})
        self.store, self.kept, self.posts = opened(folder), SQLiteMemberships(folder), Poster(private)
        self.telling = Hooks(self.kept, self.store.profiles, self.posts, b"secret", "KEY")
        self.keeper = Audiences(self.crowd, self.kept, self.telling, every_ms=60_000, clock_ms=self.clock)

    @property
    def saved(self) -> dict[str, Audience]:
        return {name: Audience(name, Did(name), hook=hook) for name, hook in self.hooks.items()}

    async def look(self, after: int = 1, **members: Sequence[Identifier]) -> None:
        self.clock.now += after
        for name, those in members.items():
            self.members[name] = list(those)
            await self.keeper.look(self.saved, name)

    async def deliver(self, after: int = 0) -> int:
        self.clock.now += after
        return await self.keeper.deliver(self.saved)


def play(folder: Path, there: Outside, scenario: Callable[[Scene], Awaitable[None]], **hooks: Any) -> None:
    async def whole() -> None:
        made = {name: Hook(f"http://{there.host}/{name}", **more) for name, more in hooks.items()}
        scene = Scene(folder, made, [there.host])
        try:
            await scenario(scene)
        finally:
            await scene.posts.close()
            await scene.kept.close()
            await scene.store.close()

    asyncio.run(whole())


@pytest.fixture
def there() -> Iterator[Outside]:
    with outside() as made:
        made.reply = sends(b"")
        yield made


def heard(there: Outside) -> list[tuple[str, str]]:
    said = [json.loads(body) for body in there.posted]
    return [(each["type"], each["data"]["profile"]) for each in said]


def test_a_receiver_hears_of_comings_and_goings_with_all_names_of_a_person(tmp_path: Path, there: Outside) -> None:
    async def scenario(scene: Scene) -> None:
        message = {"type": "identify", "messageId": "1", "userId": "anna", "traits": {"email": "anna@shop.example"}}
        await scene.store.log.append([received({**message, "timestamp": scene.clock.now - DAY})])
        await scene.look(vip=[])
        await scene.look(vip=[ANNA])
        assert await scene.deliver() == 1
        await scene.look(vip=[])
        assert await scene.deliver() == 1
        assert await scene.deliver() == 0

    play(tmp_path, there, scenario, vip={})
    assert heard(there) == [("audience.entered", "user:anna"), ("audience.left", "user:anna")]
    assert json.loads(there.posted[0])["data"]["identifiers"]["email"] == ["anna@shop.example"]


def test_the_members_of_the_first_look_are_told_of_only_when_asked_for(tmp_path: Path, there: Outside) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.look(vip=[ANNA], all=[ANNA, BEN])
        assert await scene.deliver() == 2

    play(tmp_path, there, scenario, vip={}, all={"backfill": True})
    assert {path for path, _ in there.asked} == {"/all"}


def test_a_receiver_that_fails_is_told_again_with_the_same_id_until_it_takes_it(tmp_path: Path, there: Outside) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.look(vip=[])
        await scene.look(vip=[ANNA])
        there.reply = sends(b"", 503)
        assert await scene.deliver() == 1
        assert await scene.deliver() == 0, "it waits"
        there.reply = sends(b"", 404)
        assert await scene.deliver(2 * PAUSES[0]) == 1
        there.reply = sends(b"", 200)
        assert await scene.deliver(2 * PAUSES[1]) == 1
        assert await scene.deliver(DAY) == 0
        assert (await scene.kept.tallies("vip"))["delivered"] == 1

    play(tmp_path, there, scenario, vip={})
    assert len({headers["webhook-id"] for _, headers in there.asked}) == 1
    assert len({headers["webhook-timestamp"] for _, headers in there.asked}) == 3


def test_after_a_day_of_failures_it_is_given_up_and_can_be_told_by_hand(tmp_path: Path, there: Outside) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.look(vip=[])
        await scene.look(vip=[ANNA])
        there.reply = sends(b"", 500)
        for _ in range(len(PAUSES) + 1):
            assert await scene.deliver(DAY) == 1
        [dead] = await scene.kept.deliveries("vip", "dead")
        assert dead.why == "it answered 500"
        assert await scene.deliver(DAY) == 0
        there.reply = sends(b"")
        assert await scene.kept.again("vip", scene.clock.now) == 1
        assert await scene.deliver(DAY) == 1

    play(tmp_path, there, scenario, vip={})


def test_a_receiver_that_is_down_is_left_alone_and_the_others_hear_theirs(tmp_path: Path, there: Outside) -> None:
    people = [Identifier("user", f"u{number}") for number in range(30)]

    def reply(handler: BaseHTTPRequestHandler) -> None:
        sends(b"", 503 if handler.path == "/sick" else 200)(handler)

    async def scenario(scene: Scene) -> None:
        there.reply = reply
        await scene.look(sick=[], well=[])
        await scene.look(sick=people, well=people)
        await scene.deliver()
        asked = [path for path, _ in there.asked]
        assert asked.count("/well") == 30
        assert TRIES <= asked.count("/sick") < 12, "after some failures the rest is not even tried"
        assert (await scene.kept.tallies("sick"))["waiting"] == 30
        there.reply = sends(b"")
        for _ in range(12):
            await scene.deliver(DAY)
        assert (await scene.kept.tallies("sick"))["delivered"] == 30

    play(tmp_path, there, scenario, sick={}, well={})


def test_pending_webhooks_are_sent_after_a_restart(tmp_path: Path, there: Outside) -> None:
    async def before(scene: Scene) -> None:
        await scene.look(vip=[])
        await scene.look(vip=[ANNA])

    async def afterwards(scene: Scene) -> None:
        assert await scene.deliver(DAY) == 1

    play(tmp_path, there, before, vip={})
    play(tmp_path, there, afterwards, vip={})
    assert heard(there) == [("audience.entered", "user:anna")]


def test_a_hook_reaches_no_private_address_and_follows_no_redirect(tmp_path: Path, there: Outside) -> None:
    with outside() as inner:

        async def scenario(scene: Scene) -> None:
            await scene.look(vip=[])
            scene.hooks["vip"] = Hook(f"http://{inner.host}/")
            await scene.look(vip=[ANNA])
            assert await scene.deliver() == 1
            [waiting] = await scene.kept.deliveries("vip", "waiting")
            assert "no public address" in waiting.why
            scene.hooks["vip"] = Hook(f"http://{there.host}/")
            there.reply = sends(b"", 307, location=f"http://{inner.host}/")
            assert await scene.deliver(DAY) == 1
            [waiting] = await scene.kept.deliveries("vip", "waiting")
            assert waiting.why == "it answered 307"

        play(tmp_path, there, scenario, vip={})
        assert inner.calls == 0


def test_days_before_the_first_run_are_computed_and_updated_by_late_data(tmp_path: Path, there: Outside) -> None:
    async def scenario(scene: Scene) -> None:
        async def sizes() -> list[tuple[int, int | None]]:
            return [(each.size, each.entered) for each in await scene.kept.points("vip", 0)]

        await scene.look(vip=[ANNA])
        before = await sizes()
        assert set(before[:-1]) == {(1, None)}
        assert before[-1] == (1, 0)
        await scene.look(after=60_000, vip=[ANNA, BEN])
        assert await sizes() == [(2, None)] * (len(before) - 1) + [(2, 1)]
        await scene.look(after=60_000, vip=[])
        assert (await sizes())[0] == (2, None), "the next time is further off"

    play(tmp_path, there, scenario, vip={})


def test_each_audience_is_looked_at_when_its_time_has_come(tmp_path: Path, there: Outside) -> None:
    async def scenario(scene: Scene) -> None:
        scene.members["vip"] = [ANNA]
        await scene.keeper.look_at_due(scene.saved)
        scene.members["vip"] = [ANNA, BEN]
        scene.clock.now += 59_000
        await scene.keeper.look_at_due(scene.saved)
        assert await scene.kept.since("vip", BEN) is None
        scene.clock.now += 1_000
        await scene.keeper.look_at_due(scene.saved)
        assert await scene.kept.since("vip", BEN) == scene.clock.now
        scene.hooks = {}
        await scene.keeper.look_at_due(scene.saved)
        scene.hooks = {"vip": Hook(f"http://{there.host}/")}
        scene.members["vip"] = [BEN]
        await scene.keeper.look_at_due(scene.saved)
        assert await scene.kept.since("vip", ANNA) is None, "it is looked at at once when it is back"
        assert await scene.kept.since("vip", BEN) == scene.clock.now

    play(tmp_path, there, scenario, vip={})
