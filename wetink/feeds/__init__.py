"""External data, fetched over HTTP from public hosts only, and what is sent outside: webhooks and mail."""

from wetink.feeds.credentials import credentials_in
from wetink.feeds.mail import SMTPMail
from wetink.feeds.photos import PhotoFetcher, WithSamples
from wetink.feeds.posts import Poster
from wetink.feeds.service import FeedService

__all__ = ["FeedService", "PhotoFetcher", "Poster", "SMTPMail", "WithSamples", "credentials_in"]
