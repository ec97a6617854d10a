"""Houses: storages of each engine with something in every part, and moves from one to the other."""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.contracts.engines import ENGINES, moving
from tests.contracts.loop import run
from tests.contracts.profiles import LATE, everybody, mentioned, received
from tests.contracts.test_archive import opened
from tests.contracts.test_decisions import decided
from tests.contracts.test_store import BOUGHT, ORDER
from tests.storage import all_at_once
from wetink.core.access.account import Account, ApiToken, Credential, Invitation
from wetink.core.access.audit import Entry
from wetink.core.blocks.experiment import Exposure
from wetink.core.events.event import Product
from wetink.core.identity.identifier import Identifier
from wetink.core.signals.attribution import Touch
from wetink.ports import Record, Storage
from wetink.ports.drawing import Served
from wetink.ports.ledger import Group
from wetink.ports.moving import TABLES, Moving
from wetink.store.move import Move, Moved

FACTS = Path(__file__).parents[1] / "facts" / "identity_scenarios.json"
SCENARIOS = json.loads(FACTS.read_text())["scenarios"]
JANE, BOB = Identifier("user", "jane"), Identifier("user", "bob")
NOW, DAY = 20_000 * 86_400_000, 86_400_000


class House:
    """A storage in a folder, as servers have it, and as a move reads or writes it."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.store: Storage = ENGINES[engine](folder, clock_ms=lambda: NOW)
        run(self.store.start())
        self.moving: Moving = moving(engine, folder)

    def close(self) -> None:
        run(self.moving.close())
        run(self.store.close())


def move(houses: tuple[House, House], *, finish: bool = True, **more: Any) -> Moved:
    source, target = houses
    return run(Move(source.moving, target.moving, target.store, **more).run(finish=finish))


def records() -> list[Record]:
    """Return messages of everything that identity, the catalog and conversions are derived from."""
    made = [received(each, source=f"s{number}") for number, all in enumerate(SCENARIOS) for each in all["messages"]]
    made += [
        received({**BOUGHT, "messageId": f"o{n}", "timestamp": LATE - n, "properties": {**ORDER, "order_id": f"O{n}"}})
        for n in range(20)
    ]
    made += [
        received({"type": "track", "event": "X", "messageId": "parked"}),
        received({"type": "alias", "messageId": "page", "previousId": "d", "userId": "u"}, level="browser"),
        received({"type": "alias", "messageId": "nobody", "previousId": "null", "userId": "u"}),
        received({"type": "alias", "messageId": "device", "previous_id": "d2", "userId": "u", "anonymousId": "d2"}),
    ]
    return made


def steps(store: Storage, number: int) -> list[Callable[[], Awaitable[object]]]:
    """Return calls that write something to every part."""
    files = {"blocks/a.yaml": b"%d" % number, "b.png": b"\0\xff"}
    members = JANE, *([BOB] if number % 2 else [])
    seen = Touch("open", "hero", "user:jane", "", NOW + number, "v", fetch_class="person")

    async def later() -> None:
        """Write what may be written a moment later."""
        for touch in (seen, replace(seen, kind="click")):
            await store.ledger.record(touch)
        store.ledger.served(Served("hero", "v", ""), NOW + number)
        store.archive.keep(opened(number, NOW + number))
        await store.ledger.touches([], 0, 0)
        await store.archive.newest(NOW + DAY, 1)

    return [
        lambda: store.catalog.learn([Product(sku=f"L{number}", name="Lamp", price=5.0)], NOW + number),
        lambda: store.catalog.note_import("goods", f"v{number}"),
        lambda: store.catalog.keep_progress(f"import{number}", b"{}", NOW + number),
        lambda: store.sources.create_key(f"shop{number}", "browser", ("shop.example",), NOW),
        lambda: store.sources.set_source(f"shop{number}", per_second=2.5, verify=True),
        lambda: store.polls.vote("poll", JANE, number % 3, NOW),
        lambda: store.polls.vote("poll", BOB, number % 2, NOW),
        lambda: store.ledger.settle(decided("v", NOW + number * 60_000), 1, 60_000, "person"),
        lambda: store.ledger.promise("hero", "user:jane", {f"ends{number}": NOW}),
        later,
        lambda: store.ledger.apply([Group(f"group{number}", NOW, [seen])]),
        lambda: store.exposures.keep(Exposure("test", f"user:{number}", "a", NOW, "user:jane")),
        lambda: store.exposures.keep_shares("test", number, {"a": 0.5, "b": 0.5}),
        lambda: store.memberships.take("vip", all_at_once(*members), NOW + number, tell),
        lambda: store.sessions.begin("token", NOW + number),
        lambda: store.sessions.try_from("192.0.2.1", NOW),
        lambda: store.accounts.add(Account(f"id{number}", f"ida{number}@a.example", "Ida", "owner", "hash")),
        lambda: store.accounts.add_credential(Credential("totp", f"id{number}", f"id{number}", data="é")),
        lambda: store.accounts.invite(Invitation(f"link{number}", f"b{number}@a.example", "viewer", created=NOW)),
        lambda: store.api_tokens.add(ApiToken(f"token{number}", "CI", ("content:read",), f"id{number}")),
        lambda: store.audit_log.write(Entry(NOW, "Ida", "published", "block hero", number)),
        lambda: store.content.publish(files, number, by="ida", message="", at=1),
        lambda: store.drafts.put(f"blocks/d{number}.yaml", b"\0%d" % number if number % 2 else None, "", 0, "ida", NOW),
        lambda: store.uploads.put("a.csv", iter([b"one", b"\0%d" % number]), NOW + number),
        lambda: store.secrets.keep(f"secret{number}", "value"),
    ]


async def fill(store: Storage, number: int = 0) -> None:
    """Write something to every part."""
    for step in steps(store, number):
        await step()


def tell(change: object, first: bool) -> bool:
    return True


async def rows(of: Moving) -> Mapping[str, list[Any]]:
    found = {table: sorted(await of.page(table, None, 10_000), key=repr) for table in TABLES}
    assert all(found.values()), [table for table, some in found.items() if not some]
    return found


def derived(store: Storage, keys: list[str]) -> Any:
    """Return what an engine derives: profiles, the catalog and conversions."""

    async def read() -> Any:
        while await store.projections.settle():
            pass
        names = {"Order Completed"}
        found = [each async for batch in store.conversions.outcomes(names, 0, LATE + 1) for each in batch]
        products = await store.catalog.products(keys), await store.catalog.changes(keys)
        return sorted(found, key=lambda each: (each.event.source, each.event.message_id)), products

    return everybody(store.profiles, mentioned(records())), run(read())
