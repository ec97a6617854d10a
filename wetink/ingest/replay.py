"""Replay: reprocesses past messages with the current mappings and rules."""

import asyncio

import msgspec

from wetink.core.errors import BadRequest
from wetink.core.events.event import Level, Verdict
from wetink.core.events.message import Endpoint, pieces
from wetink.core.identity.user_hash import IdentityVerification
from wetink.core.messages.normalize import normalize
from wetink.ingest.receive import Ingest
from wetink.ports import Received, Record, Source, Storage

SLICE = 200
"""Messages reprocessed together. Other writers wait no longer than that takes."""

_ENDPOINT = Endpoint(body_bytes=1 << 20, message_bytes=1 << 20)


class Replayed(msgspec.Struct):
    """The result of a replay: messages read, messages with another result, and their new verdicts and names."""

    messages: int = 0
    changed: int = 0
    verdicts: dict[str, int] = {}
    names: dict[str, int] = {}


class ReplayQuery(msgspec.Struct, frozen=True):
    """The messages to replay: received in [since, until) (Unix ms), of a source, with a verdict. Empty matches any."""

    since: int
    until: int
    source: str = ""
    verdict: Verdict | None = None


class Replay:
    """Reprocesses stored messages."""

    def __init__(self, store: Storage, ingest: Ingest) -> None:
        """Read and renew messages of `store`, as `ingest` takes them in now."""
        self._store, self._ingest = store, ingest

    async def run(self, query: ReplayQuery, *, dry: bool) -> Replayed:
        """Reprocess messages. With `dry`, only return the changes. Raises StoreUnavailable.

        Writes before an error stay, and it can be run again.
        """
        log = self._store.log
        sources = {source.name: source for source in await self._store.sources.all()}
        done, place = Replayed(), await log.cursor(query.since)
        while (read := await log.read(place, SLICE))[1]:
            place, found = read
            wanted = [each for each in found if _wanted(each, query)]
            pairs = [(each, self._renewed(each, sources.get(each.source))) for each in wanted]
            outcome = await log.renew(pairs, dry=dry)
            done.messages += len(wanted)
            for (old, new), changed in zip(pairs, outcome, strict=True):
                if changed:
                    _count(done, old, new)
            if found[0].received >= query.until:
                break
            await asyncio.sleep(0)
        return done

    def _renewed(self, each: Received, source: Source | None) -> Record:
        level: Level = "browser" if source is None else source.level  # a deleted source has no more trust than a page
        verification = None
        if source is not None and level == "browser":  # a replaced secret still proves what was sent before
            verification = IdentityVerification(source.secrets, required=source.verify)
        try:
            piece = pieces(each.raw, _ENDPOINT)[0][0]
        except BadRequest:  # still unreadable
            return Record(each.source, each.message_id, each.received, 0, each.raw, each.verdict, each.problems)
        if piece.message is not None:
            piece.message.messageId = each.message_id
            if self._ingest.mappings is not None:
                piece = self._ingest.mappings.applied(piece, each.source, each.received)
        made = normalize(piece, each.source, level, each.received, known=self._ingest.known, verification=verification)
        return msgspec.structs.replace(made, message_id=each.message_id)


def _wanted(each: Received, query: ReplayQuery) -> bool:
    return (
        query.since <= each.received < query.until
        and query.source in ("", each.source)
        and query.verdict in (None, each.verdict)
    )


def _count(done: Replayed, old: Received, new: Record) -> None:
    done.changed += 1
    was = old.verdict if old.verdict != new.verdict else ""
    step = f"{was} to {new.verdict}" if was else f"{new.verdict} as before"
    done.verdicts[step] = done.verdicts.get(step, 0) + 1
    name = new.event.name or new.event.type if new.event is not None else "parked"
    done.names[name] = done.names.get(name, 0) + 1
