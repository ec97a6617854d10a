"""What wetink would make of messages, without a server."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from wetink.apps import load as apps
from wetink.cli.common import JSON, now_ms, settings_of
from wetink.content.folder import load
from wetink.core.mapping import Mappings
from wetink.core.placeholder import Placeholders
from wetink.ingest import check_line


@click.command()
@click.argument("file", type=click.File("rb", lazy=False), default="-")
@click.option(
    "--content",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="By the mappings of this content folder.",
)
@click.option("--source", default="check", metavar="NAME", help="As of this source, whose mappings those are.")
@JSON
def check(file: BinaryIO, content: Path | None, source: str, as_json: bool) -> None:
    """Say what wetink would make of messages, one JSON message a line, without a server.

    FILE is a file's name, or - for the standard input. Each message gets a verdict: usable, unusable (stored, but
    something that Signals needs is missing) or parked (kept, but in nobody's profile), with the remedy.
    """
    mappings = None
    if content is not None:
        read = load(content, apps())
        mappings = Mappings(read.mappings)
        for problem in (each for each in read.problems if each.startswith("mappings/")):
            click.echo(f"! {problem}", err=True)
    known = Placeholders(settings_of().placeholders)
    for line in _lines(file):
        found = check_line(line, now_ms(), mappings, source, known)
        if as_json:
            click.echo(msgspec.json.encode(found).decode())
            continue
        click.echo(f"{found['verdict']:9} {found['event'] or '-'}  {found['messageId'] or '-'}")
        for problem in found["problems"]:
            click.echo(f"          {problem['property'] or problem['code']}: {problem['hint']}")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    lines: Iterable[bytes] = file
    for line in lines:
        if line.strip():
            yield line
