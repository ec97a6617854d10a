"""Apps: what a block can show. One file each, with its template beside it; `BUILTIN` lists them."""

from collections.abc import Sequence
from importlib import import_module

from wetink.core.app import App

BUILTIN = (
    "last_viewed",
    "abandoned_cart",
    "abandoned_browse",
    "recommended",
    "trending",
    "price_drop",
    "back_in_stock",
    "low_stock",
    "wishlist",
    "recently_purchased",
    "buy_again",
    "recently_searched",
    "new_in_category",
    "countdown",
    "live_feed",
    "loyalty",
    "social_proof",
    "nearest_store",
    "weather",
    "reveal",
    "poll",
    "custom",
)
"""Every app that ships with wetink: a module of this package each, loaded like a stranger's."""


def load(names: Sequence[str] = BUILTIN) -> dict[str, App]:
    """Return the apps by name."""
    apps: list[App] = [import_module(f"{__name__}.{name}").APP for name in names]
    return {app.name: app for app in apps}
