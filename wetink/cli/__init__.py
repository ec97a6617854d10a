"""The command line. Errors are one line on stderr, with what to do about them; the exit status is then 1."""

import click

from wetink import __version__
from wetink.cli.audience import audience, hooks
from wetink.cli.catalog import catalog
from wetink.cli.check import check, coverage
from wetink.cli.common import Commands
from wetink.cli.content import apps_, diff, pull, push, rollback, test_, versions
from wetink.cli.keys import keys
from wetink.cli.opens import open_, opens
from wetink.cli.profile import profile
from wetink.cli.replay import rebuild, replay
from wetink.cli.report import conversions, experiment, report
from wetink.cli.serve import demo, serve


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="wetink %(version)s")
def main() -> None:
    """Decide what an email shows when it is opened.

    \b
    wetink ingests your shop's Segment events, keeps a profile of each shopper,
    and serves the right picture, link or data at every open.

    \b
    Get started:
      wetink demo                        run a sample shop and its inbox
      wetink serve                       run the server on ./wetink-data
      wetink keys create shop            create a write key for your SDK
      wetink check events.jsonl          validate messages without a server
    """


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(f"wetink {__version__}")


audience.add_command(hooks)

for command in (
    serve,
    keys,
    check,
    opens,
    profile,
    open_,
    coverage,
    report,
    conversions,
    experiment,
    audience,
    catalog,
    replay,
    rebuild,
    apps_,
    test_,
    pull,
    diff,
    push,
    versions,
    rollback,
    demo,
    version,
):
    main.add_command(command)
