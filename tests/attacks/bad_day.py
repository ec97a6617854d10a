"""A bad day: whatever of wetink goes on from an error is made to meet one, each told with a person's data."""

import asyncio
import contextlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import msgspec
import pytest
from msgspec.structs import replace

from tests.asgi import ask
from tests.feeds.outside import refreshed
from tests.storage import all_at_once
from tests.web.test_open import NOW, House
from wetink.audiences.audiences import Audiences
from wetink.audiences.webhooks import Hooks
from wetink.core.blocks.block import Decision, decision_id
from wetink.core.errors import StoreUnavailable, WetinkError
from wetink.core.events.event import Event, Product
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.feed import Feed, PerPerson
from wetink.core.outbound.webhook import Hook, MembershipChange
from wetink.core.profile.person import Moment
from wetink.core.rules.evaluate import Rulebook
from wetink.core.rules.parse import parse as rule_of
from wetink.core.signals.audience import Audience
from wetink.feeds import FeedService, PhotoFetcher
from wetink.ingest.catalog_feeds import Catalogs
from wetink.ingest.receive import BATCH
from wetink.insights.trends import Follower
from wetink.opens import lookup
from wetink.opens.audit import Rehearsal
from wetink.opens.drawing import watch
from wetink.opens.embed import Embed
from wetink.opens.geo import Places
from wetink.opens.prerender import Prerenderer
from wetink.ports import Loaded, Record, Storage
from wetink.ports.ledger import Opened
from wetink.render.cache import Shared
from wetink.store.sqlite.batch import BatchWriter, Queue
from wetink.store.sqlite.leases import SQLiteLeases
from wetink.store.sqlite.memberships import SQLiteMemberships
from wetink.store.sqlite.pictures import SQLitePictures
from wetink.store.sqlite.uploads import SQLiteUploads
from wetink.web.app import create
from wetink.worker import TASKS, Worker

EMAIL, NAME, USER, PHONE = "zuleika.quux@shop.example", "Zuleika Quux", "zq-user-4711", "+49 170 5550100"
ADDRESS, KEY, TOKEN = "12 Quux Street, Quuxhaven", "s3cretFeedKeyZQ", "tOk3nOfZuleikaQuux0815"
SEEDED = (EMAIL, NAME, USER, PHONE, ADDRESS, KEY, TOKEN, "Zuleika", "Quux", "zuleika", "5550100")
WHO = Identifier("user", USER)
SECRET_URL = f"http://me:{KEY}@127.0.0.1:1/photo/{KEY}.jpg?who={EMAIL}&token={TOKEN}"


def odd() -> Exception:
    """Return an error that nobody has foreseen, with all of somebody in its words and in what caused it."""
    error = ValueError(f"{NAME} ({EMAIL}, {PHONE}) of {ADDRESS} has {TOKEN}")
    error.__cause__ = KeyError(NAME)
    return error


def down() -> WetinkError:
    """Return one that was foreseen, with what those of ours may quote."""
    return StoreUnavailable(f"no answer of {SECRET_URL} about {WHO}, {EMAIL}: {NAME!r} ({TOKEN})")


