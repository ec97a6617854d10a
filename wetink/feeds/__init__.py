"""Outside things fetched over HTTP, from public hosts only."""

from wetink.feeds.photos import PhotoFetcher

__all__ = ["PhotoFetcher"]
