"""Place: the location and the network owner of an IP address, from files that the operator supplies.

The files are in the MaxMind DB format (version 2.0 of its public specification), such as those of GeoLite2, DB-IP and
IPinfo. The makers' layouts differ, so each fact is looked up in all places where a maker stores it.
"""

import ipaddress
import logging
from collections.abc import Callable, Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb
import msgspec

from wetink.core.errors import BadSettings

logger = logging.getLogger(__name__)


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """The location of an open, as far as the files have it. A field without data is empty."""

    country: str = ""
    """Two capital letters (ISO 3166)."""
    region: str = ""
    """State or province, in English."""
    city: str = ""
    """In English."""
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str = ""
    """IANA name, such as `Europe/Berlin`."""
    owner: str = ""
    """Organization that runs the network."""


NOWHERE = Place()

PROBES = ("1.1.1.1", "2606:4700::1111")
"""Addresses looked up at startup, to find a badly damaged file."""

Steps = tuple[str | int, ...]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _country(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) and len(value) == 2 and value.isascii() else None


def _degrees(most: float) -> Callable[[Any], float | None]:
    def read(value: Any) -> float | None:
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                return None
        known = isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most
        return float(value) if known else None

    return read


FIELDS: tuple[tuple[str, Callable[[Any], Any], tuple[Steps, ...]], ...] = (
    ("country", _country, (("country", "iso_code"), ("country_code",), ("country",))),
    ("region", _text, (("subdivisions", 0, "names", "en"), ("state1",), ("region",))),
    ("city", _text, (("city", "names", "en"), ("city",))),
    ("latitude", _degrees(90), (("location", "latitude"), ("latitude",), ("lat",))),
    ("longitude", _degrees(180), (("location", "longitude"), ("longitude",), ("lng",))),
    ("time_zone", _text, (("location", "time_zone"), ("timezone",))),
    ("owner", _text, (("autonomous_system_organization",), ("as_name",), ("organization",))),
)
"""Fields of Place, each with its reader and its paths in a record. The first readable value counts."""


class Places:
    """Looks addresses up in up to two files. Either may have any of the facts."""

    def __init__(self, city: Path | None, asn: Path | None, proxies: Collection[str] = ()) -> None:
        """Open the files; a missing one is skipped. Raises BadSettings for one that cannot be read.

        `proxies` are the addresses and networks (`10.0.0.0/8`) whose X-Forwarded-For header is trusted.
        """
        self._proxies = frozenset(each for each in proxies if "/" not in each)
        self._networks = tuple(ipaddress.ip_network(each, strict=False) for each in proxies if "/" in each)
        named = ((city, "geoip_city"), (asn, "geoip_asn"))
        self._files = [(path, _opened(path, name)) for path, name in named if path is not None and _there(path)]
        self.known = bool(self._files)
        """Whether there is a file: without one, all places are empty."""
        self._damaged: set[Path] = set()

    def of(self, address: str) -> Place:
        """Return the place of an IP address; an empty place for an address that is not public. Never raises."""
        public = _public(address)
        if public is None:
            return NOWHERE
        known: dict[str, Any] = {}
        for path, file in self._files:
            record = self._record(path, file, public)
            if record:
                known = {**_read(record), **known}
        return Place(**known) if known else NOWHERE

    def of_request(self, client: str, forwarded: str) -> Place:
        """Return the place of a request: of `client`, or of the client that trusted proxies report."""
        return self.of(self.origin_of(client, forwarded))

    def origin_of(self, client: str, forwarded: str) -> str:
        """Return the client's address of a request: `client`, or the one that trusted proxies report."""
        if not self._trusts(client):
            return client
        hops = [client, *(hop.strip() for hop in reversed(forwarded.split(",")))]
        return next((hop for hop in hops if not self._trusts(hop)), client)

    def _trusts(self, address: str) -> bool:
        if address in self._proxies or not self._networks:
            return address in self._proxies
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)

    def close(self) -> None:
        """Close the files. Every place is empty from then on."""
        files, self._files = self._files, []
        for _, file in files:
            file.close()

    def _record(self, path: Path, file: maxminddb.Reader, public: str) -> Any:
        if ":" in public and file.metadata().ip_version == 4:
            return None
        try:
            return file.get(public)
        except Exception as error:
            # Damage inside a file shows only where a lookup meets it. It is logged once, without the address.
            if path not in self._damaged:
                self._damaged.add(path)
                logger.error("%s is damaged (%s): some places stay empty", path, type(error).__name__)
            return None


def _there(path: Path) -> bool:
    if path.exists():
        return True
    logger.warning("there is no GeoIP file %s: places stay empty", path)
    return False


def _opened(path: Path, setting: str) -> maxminddb.Reader:
    hint = "download it again, or leave the setting out"
    try:
        file = maxminddb.open_database(path)
    except (maxminddb.InvalidDatabaseError, OSError, ValueError) as error:
        problem = f"WETINK_{setting.upper()}: {path} is not a MaxMind DB file: {error}"
        raise BadSettings(problem, hint=hint, where=str(path)) from error
    try:
        for probe in PROBES[: 2 if file.metadata().ip_version == 6 else 1]:
            file.get(probe)
    except Exception as error:
        file.close()
        raise BadSettings(
            f"WETINK_{setting.upper()}: {path} is damaged: {error}", hint=hint, where=str(path)
        ) from error
    return file


@lru_cache(maxsize=4_096)
def _public(address: str) -> str | None:
    try:
        public = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    if isinstance(public, ipaddress.IPv6Address) and public.ipv4_mapped is not None:
        public = public.ipv4_mapped
    return str(public) if public.is_global else None


def _read(record: Any) -> dict[str, Any]:
    found = {}
    for name, read, paths in FIELDS:
        value = next((value for path in paths if (value := read(_at(record, path))) is not None), None)
        if value is not None:
            found[name] = value
    return found


def _at(record: Any, path: Steps) -> Any:
    for step in path:
        if isinstance(step, int):
            record = record[step] if isinstance(record, list) and len(record) > step else None
        else:
            record = record.get(step) if isinstance(record, dict) else None
    return record
