"""Weekly summary: composes a week's digest, and sends it once to each receiver, by one process at a time.

What was sent is kept beside the store's secrets, the only rows by name that every process shares. A receiver is marked
before it is sent to: a process that dies in between sends it not at all instead of twice.
"""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from secrets import token_hex
from typing import Literal

import msgspec
from msgspec.structs import replace

from wetink.content.content import Content
from wetink.core.errors import BadContent, Conflict, Unavailable
from wetink.core.outbound.webhook import Post
from wetink.core.signals.date_range import DateRange, compared_with, day_of
from wetink.core.signals.digest import Digest, days_of, digest, due, letter, message, week_of
from wetink.core.signals.experiment_result import METRICS
from wetink.core.signals.report import Line
from wetink.core.signals.reporting import Summary
from wetink.insights.experiments import Experiments
from wetink.insights.reports import Reports
from wetink.ports import Storage
from wetink.ports.outside import Feeds, Mail, Posts

logger = logging.getLogger(__name__)

NAME = "summary.json"
TRIES, PAUSE_MS = 6, 300_000
"""Tries for each receiver, and the pause after the first one (ms), which doubles each time."""

Channel = Literal["email", "webhook"]
CHANNELS: tuple[Channel, ...] = ("email", "webhook")


class Sending(msgspec.Struct, frozen=True):
    """The state of one channel in a week. `at` is Unix ms; `why` is the reason of a failure."""

    state: Literal["sending", "sent", "failed", "skipped"]
    at: int
    tries: int = 1
    why: str = ""
    by: str = ""
    """A random name of the try, so that two processes never keep the same."""


class Sent(msgspec.Struct, frozen=True):
    """What was sent of a week's summary, by channel."""

    week: str = ""
    channels: dict[Channel, Sending] = {}


