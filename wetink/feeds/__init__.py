"""Outside things fetched over HTTP, from public hosts only."""

from wetink.feeds.photos import PhotoFetcher
from wetink.feeds.posts import Poster
from wetink.feeds.samples import WithSamples
from wetink.feeds.service import FeedService

__all__ = ["FeedService", "PhotoFetcher", "Poster", "WithSamples"]
