"""Bodies of feeds, read item by item: one format, one file."""

from wetink.feeds.parse.body import Unreadable
from wetink.feeds.parse.reader import Readers, Reading, Tally, read, whole

__all__ = ["Readers", "Reading", "Tally", "Unreadable", "read", "whole"]
