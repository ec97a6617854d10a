"""The command that examines a wetink."""

import asyncio
import sys

import click

from wetink import doctor as examination
from wetink.cli.common import DATA, JSON, now_ms, print_json, there
from wetink.core.errors import WetinkError
from wetink.insights.findings import Finding, worst
from wetink.wiring import Wetink

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red"), "repaired": ("+", "cyan")}


@click.command()
@click.option("--repair", is_flag=True, help="Derive wrong data again from the messages.")
@click.option("--sample", default=1_000, show_default=True, metavar="N", help="Derived items of each kind to compare.")
@click.option("--all", "whole", is_flag=True, help="Compare all derived data.")
@DATA
@JSON
def doctor(repair: bool, sample: int, whole: bool, data: str | None, as_json: bool) -> None:
    """Check disk, clock, keys, content, feeds, the store and drawing.

    Also derives a sample of identities, catalog and conversions again from the messages, and compares it with what is
    stored. You can run it next to a server. Prints each problem with its remedy. Exits with 1
    if a problem remains, else with 0.
    """
    settings = there(data)
    found: list[Finding] = []

    async def run() -> None:
        try:
            async with Wetink(settings, draws=False) as wetink:
                limit = None if whole else sample
                async for finding in examination.examine(wetink, now_ms(), sample=limit, repair=repair):
                    found.append(finding)
                    if not as_json:
                        _show(finding)
        except WetinkError as error:
            found.append(examination.unopened(error))
            if not as_json:
                _show(found[-1])

    asyncio.run(run())
    if as_json:
        print_json(found)
    sys.exit(1 if worst(found) == "problem" else 0)


def _show(finding: Finding) -> None:
    mark, color = MARKS[finding.state]
    click.echo(f"{click.style(mark, fg=color)} {finding.check:11} {finding.text}")
    if finding.remedy:
        click.echo(f"  {'':11} → {finding.remedy}")
