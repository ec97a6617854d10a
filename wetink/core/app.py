"""App: what a block can show, as a pure declaration."""

from collections.abc import Callable, Sequence
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