class Broken:
    """Something outside of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name in Storage.__struct_fields__:
            return self

        def call(*_: object, **__: object) -> Any:
            raise self._error

        return call


async def fails(error: Exception) -> Any:
    raise error


async def loops(error: Exception, folder: Path) -> None:
    """Have everything that goes on for ever meet an error."""
    broken: Any = Broken(error)
    one = Audience("all", rule_of({"done": "X"}))

    def audiences(memberships: Any) -> Audiences:
        return Audiences(broken, memberships, broken, every_ms=1, clock_ms=lambda: 0)

    looking = audiences(SimpleNamespace(clean=lambda now: asyncio.sleep(0), points=lambda *_: fails(error)))
    await looking.look_at_due({"all": one})
    feed = Feed("stores", "json", url="https://shop.example/feed", purpose="catalog")
    event = Event("track", NOW, "m", "s", "Product Viewed", user=USER)
    told: Any = SimpleNamespace(
        cursor=lambda at: asyncio.sleep(0, ""),
        events=lambda *_: asyncio.sleep(0, ("1", [event])),
        settle=lambda: asyncio.sleep(0, result=False),
    )
    told.log = told.catalog = told
    hears = Follower(told, broken, lambda: 0, [lambda events: broken.hear()])
    with contextlib.suppress(Exception):
        await hears.step()
    await Catalogs(broken, broken, lambda: 0).step({"stores": feed})
    leases = SQLiteLeases(folder, lambda: NOW)
    process: Any = SimpleNamespace(
        store=SimpleNamespace(leases=leases),
        settings=SimpleNamespace(data=folder),
        health=SimpleNamespace(tasks=[], struggling={}),
        ingest=SimpleNamespace(on_appended=None),
        ready=lambda: asyncio.sleep(0),
        applier=None,
    )
    tasks = [replace(task, turn=lambda _: fails(error)) for task in TASKS]
    async with Worker(process, tasks):
        while len(process.health.struggling) < len(tasks):  # noqa: ASYNC110 (there is no event)
            await asyncio.sleep(0.01)
    await leases.close()


async def hooks(error: Exception) -> None:
    """Have messages of an audience fail in each way."""
    hook = Hook(SECRET_URL)
    change = MembershipChange("c1", "all", "enter", WHO, NOW)
    due = [SimpleNamespace(change=change, tries=99)]
    profile = SimpleNamespace(identifiers=(WHO, Identifier("email", EMAIL)))
    memberships: Any = SimpleNamespace(due=lambda *_: asyncio.sleep(0, due), settle=lambda _: asyncio.sleep(0))
    store: Any = SimpleNamespace(profile=lambda *_: asyncio.sleep(0, profile))
    broken: Any = Broken(error)
    for each in (
        Hooks(broken, store, broken, b"k", KEY),
        Hooks(memberships, broken, broken, b"k", KEY),
        Hooks(memberships, store, broken, b"k", KEY),
    ):
        await each.deliver({"all": hook}, lambda: NOW)


async def drawing(error: Exception, house: House) -> None:
    """Have what is drawn ahead, said in words, or late, meet an error."""
    content, moment = house.wetink.content, Moment(NOW)
    broken: Any = Broken(error)
    ahead = Prerenderer(broken, lambda: NOW)
    ahead.notice([Event("track", NOW, "m", "s", "Product Viewed", user=USER)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wetink.opens.prerender.CALM_SECONDS", 0.0)
        await ahead.step(content)
    await Embed(broken, broken, "https://shop.example").words(content, "hero", 1, WHO, moment)
    late = asyncio.create_task(fails(error))
    watch(late, "hero")
    await asyncio.wait([late])
    await asyncio.sleep(0)


async def opens(error: Exception, house: House) -> None:
    """Have opens and pages of the dashboard meet an error of the store."""
    store: Any = house.wetink.store
    app = create(house.wetink)
    got = await ask(app, "GET", f"/dashboard/login?token={house.wetink.dashboard_token}")
    cookie = {"cookie": got.headers["set-cookie"].partition(";")[0]}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load", "history", "profile", "profiles", "resolve"):
            patch.setattr(store.profiles, name, lambda *_, **__: fails(error))
        patch.setattr(store.catalog, "products", lambda *_, **__: fails(error))
        patch.setattr(store.log, "messages", lambda *_, **__: fails(error))
        for purpose in ("picture", "data", "click"):
            await ask(house.door, "GET", house.url(purpose, "hero", who=WHO), headers={"user-agent": EMAIL})
        for path in ("people", f"people/user:{USER}", "live"):
            with contextlib.suppress(ValueError):  # the framework raises it once more, behind the answer
                await ask(app, "GET", f"/dashboard/{path}", headers=cookie)
    take = house.door.fast_path(house.url("data", "hero", who=WHO).encode(), ((b"user-agent", EMAIL.encode()),), "")
    assert take is not None
    take(b"", lambda *_: Broken(error).hear())
    await asyncio.sleep(0.1)
    for _ in range(2):
        take(b"", lambda *_: None)
        await asyncio.sleep(0.1)
    with pytest.MonkeyPatch.context() as patch:
        for failing, name in ((lookup.Lookup, "stands"), (house.door, "_reply")):
            patch.setattr(failing, name, lambda *_: fails(error))
            take(b"", lambda *_: None)
            await asyncio.sleep(0.1)
    sources = await store.sources.all()
    body = msgspec.json.encode({"batch": [{"type": "track", "event": NAME, "userId": USER, "messageId": TOKEN}]})
    key = await store.sources.create_key(f"day{id(error)}", "server", ["shop.example"], 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.log, "append", lambda *_, **__: fails(error))
        await ask(app, "POST", f"/v1/batch?writeKey={key.write_key}", body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.wetink.ingest, "mappings", Broken(error))
        await house.wetink.ingest.receive(body, sources[0], BATCH, NOW)


async def outside(folder: Path) -> None:
    """Have photos and feeds fail whose addresses are secret."""
    fetcher = PhotoFetcher(folder / "photos", private_hosts=("127.0.0.1:1",))
    await fetcher.get(SECRET_URL, 2_000)
    await fetcher.close()
    keeper = FeedService(
        *(folder / "feeds", folder / "uploads", SQLiteUploads(folder), SQLiteLeases(folder, lambda: NOW), lambda: NOW),
        private_hosts=("127.0.0.1:1",),
    )
    personal = Feed("mine", "json", url=SECRET_URL, per_person=PerPerson({"p": "person.traits.email"}))
    keeper.use({"stores": Feed("stores", "json", url=SECRET_URL), "mine": personal})
    await refreshed(keeper)
    with contextlib.suppress(Exception):
        await keeper.ask("mine", {"p": EMAIL}, 500)
    await keeper.close()


async def stored(error: Exception, house: House) -> None:
    """Have the store be told what it cannot keep, and by callers who fail."""
    store, archive = house.wetink.store, house.wetink.store.archive
    await store.catalog.learn([Product(sku=f"{NAME}\ud800", name=NAME), Product(sku="mug", name=NAME)], NOW)
    told = Record("shop", f"{TOKEN}\ud800", NOW, NOW, NAME.encode(), "usable", (), WHO, None)
    for alone in (True, False):
        with contextlib.suppress(Exception):
            await store.log.append([told] if alone else [told, replace(told, message_id=TOKEN)])
    id_ = decision_id("hero", str(WHO), "", NOW)
    decision = Decision(id_, "hero", str(WHO), "", NOW, "it", "custom", "", {}, (), (), (), facts={NAME: 1 << 80})
    archive.keep(Opened(decision, Moment(NOW), house.wetink.content.blocks["hero"], ""))
    with contextlib.suppress(Exception):
        await house.wetink.store.ledger.settle(replace(decision, facts={NAME: object()}), 1, 60_000, "person")
    viewed = [
        {"type": "track", "event": "Product Viewed", "userId": USER, "messageId": f"d{each}", "timestamp": NOW + each}
        for each in range(12)
    ]
    [shop] = [each for each in await store.sources.all() if each.name == "shop"]
    await house.wetink.ingest.receive(msgspec.json.encode({"batch": viewed}), shop, BATCH, NOW + 20)
    await store.profiles.summarize(lambda entries: Broken(error).hear(), 7, NOW * 2, 1_000)
    memberships = SQLiteMemberships(house.wetink.settings.data / "day")
    await memberships.take("all", all_at_once(), NOW, lambda *_: False)
    await memberships.take("all", all_at_once(WHO), NOW + 1, lambda *_: Broken(error).hear())
    await memberships.close()
    stumbling = BatchWriter(
        "days", apsw.Connection(":memory:"), {"day": Queue(lambda _: sys.exit(NAME), 9)}, seconds=0.01
    )
    stumbling.put("day", NAME)
    await asyncio.sleep(0.1)
    stumbling.close()
    broken: Any = Broken(error)
    fallbacks: Any = SimpleNamespace(scene=lambda block: None)
    rehearsal = Rehearsal(broken, fallbacks, {}, lambda: NOW)
    with contextlib.suppress(Exception):
        await rehearsal.trial(house.wetink.content.blocks["hero"], house.wetink.content, {})


async def locked(house: House) -> None:
    """Have another process hold every file of the data folder while somebody opens an email."""
    data, wetink = house.wetink.settings.data, house.wetink
    with contextlib.ExitStack() as stack:
        for path in sorted(data.glob("*.db")):
            other = stack.enter_context(contextlib.closing(apsw.Connection(str(path))))
            other.execute("BEGIN EXCLUSIVE")
        mozilla = {"user-agent": f"Mozilla/5.0 (Macintosh) {EMAIL}"}
        await ask(house.door, "GET", house.url("picture", "hero", who=WHO), headers=mozilla)
        await asyncio.gather(*(asyncio.to_thread(each.flush) for each in (wetink.store.archive, wetink.store.ledger)))


async def content(house: House) -> None:
    """Have a file of the content folder be wrong."""
    (house.wetink.settings.content / "blocks" / "wrong.yaml").write_text("variants: nothing")
    await house.wetink.look_again()


def files(folder: Path) -> None:
    """Have files be what they should not be."""
    (folder / "file").write_text(NAME)
    Shared(folder / "file", 10).put(b"key", NAME.encode())
    (folder / "pictures.db").write_bytes((NAME + EMAIL).encode() * 1_000)
    SQLitePictures(folder).writer.close()
    Places(folder / "nothing.mmdb", None).close()
    with contextlib.suppress(Exception):
        lookup.folded_at(Loaded(WHO, "", summary=NAME.encode()), NOW, frozenset())


def rules() -> None:
    """Have rules meet somebody of whom nothing can be read."""
    book = Rulebook()
    nobody: Any = SimpleNamespace()
    compiled = book.of(rule_of({"trait": "name", "equals": NAME}))
    compiled.holds(nobody)
    meaningless: Any = SimpleNamespace(name=NAME)
    book.of(meaningless)


def live(folder: Path) -> None:
    """Live through all of it, once with errors that nobody has foreseen and once with those that were."""
    house = House(folder / "data")
    for error in (odd(), down()):
        asyncio.run(loops(error, folder))
        asyncio.run(hooks(error))
        asyncio.run(drawing(error, house))
        asyncio.run(opens(error, house))
        asyncio.run(stored(error, house))
    asyncio.run(locked(house))
    asyncio.run(content(house))
    asyncio.run(outside(folder))
    files(folder)
    rules()
    asyncio.run(house.wetink.close())
