"""Page: the figures as `docs/performance.md`, with the machine they were measured on and how to measure them again."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import psutil

from bench.figure import Figure
from wetink import __version__

PATH = Path("docs/performance.md")
PEERS = Path("bench/peers/package.json")
HEAD = """# Performance

{machine}

`python -m bench --write` measured everything on this page and wrote it. To compare, run it on your machine. It takes
about an hour, and needs a machine that does nothing else:

```sh
make bench-page
```

Everything runs on this one machine. A server has one core and its clients the other, unless a section says otherwise.
Times include HTTP over loopback.

A **ratio** compares with a reference of the same minute on the same cores, so it says more about another machine than
times and rates do. 2.0 means twice as fast as the reference, or half of its memory.
"""
WIDTH = 130


class Section(NamedTuple):
    """The title of a suite's section, and its introduction."""

    title: str
    text: str


SHOWN: Mapping[str, Section] = {
    "latency": Section(
        "Response times",
        """One server process over 10,000 profiles with 50 events each, asked by one connection, and by
        sixteen that never pause, so that its core is always busy. Messages are on disk before the answer. An
        open that is not answered within the deadline of 700 ms gets a fallback. Everybody opens for the first
        time, except for the picture that was drawn before.""",
    ),
    "visible": Section(
        "From an event to the next open",
        """A message is acknowledged, and then an email is opened: as often as not, the other of two processes
        answers. Other messages come in meanwhile.""",
    ),
    "pages": Section(
        "Pages of the dashboard",
        """Every page of the dashboard over a shop of 1,000,000 profiles with 4,000,000 messages, 1,500,000 opens and
        clicks and 90,000 orders of 90 days. The time is the median of 20 requests, one at a time. Each page was read
        once before, and the worker had summed up the orders of each day. KB are the page compressed, alone and with
        its styles and scripts. The goals are 100 ms and 150 KB.""",
    ),
    "peers": Section(
        "Beside unleash-server",
        """A feature flag server evaluates rules for one person in one request, as an open does. Its five
        flags are on for a segment, with two conditions on values that the request brings along. wetink reads
        the person's last 90 days from its store, and evaluates five rules about them. Each has one core, and
        32 connections ask. Single messages, on disk before the answer, are beside reports of metrics, which
        unleash-server counts in memory.""",
    ),
    "cards": Section(
        "Pictures beside satori and resvg",
        """satori and resvg draw HTML as pictures in Node.js. Both sides get the photos' bytes and return a
        finished file, turn by turn on one core: wetink a JPEG, satori with resvg a PNG.""",
    ),
    "pictures": Section(
        "Pictures beside Chromium",
        """The same HTML with three photos, 600 by 300 pixels at twice the density, beside screenshots of a
        warm browser, turn by turn on one core.""",
    ),
    "editor": Section(
        "The block editor",
        """From a keystroke in the editor to the new picture on its page, in Chromium. Each keystroke is saved as
        a draft, decided and drawn, for a block whose picture was drawn before. The browser has one core and the
        server the other.""",
    ),
    "gif": Section(
        "Animated countdowns",
        """A countdown of 60 frames, made at the moment of the open, beside the quickest way with Pillow.""",
    ),
    "tracks": Section(
        "Single messages",
        """64 connections send one message with each request to a process for each core. Messages are on disk
        before the answer. The reference is the same server when it only decodes them.""",
    ),
    "ingest": Section(
        "Batches",
        """Batches of 500 KB, on disk before the answer. The reference is a loop without a server that writes
        the same rows.""",
    ),
    "stream": Section(
        "A stream in front of the store",
        """Three NATS servers on this machine, each writing to the disk before it answers, beside SQLite, by the
        time of all cores for each message.""",
    ),
    "postgresql": Section(
        "PostgreSQL beside SQLite",
        """The same messages and opens with both stores, by the time of all cores, the database's included. What
        larger shops need is on the page [scale](scale.md).""",
    ),
}
"""What the page has by default, in its order."""


def write(found: Mapping[str, Sequence[Figure]]) -> None:
    """Write the page with the figures of each suite."""
    head = HEAD.format(machine=fill(machine(), WIDTH))
    PATH.write_text(head + "".join(section(name, figures) for name, figures in found.items()), "utf-8")


def machine() -> str:
    """Return a sentence about the machine, the day and the versions."""
    cores, gigabytes = len(os.sched_getaffinity(0)), psutil.virtual_memory().total / 1e9
    day = datetime.now(UTC).date()  # noqa: TID251 (the day of the run)
    peers = json.loads(PEERS.read_text("utf-8"))["dependencies"]
    named = ", ".join(f"{name} {peers[name]}" for name in ("unleash-server", "satori", "@resvg/resvg-js"))
    return (
        f"Measured on {day:%B} {day.day}, {day.year}, on {cores} shared virtual cores ({_processor()}) with "
        f"{gigabytes:.0f} GB of memory: wetink {__version__} on Python {platform.python_version()}, {named}."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def section(name: str, figures: Sequence[Figure]) -> str:
    """Return a section whose table has the columns of its figures, or those that every figure has."""
    title, text = SHOWN.get(name, Section(name.capitalize(), ""))
    rows = [each.cells or _general(each) for each in figures]
    head = [list(rows[0]), ["---", *["--:"] * (len(rows[0]) - 1)]]
    lines = [*head, *(list(row.values()) for row in rows)]
    table = "".join(f"| {' | '.join([cells[0][:1].upper() + cells[0][1:], *cells[1:]])} |\n" for cells in lines)
    return f"\n## {title}\n\n{_filled(text)}{table}"


def _general(figure: Figure) -> Mapping[str, str]:
    cells = figure.name.partition(": ")[2], figure.told, f"{figure.ratio:.2f}", f"{figure.goal:.2f}"
    return dict(zip(("figure", "measured", "ratio", "goal"), cells, strict=True))


def _filled(text: str) -> str:
    return fill(" ".join(text.split()), WIDTH) + "\n\n" if text else ""
