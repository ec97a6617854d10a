"""Page: the figures as `docs/performance.md`, with the machine they were measured on."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.figure import Figure
from wetink import __version__

PATH = Path("docs/performance.md")
HEAD = """# Performance

`python -m bench --write` measures everything on this page and writes it. Each figure is a ratio to a reference of the
same run on the same cores, so that you can compare machines and versions: at or above the goal is good. The seconds and
rates beside it are those of one machine and one run.

"""
TITLES = {
    "latency": "How long each endpoint takes",
    "visible": "From an acknowledged event to the next open",
    "tracks": "Single messages",
    "ingest": "Batches",
    "postgresql": "PostgreSQL beside SQLite",
    "stream": "A stream in front of the store",
    "opens": "Opens",
    "pictures": "Pictures beside Chromium",
    "cards": "Pictures beside satori and resvg",
    "gif": "Moving pictures",
    "rule": "Rules",
    "audience": "Audiences",
    "reports": "Reports and experiments",
    "peers": "Beside unleash-server",
    "roles": "A process for each role",
    "scale": "Predicted and measured costs on PostgreSQL",
    "walk": "Files that one message and one open pass through",
}


def write(found: Mapping[str, Sequence[Figure]]) -> None:
    """Write the page with the figures of each suite."""
    PATH.write_text(HEAD + machine() + "".join(_section(name, figures) for name, figures in found.items()), "utf-8")


def machine() -> str:
    """Return a sentence about the machine, the day and the versions."""
    cores, gigabytes = len(os.sched_getaffinity(0)), psutil.virtual_memory().total / 1e9
    day = datetime.now(UTC).date()  # noqa: TID251 (the day of the run)
    return (
        f"Measured on {day:%B} {day.day}, {day.year} with wetink {__version__} and Python {platform.python_version()}, "
        f"on {cores} shared virtual cores ({_processor()}) with {gigabytes:.0f} GB of memory.\n"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _section(name: str, figures: Sequence[Figure]) -> str:
    rows = [f"| {each.name} | {each.ratio:.2f} | {each.goal:.2f} | {each.told} |\n" for each in figures]
    return f"\n## {TITLES[name]}\n\n| Figure | Ratio | Goal | Measured |\n| --- | --- | --- | --- |\n{''.join(rows)}"
