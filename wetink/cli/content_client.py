"""Desk: content with its versions, of a data folder here or of a server over HTTP."""

import asyncio
import getpass
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from wetink.content.versions import Pushed
from wetink.core.errors import BadSettings, Conflict, NotFound, Unauthorized, Unavailable, WetinkError
from wetink.ports.content import Version
from wetink.wiring import Wetink

SECONDS = 60.0


class Desk(Protocol):
    """Where content is pulled from and pushed to."""

    async def current(self) -> tuple[Version, dict[str, bytes]]:
        """Return the version that stands, with its files."""
        ...

    async def push(self, files: Mapping[str, bytes], base: int | None, message: str) -> Pushed:
        """Put these files in its place. Raises Conflict."""
        ...

    async def listed(self) -> list[Version]:
        """Return all versions, the newest first."""
        ...

    async def rollback(self, number: int) -> Pushed:
        """Let an earlier version stand again. Raises NotFound."""
        ...


class Here:
    """The content of a data folder on this machine."""

    def __init__(self, wetink: Wetink) -> None:
        self._versions = wetink.versions

    async def current(self) -> tuple[Version, dict[str, bytes]]:
        return await self._versions.read()

    async def push(self, files: Mapping[str, bytes], base: int | None, message: str) -> Pushed:
        return await self._versions.push(files, base, by=who(), message=message, now=_now())

    async def listed(self) -> list[Version]:
        return await self._versions.listed()

    async def rollback(self, number: int) -> Pushed:
        return await self._versions.rollback(number, by=who(), now=_now())


class Afar:
    """The content of a server."""

    def __init__(self, address: str, token: str) -> None:
        """Ask the server at `address` with the token of its dashboard. Raises BadSettings."""
        if not address.startswith(("http://", "https://")):
            raise BadSettings(f"--to: {address!r} is not an http(s) URL")
        if not token:
            raise BadSettings("--to needs the dashboard's token", hint="set WETINK_TOKEN, or pass --token")
        self._address, self._token = address.rstrip("/"), token

    async def current(self) -> tuple[Version, dict[str, bytes]]:
        said = await self._ask("/api/content")
        return msgspec.convert(said["version"], Version), msgspec.convert(said["files"], dict[str, bytes])

    async def push(self, files: Mapping[str, bytes], base: int | None, message: str) -> Pushed:
        sent = {"files": dict(files), "base": base, "by": who(), "message": message}
        return msgspec.convert(await self._ask("/api/content", sent), Pushed)

    async def listed(self) -> list[Version]:
        return msgspec.convert(await self._ask("/api/content/versions"), list[Version])

    async def rollback(self, number: int) -> Pushed:
        return msgspec.convert(await self._ask("/api/content/rollback", {"version": number, "by": who()}), Pushed)

    async def _ask(self, path: str, sent: Any = None) -> Any:
        return await asyncio.to_thread(self._asked, path, sent)

    def _asked(self, path: str, sent: Any) -> Any:
        body = msgspec.json.encode(sent) if sent is not None else None
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._address + path, body, headers)  # noqa: S310 (http(s) only, see above)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = _read(error.read())
            if error.code == 422:
                return said
            told = said.get("error", {}) if isinstance(said.get("error"), dict) else {}
            kinds: dict[int, type[WetinkError]] = {401: Unauthorized, 404: NotFound, 409: Conflict}
            kind = kinds.get(error.code, Unavailable)
            raise kind(
                told.get("message") or f"{self._address} answered {error.code}", hint=told.get("hint", "")
            ) from None
        except (OSError, ValueError) as error:
            raise Unavailable(f"{self._address} does not answer: {error}") from error


def who() -> str:
    """Return the name of whoever works at this terminal."""
    try:
        return os.environ.get("WETINK_AUTHOR") or getpass.getuser()
    except (KeyError, OSError):
        return ""


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _now() -> int:
    return time.time_ns() // 1_000_000
