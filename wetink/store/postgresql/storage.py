"""Storage: all parts over one database."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from wetink.ports.storage import Storage
from wetink.store.postgresql.accounts import PostgresAccounts
from wetink.store.postgresql.address import Address
from wetink.store.postgresql.archive import PostgresArchive
from wetink.store.postgresql.audit import PostgresApiTokens, PostgresAuditLog
from wetink.store.postgresql.catalog import PostgresCatalog
from wetink.store.postgresql.challenges import PostgresChallenges
from wetink.store.postgresql.content import PostgresContent
from wetink.store.postgresql.conversions import PostgresConversions
from wetink.store.postgresql.crowd import open_crowd_log
from wetink.store.postgresql.database import Database
from wetink.store.postgresql.drafts import PostgresDrafts
from wetink.store.postgresql.exposures import PostgresExposures
from wetink.store.postgresql.inspection import PostgresInspection
from wetink.store.postgresql.leases import PostgresLeases
from wetink.store.postgresql.ledger import PostgresLedger
from wetink.store.postgresql.log import PostgresLog
from wetink.store.postgresql.memberships import PostgresMemberships
from wetink.store.postgresql.moving import PostgresMoving
from wetink.store.postgresql.pictures import PostgresPictures
from wetink.store.postgresql.profiles import PostgresProfiles
from wetink.store.postgresql.projections import PostgresProjections
from wetink.store.postgresql.report_cache import PostgresReportCache
from wetink.store.postgresql.secrets import PostgresSecrets
from wetink.store.postgresql.senders import PostgresSenders
from wetink.store.postgresql.sessions import PostgresSessions
from wetink.store.postgresql.uploads import PostgresUploads
from wetink.store.postgresql.votes import PostgresPolls


def open_storage(
    address: str, clock_ms: Callable[[], int], *, archive_days: int, archive_bytes: int, incomplete: bool = False
) -> Storage:
    """Open the parts of a database. Nothing connects before the first use.

    Raises BadSettings for an address that cannot be read. The first use raises it for the target of a move that is not
    complete, unless it may be `incomplete`.
    """
    database = Database(address, incomplete=incomplete)
    log, profiles, leases = PostgresLog(database), PostgresProfiles(database), PostgresLeases(database)
    ledger, projections, pictures = PostgresLedger(database), PostgresProjections(database), PostgresPictures(database)
    archive = PostgresArchive(database, clock_ms, days=archive_days, most_bytes=archive_bytes)

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

    return Storage(
        log=log,
        profiles=profiles,
        catalog=PostgresCatalog(database, projections.step_catalog),
        sources=PostgresSenders(database),
        polls=PostgresPolls(database),
        conversions=PostgresConversions(database),
        report_cache=PostgresReportCache(database),
        projections=projections,
        ledger=ledger,
        archive=archive,
        exposures=PostgresExposures(database, ledger.decisions, ledger.writer),
        memberships=PostgresMemberships(database),
        pictures=pictures,
        sessions=PostgresSessions(database),
        challenges=PostgresChallenges(database),
        accounts=PostgresAccounts(database),
        api_tokens=PostgresApiTokens(database),
        audit_log=PostgresAuditLog(database),
        leases=leases,
        content=PostgresContent(database),
        drafts=PostgresDrafts(database),
        uploads=PostgresUploads(database),
        secrets=PostgresSecrets(database),
        inspection=PostgresInspection(database),
        crowd=partial(open_crowd_log, address),
        start=database.start,
        writable=database.writable,
        lost=lost,
        ended=ended,
        close=close,
    )


def open_moving(address: str) -> PostgresMoving:
    """Return all data of a database, for a move. Nothing connects before the first use. Raises BadSettings."""
    return PostgresMoving(address)


def holds_storage(address: str) -> bool:
    """Return True: whether the database has the tables shows when a command reads it. Raises BadSettings."""
    return bool(Address(address))
