"""Address: the parts of a database's address, with the replicas that it names."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from wetink.core.errors import BadSettings
from wetink.telemetry.metrics import REPLICA_READS

CONNECTIONS = 10
"""Most connections of one process; `?connections=` in the address sets another number."""
STALENESS = 10
"""How many seconds a replica may be behind; `?staleness=` sets another number."""
MOST_REPLICAS = len(REPLICA_READS)


class Address:
    """The parts of `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?connections=10&pooler=transaction&replicas=HOST:PORT`.

    With `pooler=transaction`, statements are not prepared on the server, as PgBouncer's transaction mode needs.
    `replicas` has the address of each replica by its host.
    """

    def __init__(self, text: str) -> None:
        """Read an address. Raises BadSettings."""
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        connections, pooler = options.pop("connections", str(CONNECTIONS)), options.pop("pooler", "")
        copies, staleness = options.pop("replicas", ""), options.pop("staleness", str(STALENESS))
        if not parts.path.strip("/") or parts.scheme not in ("postgresql", "postgres"):
            raise _bad(f"{_public(text)!r} names no database", "write postgresql://USER@HOST/DATABASE")
        if not connections.isdecimal() or not 2 <= int(connections) <= 1000:
            raise _bad(f"connections={connections[:20]!r} is not a number from 2 to 1000", "leave it out for 10")
        if pooler not in ("", "transaction"):
            raise _bad(f"pooler={pooler[:20]!r} is unknown", "write pooler=transaction behind PgBouncer")
        if not staleness.isdecimal() or not 1 <= int(staleness) <= 3600:
            raise _bad(f"staleness={staleness[:20]!r} is not a number of seconds from 1 to 3600", "leave it out for 10")
        user, at, _ = parts.netloc.rpartition("@")
        own = {"connections": connections, **({"pooler": pooler} if pooler else {}), **options}
        own.pop("target_session_attrs", "")  # a replica takes no writes
        self.replicas: dict[str, str] = {}
        for host in filter(None, copies.split(",")):
            copy = parts._replace(netloc=f"{user}{at}{host}", query=urlencode(own))
            if not _is_host(copy.netloc):
                raise _bad(f"replicas={host[:50]!r} is not a host", "write replicas=HOST:PORT,HOST:PORT")
            self.replicas[host] = urlunsplit(copy)
        if len(self.replicas) > MOST_REPLICAS:
            raise _bad(f"replicas names {len(self.replicas)} hosts", f"name at most {MOST_REPLICAS}")
        self.staleness = int(staleness)
        self.dsn = urlunsplit(parts._replace(query=urlencode(options)))
        self.connections, self.pooled = int(connections), pooler == "transaction"


def _is_host(netloc: str) -> bool:
    try:
        parts = urlsplit(f"//{netloc}")
        return bool(parts.hostname) and parts.port != 0 and not set(netloc.rpartition("@")[2]) & set("/?# ")
    except ValueError:
        return False


def _public(text: str) -> str:
    """Return an address without its password.

    >>> _public("postgresql://ida:secret@db.example/wetink")
    'postgresql://ida:***@db.example/wetink'
    """
    parts = urlsplit(text)
    place = f":{parts.password}@"
    return text.replace(place, ":***@", 1) if parts.password else text


def _bad(message: str, hint: str) -> BadSettings:
    return BadSettings(f"WETINK_STORE: {message}", hint=hint, where="WETINK_STORE")
