"""External data, fetched over HTTP from public hosts only."""

from wetink.feeds.credentials import credentials_in
from wetink.feeds.photos import PhotoFetcher, WithSamples
from wetink.feeds.posts import Poster
from wetink.feeds.service import FeedService

__all__ = ["FeedService", "PhotoFetcher", "Poster", "WithSamples", "credentials_in"]
