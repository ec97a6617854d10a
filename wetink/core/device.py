"""Device: what a User-Agent tells of an open. Nothing of it is kept but the class.

Sources: Gmail's image proxy calls itself `GoogleImageProxy`, Yahoo's `YahooMailProxy`; Apple Mail Privacy Protection
fetches at delivery, long before anyone looks, with the bare `Mozilla/5.0`.
"""

from functools import lru_cache

PROXIES = ("googleimageproxy", "yahoomailproxy")
MOBILE = ("iphone", "ipad", "android", "mobile")


@lru_cache(maxsize=2_048)
def device(user_agent: str) -> str:
    """Return `proxy`, `prefetch`, `mobile`, `desktop`, or empty for what tells nothing.

    >>> device("Mozilla/5.0"), device("Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)")
    ('prefetch', 'proxy')
    """
    agent = user_agent.strip().lower()
    if agent == "mozilla/5.0":
        return "prefetch"
    if any(proxy in agent for proxy in PROXIES):
        return "proxy"
    if any(word in agent for word in MOBILE):
        return "mobile"
    return "desktop" if agent.startswith("mozilla/") else ""
