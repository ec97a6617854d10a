"""The contract of the crowd's log: one state of everybody, and whose profiles may have changed since."""

from tests.contracts.loop import run
from tests.contracts.profiles import LATE, received
from wetink.core.identity.identifier import Identifier
from wetink.ports import Storage

ANN = Identifier("user", "ann")


def sends(store: Storage, *message_ids: str) -> None:
    said = {"type": "track", "event": "Seen", "userId": "ann", "timestamp": LATE}
    run(store.log.append([received({**said, "messageId": each}) for each in message_ids]))


def test_a_cursor_says_what_came_after_it(store: Storage) -> None:
    sends(store, "a")
    with store.crowd() as log:
        first = log.cursor
        assert [each.root for each in log.profiles()] == [ANN]
    sends(store, "b", "c")
    with store.crowd() as log:
        changes = log.changes(first, 2)
        assert changes is not None
        assert (changes.carried, changes.moved) == ({ANN}, frozenset())
        assert log.changes(first, 1) is None
        sends(store, "d")
        assert log.size == 3, "it reads one state"


def test_everybody_has_all_that_was_filed_under_their_names(store: Storage) -> None:
    device = Identifier("anonymous", "d")
    said = [
        {"type": "track", "event": "Seen", "messageId": "a", "anonymousId": "d", "timestamp": LATE - 2},
        {"type": "identify", "messageId": "b", "anonymousId": "d", "userId": "ann", "timestamp": LATE - 1},
        {"type": "track", "event": "Seen", "messageId": "c", "userId": "bob", "timestamp": LATE},
    ]
    run(store.log.append([received(each) for each in said]))
    with store.crowd() as log:
        found = {each.root: each for each in log.profiles()}
        assert set(found) == {ANN, Identifier("user", "bob")}
        assert set(found[ANN].identifiers) == {ANN, device}
        assert {event.message_id for event in found[ANN].events} == {"a", "b"}
        assert [each.root for each in log.profiles([ANN, device])] == [ANN]
        assert log.owners([device]) == {ANN}
