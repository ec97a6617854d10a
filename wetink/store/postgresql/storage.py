"""Storage: all parts over one database."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from wetink.core.errors import StoreUnavailable
from wetink.ports.storage import Storage
from wetink.store.postgresql.archive import PostgresArchive
from wetink.store.postgresql.catalog import PostgresCatalog
from wetink.store.postgresql.content import PostgresContent
from wetink.store.postgresql.conversions import PostgresConversions
from wetink.store.postgresql.crowd import open_crowd_log
from wetink.store.postgresql.database import Address, Database
from wetink.store.postgresql.exposures import PostgresExposures
from wetink.store.postgresql.leases import PostgresLeases
from wetink.store.postgresql.ledger import PostgresLedger
from wetink.store.postgresql.log import PostgresLog
from wetink.store.postgresql.memberships import PostgresMemberships
from wetink.store.postgresql.pictures import PostgresPictures
from wetink.store.postgresql.profiles import PostgresProfiles
from wetink.store.postgresql.projections import PostgresProjections
from wetink.store.postgresql.secrets import PostgresSecrets
from wetink.store.postgresql.senders import PostgresSenders
from wetink.store.postgresql.sessions import PostgresSessions
from wetink.store.postgresql.uploads import PostgresUploads
from wetink.store.postgresql.votes import PostgresPolls


class _Unbuilt:
    """A part that is not there yet."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        raise StoreUnavailable(f"{self._name} is not built yet")


def open_storage(address: str, clock_ms: Callable[[], int], *, archive_days: int, archive_bytes: int) -> Storage:
    """Open the parts of a database. Nothing connects before the first use.

    Raises BadSettings for an address that cannot be read.
    """
    database = Database(address)
    parts: dict[str, Any] = {
        name: _Unbuilt(name)
        for name in Storage.__struct_fields__
        if name not in ("start", "writable", "lost", "ended", "close")
    }
    log = parts["log"] = PostgresLog(database)
    parts["crowd"] = partial(open_crowd_log, address)
    parts["profiles"] = PostgresProfiles(database)
    leases = parts["leases"] = PostgresLeases(database)
    ledger = parts["ledger"] = PostgresLedger(database)
    archive = PostgresArchive(database, clock_ms, days=archive_days, most_bytes=archive_bytes)
    pictures = parts["pictures"] = PostgresPictures(database)
    parts["archive"] = archive
    parts["memberships"] = PostgresMemberships(database)
    parts["polls"] = PostgresPolls(database)
    parts["uploads"] = PostgresUploads(database)
    parts["content"] = PostgresContent(database)
    parts["exposures"] = PostgresExposures(database, ledger.decisions, ledger.writer)
    parts["secrets"] = PostgresSecrets(database)
    parts["sessions"] = PostgresSessions(database)
    parts["sources"] = PostgresSenders(database)
    projections = parts["projections"] = PostgresProjections(database)
    parts["catalog"] = PostgresCatalog(database, projections.step_catalog)
    parts["conversions"] = PostgresConversions(database, parts["profiles"])

    async def start() -> None:
        await database.start()

    def lost() -> Mapping[str, int]:
        found = {"opens and clicks": ledger.lost, "kept opens": archive.lost}
        return {what: count for what, count in found.items() if count}

    def ended() -> Sequence[str]:
        return []

    async def close() -> None:
        await log.writer.close()
        await asyncio.gather(*(each.close() for each in (ledger, archive, pictures)))
        await leases.close()
        await database.close()

    return Storage(**parts, start=start, writable=database.writable, lost=lost, ended=ended, close=close)


def holds_storage(address: str) -> bool:
    """Return True: whether the database has the tables shows when a command reads it. Raises BadSettings."""
    return bool(Address(address))
