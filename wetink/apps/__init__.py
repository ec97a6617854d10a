"""Apps: the content that a block can show. Each app is one file next to its template; `BUILTIN` lists them."""

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from typing import Any

import msgspec

from wetink.core.app.app import App

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
    "filmstrip",
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


GROUP = "wetink.apps"
"""The entry points by which an installed package brings apps of its own."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def load(names: Sequence[str] = BUILTIN) -> dict[str, App]:
    """Return the apps by name: wetink's own and those of installed packages, without such as cannot be used."""
    return found(names)[0]


def found(names: Sequence[str] = BUILTIN) -> tuple[dict[str, App], tuple[str, ...]]:
    """Return the apps by name, and the problems with unusable apps of installed packages."""
    own: list[App] = [import_module(f"{__name__}.{name}").APP for name in names]
    apps, problems = {app.name: app for app in own}, []
    for entry in _installed():
        try:
            app = entry.load()
        except Exception as error:  # whatever a stranger's module does when it is loaded
            problems.append(f"app {entry.name} ({entry.value}): {type(error).__name__}: {error}")
            continue
        wrong = wrong_with(app) or (f"there is an app called {app.name} already" if app.name in apps else "")
        if wrong:
            problems.append(f"app {entry.name} ({entry.value}): {wrong}")
        else:
            apps[app.name] = app
    return apps, tuple(problems)


@cache
def _installed() -> Sequence[EntryPoint]:
    """Return the apps of installed packages. To find them, every package's files are read."""
    return sorted(entry_points(group=GROUP), key=lambda each: each.name)


def wrong_with(app: Any) -> str:
    """Return why an app of a package cannot be used, empty when it can."""
    if not isinstance(app, App):
        return "this is not a wetink.core.app.app.App"
    if not _NAME.fullmatch(app.name) or not app.title:
        return f"{app.name!r} is not a name in lowercase letters, digits and dashes, or it has no title"
    try:
        msgspec.convert({}, app.settings)
        if app.template:
            template_of(app)
    except msgspec.ValidationError as error:
        return f"a setting has no default: {error}"
    except (OSError, ImportError, TypeError, UnicodeDecodeError) as error:
        return f"{error}"
    return ""


def template_of(app: App) -> str:
    """Return an app's own template. Raises OSError."""
    return _text(app.package, app.template)


@cache
def _text(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