class Weekly:
    """Sends the weekly summary that the content declares."""

    def __init__(
        self,
        store: Storage,
        reports: Reports,
        experiments: Experiments,
        posts: Posts,
        mail: Mail | None,
        address: Callable[[], str],
        feeds: Feeds,
        clock: Callable[[], int],
    ) -> None:
        """Send with `posts` and `mail`, None without an SMTP server. `clock` returns Unix ms.

        `address` is the server's for links; the summary names the `feeds` without fresh data.
        """
        self._secrets, self._reports, self._experiments = store.secrets, reports, experiments
        self._posts, self._mail, self._clock = posts, mail, clock
        self._address, self._feeds = address, feeds

    @property
    def mails(self) -> bool:
        """Whether there is an SMTP server."""
        return self._mail is not None

    async def composed(self, content: Content, week: str = "") -> Digest:
        """Return the digest of a week, by default of the last whole one. Raises StoreUnavailable."""
        zone, now = content.signals.zone, self._clock()
        week = week or week_of(day_of(now, zone))
        days = days_of(week, zone)
        before = compared_with(days, "before", now)
        lines, others = [await self._lines(content, each) for each in (days, before or days)]
        titles = {name: block.called for name, block in content.blocks.items()}
        changes = [each async for each in self._verdicts(content)]
        return digest(week, zone, lines, others, titles, changes=changes, problems=troubles_of(content, self._feeds))

    async def _lines(self, content: Content, days: DateRange) -> list[Line]:
        return (await self._reports.broken_down(content, days, (("block",),)))[0]

    async def _verdicts(self, content: Content) -> AsyncIterator[str]:
        """Yield the words of each experiment that has a clear result, or that cannot be trusted."""
        for name in self._experiments.plans(content):
            found = await self._experiments.result(content, name)
            if found.alarm:
                yield f"{name}: {found.alarm}"
            for metric in METRICS:
                for lift, words in zip(found.lifts[metric], found.words[metric], strict=True):
                    if lift.verdict in ("better", "worse") and not found.alarm:
                        yield f"{name}: {words}"

    async def state(self) -> Sent:
        """Return what was sent last. Raises StoreUnavailable."""
        return _read((await self._secrets.all()).get(NAME))

    async def step(self, content: Content) -> None:
        """Send the summary that is due to those who have not got it. Raises StoreUnavailable."""
        summary, now = content.reporting.summary, self._clock()
        week = due(summary, content.signals.zone, now)
        if week is None:
            return
        for channel in _channels(summary):
            state = await self.state()
            known = state.channels.get(channel) if state.week == week else None
            if not _to_send(known, now):
                continue
            tries = known.tries + 1 if known is not None else 1
            mine = Sending("sending", now, tries, by=token_hex(8))
            try:
                await self._mark(week, channel, known, mine)
            except Conflict:
                continue  # another process has it
            why = await self._try(channel, summary, await self.composed(content, week), test=False)
            if why:
                logger.warning("the weekly summary was not sent by %s", channel)
            done = Sending("failed" if why else "sent", self._clock(), tries, why)
            await self._mark(week, channel, mine, done)

    async def begin(self, content: Content) -> None:
        """Skip the summary that is due now for receivers who are new: their first one is next week's."""
        summary, now = content.reporting.summary, self._clock()
        week = due(summary, content.signals.zone, now)
        state = await self.state()
        for channel in _channels(summary) if week is not None else ():
            if state.week != week or channel not in state.channels:
                with suppress(Conflict):  # a worker has just sent it
                    await self._mark(week or "", channel, None, Sending("skipped", now, 0, by=token_hex(8)))

    async def test(self, content: Content, summary: Summary) -> dict[Channel, str]:
        """Send the last week's summary to the receivers now. Returns the reason of a failure by channel, or "".

        Raises BadContent without receivers, and StoreUnavailable.
        """
        if not summary.on:
            raise BadContent("to: enter an address or a webhook first", where="to")
        found = await self.composed(content)
        return {channel: await self._try(channel, summary, found, test=True) for channel in _channels(summary)}

    async def _try(self, channel: Channel, summary: Summary, found: Digest, *, test: bool) -> str:
        """Send by one channel. Returns the reason of a failure, or ""."""
        address = self._address()
        if channel == "webhook":
            headers = (("content-type", "application/json"),)
            answer = await self._posts.send(Post(summary.webhook, headers, message(found, address)))
            return "" if answer.taken else answer.words
        if self._mail is None:
            return "there is no mail server: set smtp_url"
        try:
            await self._mail.send(letter(found, summary.to, address, test=test))
        except Unavailable as error:
            return str(error)
        return ""

    async def _mark(self, week: str, channel: Channel, expected: Sending | None, state: Sending) -> None:
        """Keep the state of a channel after the expected one. Raises Conflict if it is another, StoreUnavailable."""
        stored = (await self._secrets.all()).get(NAME)
        known = _read(stored)
        if known.week != week:
            known = Sent(week)
        if known.channels.get(channel) != expected:
            raise Conflict("another process sends the summary")
        text = msgspec.json.encode(replace(known, channels={**known.channels, channel: state})).decode()
        if stored is None:
            await self._secrets.keep(NAME, text)
            if (await self._secrets.all()).get(NAME) != text:
                raise Conflict("another process sends the summary")
        else:
            await self._secrets.replace(NAME, stored, text)


def _channels(summary: Summary) -> list[Channel]:
    return [channel for channel, on in zip(CHANNELS, (summary.to, summary.webhook), strict=True) if on]


def troubles_of(content: Content, feeds: Feeds) -> Iterator[str]:
    """Yield what is wrong with the content and the feeds now."""
    yield from content.problems
    for name, feed in sorted(content.feeds.items()):
        if feed.per_person is None and (given := feeds.give(name)).state != "fresh":
            yield f"The feed {name} has {given.because or 'no fresh data'}"


def _to_send(known: Sending | None, now: int) -> bool:
    """Return whether a channel is to be sent to now.

    >>> [_to_send(each, 10**9) for each in (None, Sending("sent", 0), Sending("failed", 0), Sending("failed", 10**9))]
    [True, False, True, False]
    >>> _to_send(Sending("sending", 0), 10**9), _to_send(Sending("failed", 0, TRIES), 10**9)
    (False, False)
    """
    if known is None:
        return True
    return known.state == "failed" and known.tries < TRIES and now >= known.at + PAUSE_MS * 2 ** (known.tries - 1)


def _read(text: str | None) -> Sent:
    try:
        return msgspec.json.decode(text, type=Sent) if text else Sent()
    except msgspec.DecodeError:
        return Sent()
