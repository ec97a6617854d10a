"""SDK: the settings and the script that browser and mobile SDKs load before they send events.

GET /v1/projects/{writeKey}/settings, /projects/… and /sourceConfig/ return settings. GET
/analytics.js/v1/{writeKey}/analytics.min.js returns the SDK that the classic snippet loads.
"""

import gzip
import re
from collections.abc import MutableMapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from wetink.core.errors import NotFound
from wetink.ports import Source
from wetink.web.protocol import Header

Scope = MutableMapping[str, Any]

_PATHS = re.compile(
    r"(?:/v1)?/projects/(?P<settings>[^/]+)/settings"
    r"|/analytics\.js/v1/(?P<library>[^/]+)/(?:platform/)?analytics(?:\.min)?\.js"
)
SOURCE_CONFIG = "/sourceConfig"
JSON: Header = (b"content-type", b"application/json")
FRESH: Header = (b"cache-control", b"no-cache")
SCRIPT: tuple[Header, ...] = (
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", b"public, max-age=300"),
    (b"vary", b"accept-encoding"),
)


def asks(path: str) -> bool:
    """Return whether an SDK loads this path."""
    return path == SOURCE_CONFIG or _PATHS.fullmatch(path) is not None


def key_in(path: str) -> str:
    """Return the write key in an SDK's path; empty without one."""
    found = _PATHS.fullmatch(path)
    return unquote(found["settings"] or found["library"]) if found is not None else ""


def answer(
    path: str, key: str, source: Source, scope: Scope, headers: dict[bytes, bytes]
) -> tuple[bytes, tuple[Header, ...]]:
    """Return body and headers of the answer to an SDK with this key. Raises NotFound for a script that is not built."""
    if path == SOURCE_CONFIG:
        return _source_config(key, source), (JSON, FRESH)
    if path.endswith("/settings"):
        return _settings(key, scope, headers), (JSON, FRESH)
    packed = b"gzip" in headers.get(b"accept-encoding", b"")
    return library(packed=packed), (*SCRIPT, (b"content-encoding", b"gzip")) if packed else SCRIPT


def _settings(key: str, scope: Scope, headers: dict[bytes, bytes]) -> bytes:
    """Return the settings (JSON) with which Segment's browser and mobile SDKs send their events here."""
    host = headers.get(b"host", b"").decode("latin-1")
    scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1") or scope.get("scheme", "http")
    destination: dict[str, Any] = {"apiKey": key, "apiHost": f"{host}/v1", "versionSettings": {"componentTypes": []}}
    if scheme == "http":
        destination["protocol"] = "http"
    return msgspec.json.encode(
        {
            "integrations": {"Segment.io": destination},
            "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
            "edgeFunction": {},
        }
    )


def _source_config(key: str, source: Source) -> bytes:
    """Return the configuration (JSON) with which RudderStack's browser SDK sends its events here."""
    return msgspec.json.encode(
        {
            "source": {
                "id": source.name,
                "name": source.name,
                "writeKey": key,
                "enabled": True,
                "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
                "destinations": [],
                "workspaceId": "wetink",
            },
            "updatedAt": "2026-01-01T00:00:00.000Z",
        }
    )


FILE = Path(__file__).parent / "static" / "built" / "analytics.js"


@cache
def library(*, packed: bool) -> bytes:
    """Return the SDK as JavaScript, gzipped with `packed`. Raises NotFound if it has not been built."""
    try:
        plain = FILE.read_bytes()
    except OSError as error:
        raise NotFound("the browser SDK has not been built", hint="run make assets") from error
    return gzip.compress(plain, mtime=0) if packed else plain
