"""Wiring: builds all services. The only place that names an engine."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from msgspec.structs import replace

from wetink import apps
from wetink.access.rules import Rules
from wetink.access.second_factors import SecondFactors
from wetink.access.team import Team
from wetink.access.tokens import Tokens
from wetink.audiences.audiences import Audiences
from wetink.audiences.directory import Directory
from wetink.audiences.segment_query import ColumnCrowd
from wetink.audiences.webhooks import Hooks
from wetink.content.author import Author
from wetink.content.block_drafts import BlockDrafts
from wetink.content.content import Content, load
from wetink.content.history import History
from wetink.content.media import Media
from wetink.content.publishing import Publishing
from wetink.content.scenario import wrong_with
from wetink.content.template_files import Templates
from wetink.content.tree import Tree, read_tree, start
from wetink.content.versions import Versions
from wetink.core.catalog.trends import Trends
from wetink.core.errors import BadContent, Conflict, StoreUnavailable, Unavailable, WetinkError
from wetink.core.messages.mapping import Mappings
from wetink.core.text.placeholder import Placeholders
from wetink.core.text.url import Hosts
from wetink.ending import ended
from wetink.feeds import FeedService, PhotoFetcher, Poster, SMTPMail, WithSamples, credentials_in
from wetink.ingest.catalog_feeds import Catalogs
from wetink.ingest.catalog_imports import CatalogImports
from wetink.ingest.curator import Curator
from wetink.ingest.feed_editor import FeedEditor
from wetink.ingest.receive import Ingest
from wetink.ingest.replay import Replay
from wetink.ingest.sample_data import SampleData
from wetink.ingest.uploads import Uploads
from wetink.insights.experiments import Experiments
from wetink.insights.health import Health
from wetink.insights.periods import Periods
from wetink.insights.reports import Reports
from wetink.insights.thumbnails import Thumbnails
from wetink.insights.trends import Follower
from wetink.insights.weekly import Weekly
from wetink.opens.assignment import Assignments, Shared
from wetink.opens.audit import Audit, Rehearsal, glyph_notes
from wetink.opens.click import Clicks
from wetink.opens.curated import CuratedCatalog
from wetink.opens.drawing import Fallbacks
from wetink.opens.embed import Embed
from wetink.opens.geo import Places
from wetink.opens.lookup import Summaries
from wetink.opens.open import Opens
from wetink.opens.polls import Polls
from wetink.opens.prefetch import Prefetcher, warm_photos
from wetink.opens.prerender import Animations, Prerenderer
from wetink.opens.reach import Reaches, instance_of, reach_in
from wetink.opens.recipient import Seals
from wetink.opens.review import Reviewer
from wetink.opens.secrets import SEALS, check_files, known_in, new_token
from wetink.opens.trials import Trials
from wetink.opens.workbench import Workbench
from wetink.ports import Inbox, Storage
from wetink.ports.audiences import Columns
from wetink.ports.ledger import Ledger
from wetink.ports.stream import Stream
from wetink.render import Darkroom, Renderer, blank, browser
from wetink.settings import Settings
from wetink.store import engine_of, open_now_or_later
from wetink.stream.apply import Applier
from wetink.stream.front import StreamedLog
from wetink.stream.opens import StreamedLedger

if TYPE_CHECKING:
    from wetink.access.openid import OpenID
    from wetink.access.passkeys import Passkeys

logger = logging.getLogger(__name__)

WORK_SECONDS, STORE_SECONDS, REST_SECONDS = 4.0, 6.0, 2.0
"""How long work under way, the store, and everything else may take to end, in seconds."""


class Wetink:
    """One wetink over one data folder, as the web, the command line and the demo use it."""

    def __init__(self, settings: Settings, *, draws: bool = True, patient: bool = False) -> None:
        """Open the store and the services of a data folder, creating missing parts.

        Without `draws`, no fallback is drawn ahead, for commands that need no pictures. Raises BadSettings if the
        folder cannot be used, StoreUnavailable if the store cannot be opened. A `patient` wetink starts without its
        store instead, and each `ready` tries again.
        """
        self.settings, self._draws, self._patient = settings, draws, patient
        opens = partial(_store, settings)
        self.store = store = open_now_or_later(opens) if patient else opens()
        self.stream = stream = _stream(settings.log) if settings.log else None
        self.applier = Applier(stream, store, _now_ms) if stream else None
        self._published = StreamedLedger(store.ledger, stream, _now_ms, settings.deadline) if stream else None
        if self._published is not None:
            self.store = store = replace(store, ledger=cast(Ledger, self._published))
        self.plain_catalog, self._curated = store.catalog, CuratedCatalog(store.catalog)
        self.store = store = replace(store, catalog=self._curated)
        start(settings.content)
        self.photos = PhotoFetcher(settings.data / "photos", private_hosts=settings.private_hosts)
        folders = settings.data / "feeds", settings.data / "uploads"
        self.feeds = FeedService(*folders, store.uploads, store.leases, _now_ms, private_hosts=settings.private_hosts)
        self._browser = browser(settings.chromium, settings.data / "browser") if settings.chromium else None
        shared_folder = settings.data / "countdowns"
        self.pictures = WithSamples(self.photos)
        self.renderer = Renderer(self.pictures, browser=self._browser, shared=shared_folder, leases=store.leases)
        inbox: Inbox = store.log
        if self.stream is not None:
            inbox = StreamedLog(self.stream)
        self.ingest = Ingest(inbox, known := Placeholders(settings.placeholders))
        self.replay = Replay(store, self.ingest)
        self.sample_data = SampleData(store, self.ingest)
        self._own_apps, self._app_problems = apps.found()
        self.apps = dict(self._own_apps)
        self._app_templates = {app.name: apps.template_of(app) for app in self._own_apps.values() if app.template}
        self.content, self.trends, self.hosts = Content(), Trends(), Hosts()
        self._revision = 0
        self._looking = asyncio.Lock()
        check_files(settings.data)
        self.dashboard_token = new_token()  # random until the secrets are read
        self._secrets: object = None
        self.resealed = False
        self.places = Places(settings.geoip_city, settings.geoip_asn, settings.trusted_proxies)
        self.seals = Seals({}, known)
        fallback = files("wetink.render").joinpath("fallback.liquid").read_text(encoding="utf-8")
        self.fallbacks = Fallbacks(self.renderer, fallback, blank())
        drawing = self.renderer, self.fallbacks, self.apps, self._app_templates
        self.rehearsal = Rehearsal(self.renderer, self.fallbacks, self._app_templates, _now_ms)
        wrong = partial(wrong_with, apps=self._own_apps, rehearse=self.rehearsal.problems_of)
        self.versions = Versions(store.content, store.leases, settings.content, wrong)
        self.opens = Opens(
            store,
            *drawing,
            trends=self.trends,
            assignments=Assignments(store, shared := Shared()),
            feeds=self.feeds,
            allowed=self.hosts.allowed,
            seals=self.seals,
            deadline_ms=settings.deadline,
        )
        self.clicks = Clicks(store, self.opens, self.apps, self.seals)
        self.reaches = Reaches(store.secrets, self.follow, self.feeds.ask_address)
        self.embed = Embed(self.opens, self.seals, self.address)
        own = self._own_apps, dict(self._app_templates), self.hosts.allowed
        self.trials = Trials(self.opens, self.renderer, self.fallbacks, *own)
        self.audit = Audit(*(store.profiles, self.opens, self.renderer, self.apps, self.feeds), self.hosts.allowed)
        self.reports = Reports(store, Periods(store, _now_ms))
        self.thumbnails = Thumbnails(store.archive, self.opens, _now_ms)
        self.experiments = Experiments(self.reports, store.exposures, shared, _now_ms)
        self.polls = Polls(store, self.apps)
        self.prerenderer = Prerenderer(self.opens, _now_ms)
        self.animations = Animations(self.renderer, self.apps, self.opens, _now_ms)
        warmed = partial(warm_photos, self.photos, self.hosts.allowed)
        self.follower = Follower(store, self.trends, _now_ms, (warmed, self.prerenderer.notice))
        self.prefetcher = Prefetcher(store, self.feeds, self.apps, _now_ms)
        self.summaries = Summaries(store.profiles, _now_ms)
        self.catalogs = Catalogs(store.catalog, self.feeds, _now_ms)
        self._posts = Poster(settings.private_hosts)
        self.crowd = ColumnCrowd(store, lambda: _columns(store, settings.columns or settings.data / "columns"))
        self.audiences = Audiences(
            self.crowd,
            store.memberships,
            Hooks(store.memberships, store.profiles, self._posts, b"", settings.hook_write_key),
            every_ms=settings.audience_seconds * 1000,
            clock_ms=_now_ms,
        )
        self.directory = Directory(store, self.audiences)
        self.author = Author(self.versions, self.follow, _now_ms)
        self.history = History(self.versions, self.author, self._own_apps)
        reviewer = Reviewer(store.profiles, self.renderer, self.rehearsal, self.trials, self.hosts.allowed, _now_ms)
        self.publishing = Publishing(store.drafts, self.versions, self.author, self._own_apps, reviewer.tried, _now_ms)
        self.feed_editor = FeedEditor(self.author, self.versions, store.secrets, self.follow)
        self.block_drafts = BlockDrafts(store.drafts, self.versions, self.publishing)
        self.uploads = Uploads(self.feeds, self.feed_editor)
        self.curator = Curator(self.author, self.versions)
        self.catalog_imports = CatalogImports(settings.data / "imports", self.catalogs, store.catalog, _now_ms)
        self.templates = Templates(store.drafts, self.versions, self.publishing, self.author)
        self.workbench = Workbench(self.opens, self.renderer, self.apps, self.hosts.allowed)
        self.darkroom = Darkroom()
        self.media = Media(self.author, self.darkroom, settings.data / "received")
        self.team, self.tokens = Team(store, _now_ms), Tokens(store, _now_ms)
        self.factors = SecondFactors(store.accounts, store.challenges, store.sessions, store.secrets)
        self.sign_in_rules = Rules(store.secrets)
        self.health = Health(self.renderer, store.ended)
        self.mail = SMTPMail(settings.smtp_url, settings.sender) if settings.smtp_url else None
        world = lambda: self.address, self.feeds, _now_ms
        self.weekly = Weekly(store, self.reports, self.experiments, self._posts, self.mail, *world)

    async def __aenter__(self) -> Self:
        self.rehearsal.start()
        try:
            await self.look_again()
        except StoreUnavailable:
            if not self._patient:
                raise
            tree = await asyncio.to_thread(read_tree, self.settings.content, [])
            await self._use(tree)  # opens get the fallbacks of the folder's blocks
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def ready(self) -> None:
        """Prepare to store messages and fetch photos in the running event loop."""
        self.photos.start()
        if self._published is not None and not self.settings.role.isdisjoint({"open", "dashboard"}):
            self._published.prepare()
        await self.store.start()
        if self.stream is not None and self.settings.role & {"ingest", "worker"}:
            await self.stream.start()
        if not self.has_content:
            await self.follow()

    @property
    def address(self) -> str:
        """Where the world reaches this server: by the settings, else as kept in the store."""
        return (not self.settings.public_url and self.reaches.kept.public_url) or self.settings.address

    @property
    def link_hosts(self) -> tuple[str, ...]:
        """Hosts of links besides those of the sources: of the settings, and as kept in the store."""
        return (*self.settings.link_hosts, *self.reaches.kept.link_hosts)

    @property
    def instance(self) -> str:
        """The name of this installation, the same in all its processes."""
        return instance_of(self.audiences.hooks.secret)

    @property
    def version(self) -> int:
        """The number of the content's version that is loaded; 0 if none is."""
        return self._revision

    @property
    def has_content(self) -> bool:
        """Whether the content of the store is loaded."""
        return self._revision > 0

    async def look_again(self) -> None:
        """Make a version of edits in the content folder, then follow."""
        await self.take_in()
        await self.follow()

    async def take_in(self) -> None:
        """Make a version of edits in the content folder."""
        try:
            await self.versions.take_in(_now_ms())
        except (Unavailable, Conflict, BadContent) as error:  # the published version stays live
            logger.warning("the content folder: %s", error)

    async def follow(self) -> None:
        """Take over changed secrets, content and sources' hosts. One call at a time."""
        async with self._looking:  # else an older state could replace a newer one
            await self._look()

    async def _look(self) -> None:
        if (kept := await self.store.secrets.all()) != self._secrets or not kept:
            if not kept and not (self.settings.data / SEALS).exists() and await self.store.sources.all():
                self.resealed = True
                logger.warning("the store had no keys that seal links; with new ones, sent emails show fallbacks")
            known = await known_in(self.store.secrets, self.settings.data)
            self.dashboard_token, self.audiences.hooks.secret, self._secrets = known.token, known.hooks, kept
            self.seals.use(known.seals)
            self.feeds.credentials.use(credentials_in(kept))
            self.reaches.kept = reach_in(kept)
            self.embed.address = self.address
        sources = await self.store.sources.all()
        self.hosts.use({*(host for source in sources for host in source.hosts), *self.link_hosts})
        if await self.store.content.revision() == self._revision:
            return
        version, tree = await self.store.content.read()
        await self._use(tree)
        self._revision = version.number

    async def _use(self, tree: Tree) -> None:
        """Load content, and give each service its part."""
        loaded = await asyncio.to_thread(load, tree, self._own_apps)
        wrong = [*self._app_problems, *loaded.problems]
        if self.settings.role != {"ingest"}:  # reading a font starts a process that draws
            wrong += await self.renderer.use(loaded.fonts)
        wrong += await self.fallbacks.prepare(loaded.blocks, loaded.images) if self._draws else []
        for name in self.content.apps:
            self.apps.pop(name, None)
            self._app_templates.pop(name, None)
        self.apps.update(loaded.apps)
        self._app_templates.update({name: loaded.templates[app.template] for name, app in loaded.apps.items()})
        notes = (*loaded.notes, *glyph_notes(loaded.blocks, loaded.templates, self.renderer.missing))
        self.content = replace(loaded, problems=tuple(wrong), notes=notes)
        self.rehearsal.use(self.content)
        self._curated.use(loaded.curation)
        self.feeds.use(loaded.feeds)
        self.ingest.mappings = Mappings(loaded.mappings) if loaded.mappings else None
        for problem in self.content.problems:
            logger.warning("content: %s", problem)

    def app_template(self, name: str) -> str:
        """Return an app's own template, empty if it has none."""
        return self._app_templates.get(name, "")

    async def passkeys(self) -> "Passkeys":
        """Return the passkeys of this server's address. Their library is loaded at the first use, in a thread."""
        return await asyncio.to_thread(lambda: self._passkeys)

    async def openid(self) -> "OpenID":
        """Return what speaks with identity providers. Its library is loaded at the first use, in a thread."""
        return await asyncio.to_thread(lambda: self._openid)

    @cached_property
    def _passkeys(self) -> "Passkeys":
        from wetink.access.passkeys import Passkeys

        return Passkeys(self.store.accounts, self.store.challenges, self.settings.address)

    @cached_property
    def _openid(self) -> "OpenID":
        from wetink.access.openid import OpenID

        return OpenID(self.settings.private_hosts)

    async def close(self) -> None:
        """Finish pending work and close everything. Each part has a limit, so one that hangs keeps none from ending."""
        stream: list[Awaitable[object]] = [self.catalog_imports.close()]
        if self._published is not None and self.applier is not None:
            stream += [self._published.close(), self.applier.close()]
        parts = {"counts of people": self.crowd.close(), "the stream's work": asyncio.gather(*stream)}
        await asyncio.gather(*(ended(name, part, WORK_SECONDS) for name, part in parts.items()))
        await ended("the store", self.store.close(), STORE_SECONDS)
        rest = {"webhooks": self._posts.close(), "feeds": self.feeds.close(), "photos": self.photos.close()}
        if self.stream is not None:
            rest["the stream"] = self.stream.close()
        if self._browser is not None:
            rest["the browser"] = self._browser.close()
        await asyncio.gather(*(ended(name, part, REST_SECONDS) for name, part in rest.items()))
        self.places.close()
        self.darkroom.close()
        self.renderer.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def has_store(settings: Settings) -> bool:
    """Return whether a store already exists at the settings' address."""
    return engine_of(settings.store).exists(settings.store)


def has_owner(settings: Settings) -> bool:
    """Return whether somebody signs in as owner with an account; False if the store cannot say."""

    async def ask() -> bool:
        store = _store(settings)
        try:
            return await store.accounts.has_owner()
        finally:
            await store.close()

    try:
        with ThreadPoolExecutor(1) as thread:  # a loop may run in this one
            return thread.submit(asyncio.run, ask()).result()
    except WetinkError as error:
        logger.warning("the store does not say whether there is an owner: %s", error)
        return False


def _store(settings: Settings) -> Storage:
    """Return the opened store of the settings. Raises StoreUnavailable."""
    kept = {"archive_days": settings.archive_days, "archive_bytes": settings.archive_mb << 20}
    return engine_of(settings.store).open(settings.store, _now_ms, **kept)


def _stream(address: str) -> Stream:
    """Return the stream at an address. Imported here: most servers have none. Raises BadSettings."""
    from wetink.stream.jetstream import JetStream

    return JetStream(address)


def _columns(store: Storage, folder: Path) -> Columns:
    """Return the columns in a folder. Imported here: it takes 0.1 s, and most commands never count."""
    from wetink.columns import DuckDBColumns

    return DuckDBColumns(store.crowd, folder)
