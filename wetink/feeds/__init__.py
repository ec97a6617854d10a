"""Outside things fetched over HTTP, from public hosts only."""

from wetink.feeds.keeper import FeedKeeper
from wetink.feeds.photos import PhotoFetcher
from wetink.feeds.posts import Poster
from wetink.feeds.samples import WithSamples

__all__ = ["FeedKeeper", "PhotoFetcher", "Poster", "WithSamples"]
