"""Pull: the deliveries of one consumer, in their order."""

import json
import time

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from wetink.core.errors import StoreUnavailable

BATCH = 64
"""Stream messages that are fetched at a time."""


class Pull:
    """Asks for the messages of one consumer, and returns those that have come without waiting for a full batch."""

    def __init__(self, client: Client, subscription: Subscription, inbox: str, subject: str) -> None:
        """Ask at `subject`, and read the answers to `inbox` from `subscription`."""
        self._client, self._subscription, self._inbox, self._subject = client, subscription, inbox, subject
        self._open, self._until = 0, 0.0  # messages that the last request may still bring, until then

        self._last = 0  # the number of the last delivery

    async def close(self) -> None:
        """Read no more."""
        await self._subscription.unsubscribe()

    async def next(self, wait: float) -> list[Msg]:
        """Return the next messages, after at most `wait` seconds. Raises StoreUnavailable if one was lost."""
        now = time.monotonic()
        if self._open <= BATCH // 2 or now >= self._until:
            request = {"batch": BATCH, "expires": int(wait * 1e9)}
            await self._client.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)
            self._open, self._until = BATCH, now + wait
        found: list[Msg] = []
        end = now + wait
        while (left := end - time.monotonic()) > 0:
            try:
                message = await self._subscription.next_msg(timeout=left)
            except TimeoutError:
                break
            if message.headers and "Status" in message.headers:  # the request ended
                self._open = 0
                break
            self._open -= 1
            number = message.metadata.sequence.consumer
            if self._last and number != self._last + 1:
                raise StoreUnavailable("a delivery of the stream was lost on its way")
            self._last = number
            found.append(message)
            if not self._subscription.pending_msgs or len(found) == BATCH:
                break
        return found
