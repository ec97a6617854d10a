"""Polls: what somebody may vote on, and their vote."""

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
    """One answer of a poll: its votes and share, which are 0 for who is not to see them yet."""

    text: str
    votes: int
    percent: int
    mine: bool


class Ballot(msgspec.Struct, frozen=True):
    """What somebody may vote on. `voted` is their answer's number, the first being 1, 0 for none."""

    question: str
    options: tuple[Answer, ...]
    total: int
    voted: int
    open: bool
    results: bool


def key_of(block: str, name: str) -> str:
    """Return the name under which the votes of a block's poll are kept."""
    return f"{block}/{name}"


class Polls:
    """Votes on what a decision asks."""

    def __init__(self, store: Storage, apps: Mapping[str, App]) -> None:
        """Keep votes in `store`."""
        self._store, self._apps = store, apps

    def ballot(self, decision: Decision) -> Ballot | None:
        """Return what a decision asks, None when it asks nothing."""
        return self._asked(decision)[1]

    async def vote(self, decision: Decision, who: Identifier, option: int, now: int) -> dict[str, Any]:
        """Keep a vote on what was decided for `who`, on the disk before this returns; `now` is Unix ms.

        Returns what was answered, as properties of an event. Voting again changes the vote. Raises BadRequest when this
        cannot be voted for, StoreUnavailable.
        """
        name, ballot = self._asked(decision)
        if ballot is None or not ballot.open:
            raise BadRequest("this poll has ended", hint="your vote was not counted")
        if not 1 <= option <= len(ballot.options):
            raise BadRequest("this answer does not exist", hint=f"choose one of {len(ballot.options)}")
        await self._store.polls.vote(key_of(decision.block, name), who, option, now)
        answer = ballot.options[option - 1].text
        return {"block": decision.block, "poll": name, "question": ballot.question, "answer": answer, "option": option}

    def _asked(self, decision: Decision) -> tuple[str, Ballot | None]:
        app = self._apps.get(decision.app)
        if app is None or app.poll is None:
            return "", None
        return app.poll(msgspec.convert(decision.settings, app.settings)), msgspec.convert(decision.facts, Ballot)


def asks(apps: Mapping[str, App], decision: Decision) -> bool:
    """Whether a decision shows a poll that somebody may vote in."""
    app = apps.get(decision.app)
    return app is not None and app.poll is not None and decision.facts.get("open") is True


def voting_link(block: Block, slot: int, token: str, campaign: str) -> str:
    """Return where somebody votes on what a block asks: of this server, whatever it is called outside."""
    query = f"?{urlencode({'c': campaign})}" if campaign else ""
    return f"/v/{block.name}/{slot}/{token}{query}"


def answered(who: Identifier, said: Mapping[str, Any], at: int) -> bytes:
    """Return the track (JSON) that tells of a vote, so that rules can ask for it: `done: Poll Answered`."""
    names: dict[str, dict[str, Any]] = {
        "user": {"userId": who.value},
        "email": {"context": {"traits": {"email": who.value}}},
        "anonymous": {"anonymousId": who.value},
    }
    return msgspec.json.encode({"event": "Poll Answered", "timestamp": at, "properties": said, **names[who.kind]})
