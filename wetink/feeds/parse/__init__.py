"""Readers of feed bodies, item by item: one file for each format."""

from wetink.feeds.parse.body import Unreadable
from wetink.feeds.parse.reader import Readers, Reading, Tally, raw_items, read, whole

__all__ = ["Readers", "Reading", "Tally", "Unreadable", "raw_items", "read", "whole"]
