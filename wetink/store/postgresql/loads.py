"""Loads: reads the profiles that a turn of the event loop asks for in one statement, since a trip costs the most."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg

from wetink.core.identity.identifier import Identifier
from wetink.core.profile.summary import Summary
from wetink.ports import ENTRIES, ENTRY_BYTES, Loaded, Revision
from wetink.store.codec import entries, identifier, who
from wetink.store.postgresql.database import OPEN_SECONDS, Database
from wetink.store.queries import queries

SQL = queries(__package__, "profile_queries.sql")

TOGETHER = 16
"""Calls that share a statement. More are read at the same time, by another session."""

Kind = tuple[int | None, bool]
"""The rules of summaries, and whether they come without their history."""


class _Call(NamedTuple):
    known: Mapping[Identifier, Revision]
    at: int
    answer: "asyncio.Future[Mapping[Identifier, Loaded]]"


class Loads:
    """Gathers the calls of a turn."""

    def __init__(self, database: Database) -> None:
        """Read from `database`."""
        self._database = database
        self._waiting: dict[Kind, list[_Call]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def ask(
        self, known: Mapping[Identifier, Revision], at: int, rules: int | None, brief: bool
    ) -> Mapping[Identifier, Loaded]:
        """Return profiles as `ports.Profiles.load` does."""
        loop, kind = asyncio.get_running_loop(), (rules, brief)
        call = _Call(known, at, loop.create_future())
        calls = self._waiting.get(kind)
        if calls is None or calls[0].answer.get_loop() is not loop:  # those of an earlier loop ended with it
            calls = self._waiting[kind] = []
            loop.call_soon(self._begin, kind)
        calls.append(call)
        return await call.answer

    def _begin(self, kind: Kind) -> None:
        calls = self._waiting.pop(kind)
        for start in range(0, len(calls), TOGETHER):
            task = asyncio.get_running_loop().create_task(self._read(kind, calls[start : start + TOGETHER]))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, kind: Kind, calls: Sequence[_Call]) -> None:
        """Answer some calls. If the database refuses a value of one, read each alone, so that none harms the others."""
        try:
            answers = await self._loaded(kind, calls)
        except Exception as error:
            if len(calls) > 1 and isinstance(error.__cause__, asyncpg.DataError):
                for call in calls:
                    await self._read(kind, [call])
                return
            for call in calls:
                if not call.answer.done():
                    call.answer.set_exception(error)
            return
        for call, answer in zip(calls, answers, strict=True):
            if not call.answer.done():
                call.answer.set_result(answer)

    async def _loaded(self, kind: Kind, calls: Sequence[_Call]) -> list[dict[Identifier, Loaded]]:
        lookups = [(place, whose) for place, call in enumerate(calls) for whose in call.known]
        columns = [who(whose) for _, whose in lookups]
        revisions = [calls[place].known[whose] for place, whose in lookups]
        moments = [calls[place].at for place, _ in lookups]
        given = columns, revisions, moments, *kind, ENTRIES, ENTRY_BYTES
        rows = await self._database.read("reading profiles", lambda db: db.fetch(SQL.load, *given), OPEN_SECONDS)
        found: dict[int, tuple[Any, list[bytes]]] = {}
        for row in rows:
            if (one := found.get(row[0])) is None:
                found[row[0]] = (row, [])
            else:
                one[1].append(row[5])
        answers: list[dict[Identifier, Loaded]] = [{} for _ in calls]
        for index, (head, bodies) in found.items():
            place, whose = lookups[index]
            answers[place][whose] = _profile(head, bodies)
        return answers


def _profile(head: Any, bodies: list[bytes]) -> Loaded:
    _, root, revision, person, history, _ = head
    summary = Summary(person, history) if person is not None else None
    return Loaded(identifier(root), revision, () if summary is not None else entries(bodies), summary)
