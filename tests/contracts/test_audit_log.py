"""The contract of API tokens and of the audit log: hashes only, and entries that stay as they are."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.contracts.loop import run
from wetink.core.access.account import ApiToken
from wetink.core.access.audit import Entry
from wetink.core.errors import NotFound
from wetink.ports import Storage

NOW = 20_000 * 86_400_000
TOKEN = ApiToken("ab" * 32, "CI", ("content:read", "data:write"), "1", "Ida", NOW, NOW + 100)


def test_tokens_are_noted_and_ended_in_every_process(another: Callable[[], Storage]) -> None:
    one, other = another().api_tokens, another().api_tokens
    run(one.add(TOKEN))
    run(one.add(replace(TOKEN, id="cd" * 32, created=NOW + 1, expires=0)))
    assert [each.created for each in run(other.all())] == [NOW + 1, NOW]
    run(other.note_use(TOKEN.id, NOW + 7))
    run(other.note_use(TOKEN.id, NOW + 5))
    run(one.revoke(TOKEN.id, NOW + 8))
    run(one.revoke(TOKEN.id, NOW + 9))
    assert run(other.get(TOKEN.id)) == replace(TOKEN, used=NOW + 7, revoked=NOW + 8)
    assert run(other.get("0")) is None
    with pytest.raises(NotFound):
        run(other.revoke("0", NOW))


def test_entries_are_read_in_pages_and_by_who_what_and_when(another: Callable[[], Storage]) -> None:
    one, other = another().audit_log, another().audit_log
    for number in range(10):
        who, thing = ("Ida", "Bob")[number % 2], f"block Hero{number}"
        run(one.write(Entry(NOW + number, who, "published", thing, number, "d", "1", "192.0.2.1")))
    first = run(other.read(4))
    assert [each.version for each in first] == [9, 8, 7, 6]
    assert [each.version for each in run(other.read(4, before=first[-1].seq))] == [5, 4, 3, 2]
    assert [each.version for each in run(other.read(9, actor="Ida"))] == [8, 6, 4, 2, 0]
    assert [each.version for each in run(other.read(9, thing="hero3"))] == [3]
    assert [each.version for each in run(other.read(9, since=NOW + 3, until=NOW + 5))] == [4, 3]
    assert run(other.actors()) == ["Bob", "Ida"]
    assert replace(first[0], seq=0) == Entry(
        NOW + 9, "Bob", "published", "block Hero9", 9, "d", account="1", address="192.0.2.1"
    )


def test_a_text_of_any_size_is_kept_in_part(another: Callable[[], Storage]) -> None:
    log = another().audit_log
    run(log.write(Entry(NOW, "I", "a", "x" * 10_000)))
    assert [len(each.thing) for each in run(log.read(1))] == [500]
