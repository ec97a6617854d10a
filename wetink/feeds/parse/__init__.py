"""Bodies of feeds, read item by item: one format, one file."""

from wetink.feeds.parse.body import Unreadable
from wetink.feeds.parse.reader import Tally, read

__all__ = ["Tally", "Unreadable", "read"]
