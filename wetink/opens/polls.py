"""Polls: the question of a decision, and votes on it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from wetink.core.app.app import App
from wetink.core.blocks.block import Block, Decision
from wetink.core.errors import BadRequest
from wetink.core.identity.identifier import Identifier
from wetink.ports import Storage


class Answer(msgspec.Struct, frozen=True):
    """One answer of a poll. `votes` and `percent` are 0 for people who may not see them yet."""

    text: str
    votes: int
    percent: int
    mine: bool


class Ballot(msgspec.Struct, frozen=True):
    """A poll's question and its answers. `voted` is the number of the person's own answer, from 1; 0 for none."""

    question: str
    options: tuple[Answer, ...]
    total: int
    voted: int
    open: bool
    results: bool


def key_of(block: str, name: str) -> str:
    """Return the key of a block's poll in the store."""
    return f"{block}/{name}"


class Polls:
    """Reads polls from decisions and stores votes."""

    def __init__(self, store: Storage, apps: Mapping[str, App]) -> None:
        """Store votes in `store`."""
        self._store, self._apps = store, apps

    def ballot(self, decision: Decision) -> Ballot | None:
        """Return the poll of a decision; None without one."""
        return self._question(decision)[1]

    async def vote(self, decision: Decision, who: Identifier, option: int, now: int) -> dict[str, Any]:
        """Store the vote of `who` on a decision's poll. It is on disk before this returns. `now` is Unix ms.

        Returns the answer as the properties of an event. A second vote replaces the first. Raises BadRequest if the
        poll has ended or lacks this answer, and StoreUnavailable.
        """
        name, ballot = self._question(decision)
        if ballot is None or not ballot.open:
            raise BadRequest("this poll has ended", hint="your vote was not counted")
        if not 1 <= option <= len(ballot.options):
            raise BadRequest("this answer does not exist", hint=f"choose one of {len(ballot.options)}")
        await self._store.polls.vote(key_of(decision.block, name), who, option, now)
        answer = ballot.options[option - 1].text
        return {"block": decision.block, "poll": name, "question": ballot.question, "answer": answer, "option": option}

    def _question(self, decision: Decision) -> tuple[str, Ballot | None]:
        app = self._apps.get(decision.app)
        if app is None or app.poll is None:
            return "", None
        return app.poll(msgspec.convert(decision.settings, app.settings)), msgspec.convert(decision.facts, Ballot)


def asks(apps: Mapping[str, App], decision: Decision) -> bool:
    """Return whether a decision shows an open poll."""
    app = apps.get(decision.app)
    return app is not None and app.poll is not None and decision.facts.get("open") is True


def voting_link(block: Block, slot: int, token: str, campaign: str) -> str:
    """Return the path of a slot's voting page, relative to this server."""
    query = f"?{urlencode({'c': campaign})}" if campaign else ""
    return f"/v/{block.name}/{slot}/{token}{query}"


def answered(who: Identifier, properties: Mapping[str, Any], at: int) -> bytes:
    """Return the track call (JSON) for a vote, so that rules can match `done: Poll Answered`."""
    names: dict[str, dict[str, Any]] = {
        "user": {"userId": who.value},
        "email": {"context": {"traits": {"email": who.value}}},
        "anonymous": {"anonymousId": who.value},
    }
    return msgspec.json.encode({"event": "Poll Answered", "timestamp": at, "properties": properties, **names[who.kind]})
