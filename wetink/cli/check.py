"""Checks of messages and of blocks, without sending anything."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from wetink.apps import load as apps
from wetink.cli.common import DATA, JSON, catch_up, now_ms, print_json, settings_of, with_wetink
from wetink.content.content import load
from wetink.content.tree import read_tree
from wetink.core.errors import BadRequest
from wetink.core.messages.mapping import Mappings
from wetink.core.profile.person import Moment
from wetink.core.text.placeholder import Placeholders
from wetink.ingest.receive import check_body
from wetink.wiring import Wetink

GZIP = b"\x1f\x8b"


@click.command()
@click.argument("file", type=click.File("rb", lazy=False), default="-")
@click.option(
    "--content",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Apply the mappings of this content folder.",
)
@click.option("--source", default="check", metavar="NAME", help="Apply the mappings of this source.")
@JSON
def check(file: BinaryIO, content: Path | None, source: str, as_json: bool) -> None:
    """Validate messages without a server.

    FILE contains JSON messages, one per line, a JSON array, or the body of a batch, also gzipped; - is stdin. Each
    message gets a verdict and a fix: usable, unusable (stored, but lacks fields that Signals needs) or parked (stored,
    but in no profile). Exits with 1 if a message is not usable or if there are no messages.
    """
    mappings = None
    if content is not None:
        read = load(read_tree(content), apps())
        mappings = Mappings(read.mappings)
        for problem in (each for each in read.problems if each.startswith("mappings/")):
            click.echo(f"! {problem}", err=True)
        for note in (each for each in read.notes if each.startswith("mappings/")):
            click.echo(f"~ {note}", err=True)
    known = Placeholders(settings_of().placeholders)
    usable, checked = 0, 0
    for body in _bodies(file):
        for found in check_body(body, now_ms(), mappings, source, known):
            checked += 1
            usable += found["verdict"] == "usable"
            if as_json:
                print_json(found)
                continue
            click.echo(f"{found['verdict']:9} {found['event'] or '-'}  {found['messageId'] or '-'}")
            for problem in found["problems"]:
                click.echo(f"          {problem['property'] or problem['code']}: {problem['hint']}")
    if not checked:
        click.echo("there is no message to check", err=True)
    if not checked or usable < checked:
        sys.exit(1)


def _bodies(file: BinaryIO) -> Iterator[bytes]:
    """Yield the JSON values of a file: one in each line, or one value over many lines."""
    stream: Any = io.BufferedReader(file)
    try:
        yield from _values(gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == GZIP else stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadRequest(f"the file cannot be unpacked: {error}") from error
    finally:
        stream.detach()  # the caller closes the file that it opened


def _values(file: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    first = next((line for line in file if line.strip(b"\xef\xbb\xbf \t\r\n")), b"").removeprefix(b"\xef\xbb\xbf")
    if _is_json(first):
        yield first
        yield from (line for line in file if line.strip())
        return
    rest = file.read()
    if _is_json(whole := first + rest):
        yield whole
    else:
        yield from (line for line in whole.splitlines() if line.strip())


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


@click.command()
@click.argument("block")
@DATA
@JSON
def coverage(block: str, data: str | None, as_json: bool) -> None:
    """Check BLOCK against your most recent profiles: what each would see, and which template values are missing."""

    async def work(wetink: Wetink) -> Any:
        await catch_up(wetink, block)
        return await wetink.audit.coverage(wetink.content, wetink.content.block(block), Moment(now_ms()))

    found = with_wetink(data, work)
    if as_json:
        return print_json(found)
    for group in found.groups:
        click.echo(
            f"{group.people:6} of {found.people}  {group.variant or 'fallback'}{f': {group.why}' if group.why else ''}"
        )
    for lack in found.lacking:
        click.echo(f"{lack.people:6} have no {lack.value}{'' if lack.default else ', and its place stays empty'}")
    if not found.people:
        click.echo("Nobody is known yet.")
