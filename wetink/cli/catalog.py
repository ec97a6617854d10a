"""The shop's catalog: commands to import files and to look up products."""

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, iso, print_json, with_wetink
from wetink.core.errors import BadRequest, BadSettings, NotFound
from wetink.core.outbound.feed import DEFAULTS, Feed, Format, Limit
from wetink.core.units.money import money
from wetink.wiring import Wetink

ENDINGS: dict[str, Format] = {
    ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".xml": "merchant", ".tsv": "merchant",
    ".txt": "merchant",
}  # fmt: skip


@click.group()
def catalog() -> None:
    """Import and search products."""


@catalog.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "json", "merchant"]),
    help="Format of FILE.  [default: by extension]",
)
@click.option("--complete", is_flag=True, help="Treat FILE as the full catalog: mark unlisted products as unavailable.")
@click.option("--encoding", default="", metavar="NAME", help="Text encoding of FILE.  [default: UTF-8, or as declared]")
@DATA
@JSON
def import_(file: Path, form: Format | None, complete: bool, encoding: str, data: str | None, as_json: bool) -> None:
    """Import products from FILE into the catalog.

    Reads CSV, JSON lines, JSON and Google Merchant product data (XML or tab-separated), also gzipped. Skips and reports
    rows that it cannot use. You can run it next to a server, whose next open shows the new prices.
    """
    endings = [ending.lower() for ending in file.suffixes if ending.lower() != ".gz"]
    chosen = form or (ENDINGS.get(endings[-1]) if endings else None)
    if chosen is None:
        raise BadRequest(f"{file.name} has an unknown format", hint="pass --format csv, jsonl, …")
    limit = Limit(DEFAULTS["catalog"][0] if chosen != "json" else 0, 5_000_000)
    feed = Feed("import", chosen, encoding=encoding, purpose="catalog", complete=complete, limit=limit)
    try:
        "".encode(encoding or "utf-8")
    except LookupError as error:
        raise BadSettings(f"--encoding: {encoding!r} is unknown") from error
    begun = time.monotonic()
    size = file.stat().st_size
    with click.progressbar(length=size, label=f"Reading {file.name}", file=sys.stderr, show_pos=False) as bar:

        async def work(wetink: Wetink) -> Any:
            return await wetink.catalogs.import_file(file, feed, lambda read: bar.update(read - bar.pos))

        found = with_wetink(data, work, makes=True)
        bar.update(size - bar.pos)
    if as_json:
        return print_json(found)
    seconds = max(time.monotonic() - begun, 0.001)
    click.echo(f"{found.products:,} products in {seconds:.1f} s ({found.products / seconds:,.0f} a second)")
    if found.gone:
        click.echo(f"{found.gone:,} others are gone")
    if found.left_out:
        click.echo(f"{found.left_out:,} rows were left out:")
    for problem in found.problems:
        click.echo(f"  {problem}")
    if found.left_out > len(found.problems):
        click.echo(f"  … and {found.left_out - len(found.problems):,} more")


@catalog.command()
@click.argument("words")
@click.option("--limit", type=click.IntRange(1, 200), default=24, show_default=True, help="Maximum number of results.")
@DATA
@JSON
def search(words: str, limit: int, data: str | None, as_json: bool) -> None:
    """Search products by WORDS in their name, brand or category. Matches the start of each word."""

    async def work(wetink: Wetink) -> Any:
        return await wetink.store.catalog.search(words, limit)

    found = with_wetink(data, work)
    if as_json:
        return print_json(found)
    for product in found:
        price = money(product.price, product.currency)
        click.echo(f"{product.key:20} {price:>14}  {product.name}")
    if not found:
        click.echo("Nothing has these words.")


@catalog.command()
@click.argument("key")
@DATA
@JSON
def show(key: str, data: str | None, as_json: bool) -> None:
    """Show the product with the SKU or product ID KEY, and its price and stock history."""

    async def work(wetink: Wetink) -> Any:
        known = (await wetink.store.catalog.products([key])).get(key)
        return known, (await wetink.store.catalog.changes([key])).get(key, ())

    product, changes = with_wetink(data, work)
    if product is None:
        raise NotFound(f"there is no product {key!r}", hint="wetink catalog search WORDS")
    if as_json:
        return print_json({"product": product, "changes": changes})
    for field, value in msgspec.to_builtins(product).items():
        if field not in ("quantity", "coupon", "position") and value not in (None, ""):
            click.echo(f"{field:13} {value}")
    for change in changes:
        price = money(change.price) or "-"
        stock = f"{change.stock} in stock" if change.stock is not None else change.availability.replace("_", " ")
        click.echo(f"{datetime.fromisoformat(iso(change.at)):%Y-%m-%d %H:%M}  {price:>10}  {stock}")
