"""`python -m wetink` is `wetink`."""

from wetink.cli import main

main()
