"""Hooks: tell outside who entered and who left audiences, again and again until it is taken or given up.

Each hook has its own turn and its own breaker: a receiver that hangs holds up nobody else's messages.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping

from wetink.core.errors import log_error
from wetink.core.outbound.breaker import Breaker, admits, begun, failed, succeeded
from wetink.core.outbound.webhook import Answer, Hook, Outcome, after, post_of
from wetink.ports import Profiles
from wetink.ports.audiences import Delivery, Memberships
from wetink.ports.outside import Posts

logger = logging.getLogger(__name__)

AT_A_TIME = 4
"""Messages of one hook that are on their way at once."""

SLICE = 100
"""Messages of one hook that are looked at in one turn."""


class Hooks:
    """Delivers what waits. One process does so at a time: whoever keeps the audiences."""

    def __init__(
        self, memberships: Memberships, profiles: Profiles, posts: Posts, secret: bytes, write_key: str
    ) -> None:
        """Take the ports; `secret` is what the secrets of all hooks are made from."""
        self._memberships, self._profiles, self._posts = memberships, profiles, posts
        self.secret, self._write_key = secret, write_key
        self._breakers: dict[str, Breaker] = {}

    def secret_of(self, audience: str) -> bytes:
        """Return what signs the webhooks of one audience."""
        return hmac.digest(self.secret, f"hook\0{audience}".encode(), "sha256")

    async def deliver(self, hooks: Mapping[str, Hook], clock: Callable[[], int]) -> int:
        """Send what is due now by `clock` (Unix ms); return how much was sent. Raises StoreUnavailable."""
        turns = (self._turn(audience, hook, clock) for audience, hook in hooks.items())
        sent = 0
        for audience, done in zip(hooks, await asyncio.gather(*turns, return_exceptions=True), strict=True):
            if isinstance(done, BaseException):
                log_error(logger, done, "the deliveries of %s wait", audience)
            else:
                sent += done
        return sent

    async def _turn(self, audience: str, hook: Hook, clock: Callable[[], int]) -> int:
        now = clock()
        breaker = self._breakers.get(hook.url, Breaker())
        if not admits(breaker, now):
            return 0
        due = await self._memberships.due(audience, now, SLICE if breaker.closed else 1)
        few = asyncio.Semaphore(AT_A_TIME)

        async def one(delivery: Delivery) -> tuple[str, Outcome] | None:
            async with few:
                return await self._one(audience, hook, delivery, clock)

        outcomes: list[tuple[str, Outcome]] = []
        for done in await asyncio.gather(*map(one, due), return_exceptions=True):
            if isinstance(done, BaseException):  # of one message: what became of the others is noted
                log_error(logger, done, "a change of %s is not sent yet", audience)
            elif done is not None:
                outcomes.append(done)
        await self._memberships.settle(outcomes)
        return len(outcomes)

    async def _one(
        self, audience: str, hook: Hook, delivery: Delivery, clock: Callable[[], int]
    ) -> tuple[str, Outcome] | None:
        """Send one message; None when it was not tried: its receiver has failed too often meanwhile."""
        now, change = clock(), delivery.change
        profile = await self._profiles.profile(change.member, change.at)
        breaker = self._breakers.get(hook.url, Breaker())
        if not admits(breaker, now):
            return None
        self._breakers[hook.url] = begun(breaker, now)
        secret = self.secret_of(audience)
        try:
            post = post_of(hook, change, profile.identifiers, secret=secret, write_key=self._write_key, now=now)
            answer = await self._posts.send(post)
        except Exception as error:  # whatever is odd about this one: it counts as a try, and is given up in the end
            log_error(logger, error, "a change of %s cannot be sent", audience)
            answer = Answer(0, f"it cannot be sent: {type(error).__name__}")
        unwell = answer.status in (0, 429) or answer.status >= 500
        self._breakers[hook.url] = failed(self._breakers[hook.url], now) if unwell else succeeded()
        outcome = after(delivery.tries + 1, answer, clock(), change.id)
        if outcome.state == "dead":
            logger.warning("a change of %s has failed: %s", audience, outcome.why)
        return change.id, outcome
