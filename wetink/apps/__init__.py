"""Apps: what a block can show. One file each, with its template beside it; `BUILTIN` lists them."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import msgspec

from wetink.core.person import Moment, Person, Seen


class App(msgspec.Struct, frozen=True):
    """A Behavioral App: data and a template.

    `show(person, settings, moment)` returns what to show, most important first, and must be pure; empty means
    "nothing to show: the next variant's turn". With `always` an app may be shown with no products at all (a Custom App
    draws on the person and the moment by itself). `template` is a Liquid file beside the app; empty: the variant names
    its own.
    """

    name: str
    title: str
    settings: type[msgspec.Struct]
    show: Callable[[Person, Any, Moment], Sequence[Seen]]
    template: str = ""
    always: bool = False


BUILTIN = ("last_viewed", "abandoned_cart", "custom")
"""Every app that ships with wetink: a module of this package each, loaded like a stranger's."""


def load(names: Sequence[str] = BUILTIN) -> dict[str, App]:
    """Return the apps by name."""
    apps = [import_module(f"{__name__}.{name}").APP for name in names]
    return {app.name: app for app in apps}
