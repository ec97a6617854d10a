"""Client: the versions of the content of a server, over HTTP."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import msgspec

from wetink.content.tree import Tree, check_paths, check_size
from wetink.content.versions import Pushed
from wetink.core.errors import BadSettings, Conflict, NotFound, Unauthorized, Unavailable, WetinkError
from wetink.ports.content import Version

SECONDS = 60.0


class RemoteVersions:
    """Versions on a server, with the methods of `content.versions.Versions`. The server uses its own clock."""

    def __init__(self, address: str, token: str) -> None:
        """Use the server at `address` with the token of its dashboard. Raises BadSettings."""
        if not address.startswith(("http://", "https://")):
            raise BadSettings(f"--to: {address!r} is not an http(s) URL")
        if not token:
            raise BadSettings("--to needs the dashboard's token", hint="set WETINK_TOKEN, or pass --token")
        self._address, self._token = address.rstrip("/"), token

    async def read(self) -> tuple[Version, dict[str, bytes]]:
        reply = await self._ask("/api/content")
        files = msgspec.convert(reply["files"], dict[str, bytes])
        check_paths(files)  # they will be written to a folder on this machine
        check_size(files)
        return msgspec.convert(reply["version"], Version), files

    async def push(self, tree: Tree, base: int | None, *, by: str, message: str, now: int) -> Pushed:
        sent = {"files": dict(tree), "base": base, "by": by, "message": message}
        return msgspec.convert(await self._ask("/api/content", sent), Pushed)

    async def listed(self) -> list[Version]:
        return msgspec.convert(await self._ask("/api/content/versions"), list[Version])

    async def rollback(self, number: int, *, by: str, now: int) -> Pushed:
        return msgspec.convert(await self._ask("/api/content/rollback", {"version": number, "by": by}), Pushed)

    async def _ask(self, path: str, sent: Any = None) -> Any:
        return await asyncio.to_thread(self._request, path, sent)

    def _request(self, path: str, sent: Any) -> Any:
        body = msgspec.json.encode(sent) if sent is not None else None
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._address + path, body, headers)  # noqa: S310 (http(s) only, see above)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            reply = _read(error.read())
            if error.code == 422:
                return reply
            details = reply.get("error", {}) if isinstance(reply.get("error"), dict) else {}
            kinds: dict[int, type[WetinkError]] = {401: Unauthorized, 404: NotFound, 409: Conflict}
            kind = kinds.get(error.code, Unavailable)
            raise kind(
                details.get("message") or f"{self._address} answered {error.code}", hint=details.get("hint", "")
            ) from None
        except (OSError, ValueError) as error:
            raise Unavailable(f"{self._address} does not answer: {error}") from error


def _read(body: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(body)
    except ValueError:
        return {}
    return reply if isinstance(reply, dict) else {}
