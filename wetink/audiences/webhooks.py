"""Webhooks: report who joined and left audiences, with retries until a delivery is accepted or given up.

Each webhook has its own turn and its own breaker: a receiver that hangs delays nobody else's deliveries.
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
"""Deliveries of one webhook sent at once."""

SLICE = 100
"""Deliveries of one webhook in one turn."""


class Hooks:
    """Sends waiting deliveries. One process does so at a time: the holder of the worker's lease."""

    def __init__(
        self, memberships: Memberships, profiles: Profiles, posts: Posts, secret: bytes, write_key: str
    ) -> None:
        """Take the ports. The secrets of all webhooks derive from `secret`."""
        self._memberships, self._profiles, self._posts = memberships, profiles, posts
        self.secret, self._write_key = secret, write_key
        self._breakers: dict[str, Breaker] = {}

    def secret_of(self, audience: str) -> bytes:
        """Return the key that signs the webhooks of one audience."""
        return hmac.digest(self.secret, f"hook\0{audience}".encode(), "sha256")

    async def deliver(self, hooks: Mapping[str, Hook], clock: Callable[[], int]) -> int:
        """Send the deliveries that are due by `clock` (Unix ms). Returns their number. Raises StoreUnavailable."""
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
            if isinstance(done, BaseException):  # one delivery; the results of the others are stored
                log_error(logger, done, "a change of %s is not sent yet", audience)
            elif done is not None:
                outcomes.append(done)
        await self._memberships.settle(outcomes)
        return len(outcomes)

    async def _one(
        self, audience: str, hook: Hook, delivery: Delivery, clock: Callable[[], int]
    ) -> tuple[str, Outcome] | None:
        """Send one delivery. Returns None if the breaker has opened in the meantime."""
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
        except Exception as error:  # an unexpected error counts as a try, so it is given up in the end
            log_error(logger, error, "a change of %s cannot be sent", audience)
            answer = Answer(0, f"it cannot be sent: {type(error).__name__}")
        unwell = answer.status in (0, 429) or answer.status >= 500
        self._breakers[hook.url] = failed(self._breakers[hook.url], now) if unwell else succeeded()
        outcome = after(delivery.tries + 1, answer, clock(), change.id)
        if outcome.state == "dead":
            logger.warning("a change of %s has failed: %s", audience, outcome.why)
        return change.id, outcome
