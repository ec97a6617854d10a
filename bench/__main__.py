"""`python -m bench [--json] [--write] [NAME …]`: measure, print a table."""

import argparse
import sys
import time

import msgspec
from rich.console import Console
from rich.table import Table

from bench import (
    audience,
    cards,
    editor,
    gif,
    ingest,
    latency,
    opens,
    page,
    pages,
    peers,
    pictures,
    postgresql,
    reports,
    roles,
    rule,
    scale,
    stream,
    tracks,
    visible,
    walk,
)
from bench.figure import Figure

SUITES = {
    "audience": audience.measure,
    "rule": rule.measure,
    "ingest": ingest.measure,
    "tracks": tracks.measure,
    "postgresql": postgresql.measure,
    "stream": stream.measure,
    "opens": opens.measure,
    "latency": latency.measure,
    "pictures": pictures.measure,
    "cards": cards.measure,
    "gif": gif.measure,
    "visible": visible.measure,
    "editor": editor.measure,
    "reports": reports.measure,
    "pages": pages.measure,
    "roles": roles.measure,
    "walk": walk.measure,
    "peers": peers.measure,
    "scale": scale.measure,
}


def main() -> None:
    """Run the suites that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help='print a list of {"name", "ratio", "goal"}')
    parser.add_argument("--write", action="store_true", help=f"write {page.PATH}, of {', '.join(page.SHOWN)}")
    parser.add_argument("suites", nargs="*", metavar="NAME", help=f"of {', '.join(SUITES)}; by default all")
    given = parser.parse_args()
    unknown = set(given.suites) - set(SUITES)
    if unknown:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    found: dict[str, list[Figure]] = {}
    begun = time.monotonic()
    for name in given.suites or (page.SHOWN if given.write else SUITES):
        print(f"{time.monotonic() - begun:4.0f} s: measuring {name} …", file=sys.stderr, flush=True)
        found[name] = SUITES[name]()
    if given.write:
        page.write(found)
    figures = [figure for some in found.values() for figure in some]
    if given.json:
        print(
            msgspec.json.encode(
                [{"name": f.name, "ratio": round(f.ratio, 3), "goal": f.goal} for f in figures]
            ).decode()
        )
        return
    table = Table("figure", "ratio", "goal", "", "measured")
    for figure in figures:
        reached = figure.ratio >= figure.goal
        table.add_row(
            figure.name,
            f"{figure.ratio:.2f}",
            f"{figure.goal:.2f}",
            "yes" if reached else "NO",
            figure.told,
            style="" if reached else "bold",
        )
    Console().print(table)


main()
