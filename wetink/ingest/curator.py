"""Curator: writes an operator's word on products as content, with who said it and when."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from msgspec.structs import replace

from wetink.content.author import Author
from wetink.content.content import CATALOG
from wetink.content.strict_yaml import parse_yaml
from wetink.content.versions import Versions
from wetink.core.catalog.curation import LONGEST_REASON, Curation, Word, checked, curation_of, file_of
from wetink.core.errors import BadContent
from wetink.ports.content import digest

LARGEST = 240 * 1024
"""Bytes of the largest file: content files have at most 256 KB."""


class Curator:
    """Corrects, pins and hides products."""

    def __init__(self, author: Author, versions: Versions) -> None:
        """Write `catalog.yaml` by `author`."""
        self._author, self._versions = author, versions

    async def correct(self, key: str, fields: Mapping[str, Any], *, by: str, now: int) -> None:
        """Let these fields of a product stand above events and feeds; none removes its corrections.

        Raises BadContent with the field in `where`, Conflict and Unavailable.
        """
        await self._say(
            key, by, now, f"corrected {key}" if fields else f"removed corrections of {key}", set=checked(fields)
        )

    async def pin(self, key: str, pinned: bool, *, by: str, now: int) -> None:
        """Let a product come first where it may be shown, or end that. Raises Conflict, Unavailable."""
        await self._say(key, by, now, f"{'pinned' if pinned else 'unpinned'} {key}", pinned=pinned)

    async def hide(self, key: str, why: str, *, by: str, now: int) -> None:
        """Never show a product, for this reason; an empty one shows it again.

        Raises BadContent, Conflict and Unavailable.
        """
        if len(why) > LONGEST_REASON:
            raise BadContent(f"at most {LONGEST_REASON} characters", where="why")
        await self._say(key, by, now, f"{'hid' if why else 'showed'} {key}", hidden=why)

    async def _say(self, key: str, by: str, now: int, message: str, **said: Any) -> None:
        _, files = await self._versions.read()
        there = files.get(CATALOG)
        known = curation_of(parse_yaml(there.decode())) if there is not None else Curation()
        moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now)).isoformat(timespec="seconds")
        word = replace(known.products.get(key, Word()), **said, by=by, at=moment)
        document = file_of(Curation({**known.products, key: word}))
        if not document["products"]:
            if there is not None:
                await self._author.delete([CATALOG], by=by, message=message, expected={CATALOG: digest(there)})
            return
        text = yaml.safe_dump(document, sort_keys=True, allow_unicode=True, width=100).encode()
        if len(text) > LARGEST:
            raise BadContent("too many products have corrections", hint="correct them in your feed instead")
        await self._author.save(
            CATALOG, text, by=by, message=message, expected=digest(there) if there is not None else ""
        )
