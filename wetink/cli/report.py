"""Reports of blocks, attributed conversions, and results of experiments."""

from typing import Any

import click
import msgspec

from wetink.cli.common import DATA, JSON, iso, now_ms, print_json, with_wetink
from wetink.core.signals.attribution import Attribution
from wetink.core.signals.date_range import last_days
from wetink.core.signals.experiment_result import METRICS, Result
from wetink.core.signals.goal import MODELS
from wetink.core.signals.report import DIMENSIONS, Filter, Line, flat, in_currency, table
from wetink.core.units.money import money
from wetink.wiring import Wetink

DAYS = click.option(
    "--days",
    type=click.IntRange(1, 3_660),
    default=14,
    show_default=True,
    help="Number of days up to now, in the shop's time zone.",
)
GOAL = click.option("--goal", default="", metavar="NAME", help="Goal from signals.yaml.  [default: order]")
MODEL = click.option(
    "--model", type=click.Choice(list(MODELS)), help="Attribution model.  [default: from signals.yaml]"
)


@click.command()
@click.option("--block", default="", metavar="NAME", help="Only this block.")
@click.option(
    "--by", type=click.Choice(DIMENSIONS), multiple=True, default=("block",), show_default=True, help="Break down by."
)
@DAYS
@GOAL
@MODEL
@click.option("--currency", default="", metavar="CODE", help="Only revenue in this currency.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@DATA
@JSON
def report(
    block: str,
    by: tuple[str, ...],
    days: int,
    goal: str,
    model: str | None,
    currency: str,
    as_csv: bool,
    data: str | None,
    as_json: bool,
) -> None:
    """Report pictures, opens, clicks, orders and revenue of each block, or by other dimensions."""
    by = tuple(dict.fromkeys(by))

    async def work(wetink: Wetink) -> tuple[list[Line], dict[str, str]]:
        if block:
            wetink.content.block(block)
        span = last_days(days, now_ms(), wetink.content.signals.zone)
        [lines] = await wetink.reports.broken_down(
            wetink.content, span, (by,), Filter(block or None), goal=goal, model=model or ""
        )
        return in_currency(lines, currency.upper()), await wetink.experiments.lifts(wetink.content)

    lines, lifts = with_wetink(data, work)
    if as_csv:
        click.echo(table(lines, by, lifts), nl=False)
    elif as_json:
        print_json([flat(line, lifts) for line in lines])
    else:
        _show([(" / ".join(str(flat(line)[each]) or "-" for each in by), line) for line in lines])


@click.command()
@click.argument("id", required=False)
@DAYS
@GOAL
@MODEL
@DATA
@JSON
def conversions(id: str | None, days: int, goal: str, model: str | None, data: str | None, as_json: bool) -> None:
    """Show conversions and their credited opens and clicks. With an order ID, explain why others get no credit."""

    async def explain(wetink: Wetink, id: str) -> None:
        found = await wetink.reports.explained(wetink.content, id, goal=goal, model=model or "")
        if as_json:
            print_json(found)
        else:
            _tell(found, losses=True)

    async def tell(wetink: Wetink) -> None:
        start = "["
        span = last_days(days, now_ms(), wetink.content.signals.zone)
        async for batch in wetink.reports.attributions(
            wetink.content, span.since, span.end, goal=goal, model=model or ""
        ):
            for each in batch:
                if as_json:
                    click.echo(start + msgspec.json.encode(each).decode(), nl=False)
                    start = ","
                else:
                    _tell(each)
        if as_json:
            click.echo("[]" if start == "[" else "]")

    with_wetink(data, tell if id is None else lambda wetink: explain(wetink, id))


def _tell(found: Attribution, *, losses: bool = False) -> None:
    """Print a conversion with its credits, and with its `losses` if wanted."""
    made = found.conversion
    back = money(made.refunded, made.currency)
    state = " cancelled" if made.cancelled else f" ({back} refunded)" if made.refunded else ""
    click.echo(f"{iso(made.at)}  {made.id}  {money(made.value, made.currency)}{state}  {made.owner}")
    for note in made.notes:
        click.echo(f"  ! {note}")
    for credit in found.credits:
        touch = credit.touch
        click.echo(f"  → {credit.part:.0%} {touch.kind} of {touch.block} at {iso(touch.at)}: {credit.why}")
    if not found.credits:
        click.echo("  → no credit: no eligible open or click before it")
    for loss in found.losses if losses else ():
        click.echo(f"  · {loss.touch.kind} of {loss.touch.block} at {iso(loss.touch.at)}: {loss.why}")


@click.group()
def experiment() -> None:
    """Show experiment results."""


@experiment.command("list")
@DATA
@JSON
def list_(data: str | None, as_json: bool) -> None:
    """List all experiments."""

    async def work(wetink: Wetink) -> Any:
        return [{"name": name, "block": block} for name, (_, block) in wetink.experiments.plans(wetink.content).items()]

    found = with_wetink(data, work)
    if as_json:
        return print_json(found)
    for each in found:
        click.echo(f"{each['name']:24} {each['block'] or 'all blocks'}")


@experiment.command()
@click.argument("name")
@DATA
@JSON
def show(name: str, data: str | None, as_json: bool) -> None:
    """Show the arms of experiment NAME and their lift. Results stay valid however often you check."""

    async def work(wetink: Wetink) -> Result:
        return await wetink.experiments.result(wetink.content, name)

    found = with_wetink(data, work)
    if as_json:
        return print_json(found)
    click.echo(f"{'arm':20} {'people':>9} {'clicked':>9} {'ordered':>9} {'revenue':>14}   only machines")
    for arm in found.arms:
        revenue = money(arm.revenue, found.currency)
        click.echo(f"{arm.arm:20} {arm.people:9,} {arm.clicked:9,} {arm.ordered:9,} {revenue:>14}   {arm.unseen:,}")
    for metric, title in METRICS.items():
        for words in found.words[metric]:
            click.echo(f"{title}: {words}")
    for each in (found.alarm, *found.notes):
        if each:
            click.echo(f"! {each}")


def _show(rows: list[tuple[str, Line]]) -> None:
    wide = max([len(name) for name, _ in rows] + [8])
    click.echo(
        f"{'':{wide}} {'pictures':>9} {'opens':>9} {'machines':>9} {'clicks':>9} {'rate':>7} {'orders':>8}  revenue"
    )
    for name, line in rows:
        rate = f"{line.click_rate:.1%}" if line.click_rate is not None else "-"
        shares = {
            code: f" ({line.page_share.get(code, 0):.1%} reported only by web pages)" for code in line.page_revenue
        }
        revenue = ", ".join(f"{money(amount, code)}{shares.get(code, '')}" for code, amount in line.revenue.items())
        counts = f"{line.pictures:9,} {line.unique_opens:9,} {line.unique_machine_opens:9,} {line.unique_clicks:9,}"
        click.echo(f"{name:{wide}} {counts} {rate:>7} {line.orders:8,.4g}  {revenue}")
    if implied := sum(line.implied_opens for _, line in rows):
        click.echo(f"{implied:,} of these opens are inferred from clicks")
