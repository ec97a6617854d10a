"""Personal: feeds with one request per person. Recently used answers are refreshed before they expire."""

import asyncio
import io
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from wetink.core.errors import BadContent
from wetink.core.outbound.feed import Feed, Item, Supply, address, expired, pause, ripe
from wetink.feeds.credentials import Credentials
from wetink.feeds.download import Hosts, Resting, foreseen, words
from wetink.feeds.parse import Reading, whole

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""How long a call may go on for the next open after the current one can wait no longer."""

MOST_KEPT, MOST_BYTES = 10_000, 16 * 1024 * 1024
"""Answers to keep, and bytes of their bodies; the least recently used one goes first."""

KEPT_WARM = 2
"""Lifetimes for which an answer is still refreshed after its last use."""

HEADERS = ((b"user-agent", b"wetink (feeds)"), (b"accept", b"*/*"), (b"accept-encoding", b"gzip"))


class _Answer:
    """The state of one address. Times are Unix ms; 0: never."""

    def __init__(self, feed: Feed, url: str, now: int) -> None:
        self.feed, self.url, self.requested_at = feed, url, now
        self.items: tuple[Item, ...] = ()
        self.version = ""
        self.fetched = self.weight = self.tried = self.failures = 0
        self.trouble = ""
        self.task: asyncio.Task[None] | None = None

    def supply(self, now: int) -> Supply:
        if not self.fetched:
            return Supply(because=self.trouble or "it did not answer within the deadline")
        age = max(0, now - self.fetched)
        if not expired(self.fetched, self.feed.every_ms, now):
            return Supply(self.items, "fresh", age, "", self.version)
        because = self.trouble or "nothing newer came within the deadline"
        return Supply(self.items, "stale", age, because, self.version)


class Personal:
    """Answers by address. One call is in flight for each; the others wait for it."""

    def __init__(self, hosts: Hosts, clock: Callable[[], int], credentials: Credentials | None = None) -> None:
        self._hosts, self._clock, self._credentials = hosts, clock, credentials or Credentials()
        self._threads = ThreadPoolExecutor(2, "wetink-feeds-personal")
        self._answers: OrderedDict[tuple[str, str], _Answer] = OrderedDict()
        self._held = 0

    def use(self, feeds: Mapping[str, Feed]) -> None:
        """Use these feeds from now on; forget the answers of others."""
        for key, answer in list(self._answers.items()):
            if feeds.get(answer.feed.name) != answer.feed:
                self._forget(key)

    async def ask(self, feed: Feed, parameters: Mapping[str, str], deadline_ms: int) -> Supply:
        now = self._clock()
        try:
            answer = self._answer(feed, address(feed, parameters), now)
        except BadContent as error:
            return Supply(because=str(error))
        known = answer.fetched and not expired(answer.fetched, feed.every_ms, now)
        if known and not ripe(answer.fetched, feed.every_ms, now):
            return answer.supply(now)
        task = self._task_for(answer, now)
        if task is not None and not known:
            # The call goes on when this open can wait no longer: the next one will use its answer.
            own = feed.per_person.deadline_ms if feed.per_person is not None else deadline_ms
            await asyncio.wait([task], timeout=max(0, min(deadline_ms, own)) / 1000)
        return answer.supply(self._clock())

    def warm(self, feed: Feed, parameters: Mapping[str, str]) -> None:
        now = self._clock()
        try:
            answer = self._answer(feed, address(feed, parameters), now)
        except BadContent:
            return
        if not answer.fetched or ripe(answer.fetched, feed.every_ms, now):
            self._task_for(answer, now)

    def begin_due(self, now: int) -> None:
        """Begin to refresh each ripe answer that was used recently."""
        for answer in list(self._answers.values()):
            lately = answer.fetched and not expired(answer.requested_at, KEPT_WARM * answer.feed.every_ms, now)
            if lately and ripe(answer.fetched, answer.feed.every_ms, now):
                self._task_for(answer, now)

    async def close(self) -> None:
        """Cancel all calls."""
        tasks = [answer.task for answer in self._answers.values() if answer.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, feed: Feed, url: str, now: int) -> _Answer:
        key = feed.name, url
        answer = self._answers.get(key)
        if answer is None:
            self._tidy(MOST_KEPT - 1)
            answer = self._answers[key] = _Answer(feed, url, now)
        answer.requested_at = now
        self._answers.move_to_end(key)
        return answer

    def _task_for(self, answer: _Answer, now: int) -> asyncio.Task[None] | None:
        """Return the current call for an answer, or start one; None if a call failed a moment ago."""
        if answer.task is not None:
            return answer.task
        rest = min(pause(answer.failures), answer.feed.every_ms) if answer.failures else 0
        if answer.tried <= now < answer.tried + rest:
            return None
        answer.task = asyncio.create_task(self._fetch(answer))
        answer.task.add_done_callback(lambda _: setattr(answer, "task", None))
        return answer.task

    async def _fetch(self, answer: _Answer) -> None:
        feed = answer.feed
        try:
            private = self._credentials.of(feed)
            body = await self._hosts.body(
                answer.url, HEADERS, largest=feed.most_bytes, seconds=SECONDS, private=private
            )
            found = await asyncio.get_running_loop().run_in_executor(self._threads, self._read, feed, body)
        except Resting as error:
            answer.trouble = words(error)
        except Exception as error:
            if foreseen(error):
                logger.info("feed %s has no answer: %s", feed.name, words(error))
            else:
                logger.exception("feed %s has no answer", feed.name)
            answer.tried, answer.failures, answer.trouble = self._clock(), answer.failures + 1, words(error)
        else:
            answer.items, answer.version, answer.fetched = found.items, found.version, self._clock()
            answer.tried, answer.failures, answer.trouble = 0, 0, ""
            if self._answers.get((feed.name, answer.url)) is answer:
                self._held += len(body) - answer.weight
                answer.weight = len(body)
                self._tidy(MOST_KEPT)

    def _read(self, feed: Feed, body: bytes) -> Reading:
        return whole(feed, io.BytesIO(body), self._clock())

    def _tidy(self, most: int) -> None:
        """Forget the least recently used answers, but none with a call under way."""
        while len(self._answers) > most or self._held > MOST_BYTES:
            key = next((key for key, answer in self._answers.items() if answer.task is None), None)
            if key is None:
                return
            self._forget(key)

    def _forget(self, key: tuple[str, str]) -> None:
        self._held -= self._answers.pop(key).weight
