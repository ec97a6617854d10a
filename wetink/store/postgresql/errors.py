"""Errors: PostgreSQL's errors as StoreUnavailable."""

import asyncpg

from wetink.core.errors import StoreUnavailable

AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.OutOfMemoryError)
"""Errors of a transaction that may go through when others have ended. The last one means too many locks."""
HINTS = {
    asyncpg.ReadOnlySQLTransactionError: "name the primary in WETINK_STORE or, if the store has moved, the new one",
    asyncpg.OutOfMemoryError: "raise max_locks_per_transaction: see docs/operating.md",
    asyncpg.InvalidCatalogNameError: "create it, or correct WETINK_STORE",
    asyncpg.InvalidAuthorizationSpecificationError: "check the user and the password in WETINK_STORE",
    asyncpg.InsufficientPrivilegeError: "let the user of WETINK_STORE own the database and its tables",
    asyncpg.TooManyConnectionsError: "raise max_connections, or set connections in WETINK_STORE",
    asyncpg.UndefinedObjectError: "check the options of WETINK_STORE",
    asyncpg.DiskFullError: "make room on the disk of the database",
    asyncpg.InvalidSQLStatementNameError: "behind PgBouncer, add pooler=transaction to WETINK_STORE",
    asyncpg.DuplicatePreparedStatementError: "behind PgBouncer, add pooler=transaction to WETINK_STORE",
}
"""The remedies of some errors."""


class translated:
    """Raise StoreUnavailable, with the remedy, for any error of PostgreSQL or its connection inside.

    The texts leave out PostgreSQL's details, which have values of rows.
    """

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        """`doing` names the operation in the error."""
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Replace PostgreSQL's errors."""
        if isinstance(error, asyncpg.PostgresError):
            plain = error.args and not isinstance(error, asyncpg.DataError)  # the text of those has the data
            text = f"{error.args[0] if plain else type(error).__name__} ({error.sqlstate})"
            hint = next((hint for kind, hint in HINTS.items() if isinstance(error, kind)), "see its log")
            raise StoreUnavailable(f"{self._doing}: the database says: {text}", hint=hint) from error
        if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
            raise StoreUnavailable(f"{self._doing}: the database cannot store a value") from error
        if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError | TimeoutError):
            why = str(error) or type(error).__name__
            hint = "check that it runs and that WETINK_STORE names it"
            raise StoreUnavailable(f"{self._doing}: the database cannot be reached: {why}", hint=hint) from error


AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""Errors of a server that does not answer."""


def is_away(error: BaseException | None) -> bool:
    """Return whether an error means that the server does not answer, rather than that it refuses a value."""
    return isinstance(error, AWAY) and not (isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError))
