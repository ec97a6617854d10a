"""Liquid: a template and its data into HTML, everything escaped, bounded in time and memory."""

import math
import re
import threading
import time
from collections.abc import Callable, Mapping, Sized
from functools import lru_cache, wraps
from typing import Any

from liquid import BoundTemplate, Environment
from liquid.exceptions import LiquidError, TemplateNotFoundError

from wetink.core.errors import BadContent
from wetink.render import filters
from wetink.render.expressions import Echo, Output, Template

MOST_OUTPUT = 400_000
"""Bytes of HTML a template may make."""
MOST_ITERATIONS = 10_000
"""Turns of all loops of a template."""
MOST_SECONDS = 1.0
"""How long a template may take. An ordinary one takes less than a thousandth of it."""
MOST_KEPT = 1_000_000
"""Bytes a template may hold in variables; also the characters that one filter may make."""
MOST_BITS = 256
"""Bits of a whole number that a filter may make."""


def ink(background: object) -> str:
    """Return the color of text that is readable on a color such as `#3451d1`.

    >>> ink("#3451d1"), ink("#ffd54a")
    ('#ffffff', '#1c2230')
    """
    parts = re.fullmatch(r"#(\w\w)(\w\w)(\w\w)", str(background))
    try:
        red, green, blue = (int(part, 16) for part in parts.groups()) if parts else (0, 0, 0)
    except ValueError:
        return "#ffffff"
    return "#1c2230" if 0.299 * red + 0.587 * green + 0.114 * blue > 165 else "#ffffff"


class Tame(Environment):
    """Liquid with limits: what a template can make the machine do is bounded whatever it says."""

    loop_iteration_limit = MOST_ITERATIONS
    output_stream_limit = MOST_OUTPUT
    local_namespace_limit = MOST_KEPT
    block_nesting_limit = 24
    context_depth_limit = 24

    def add_filter(self, name: str, func: Callable[..., Any]) -> None:
        """Register a filter, held to the limits and forgiving of any value: the language's own are neither."""
        super().add_filter(name, _tamed(name, filters.forgiving(name, func)))


_clock = threading.local()
"""Until when the template that this thread fills in may go on."""


def _tamed(name: str, func: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(func)  # which also keeps the marks by which Liquid sees what a filter wants to be handed
    def tamed(*args: Any, **kwargs: Any) -> Any:
        if time.monotonic() > getattr(_clock, "until", math.inf):
            raise LiquidError(f"it takes longer than {MOST_SECONDS} s", token=None)
        # A range is not made until it is used: `(1..1000000000) | join` is where it would be.
        for arg in args:
            if isinstance(arg, range) and len(arg) > MOST_ITERATIONS:
                raise LiquidError(f"the range is longer than {MOST_ITERATIONS}", token=None)
        # Only replacing can multiply what it is given; it is foreseen, as afterwards it is too late.
        if name == "replace" and len(args) > 2:
            text, old, new = (str(arg) for arg in args[:3])
            if text.count(old) * len(new) > MOST_KEPT:
                raise LiquidError(f"`replace` makes more than {MOST_KEPT} characters", token=None)
        made = func(*args, **kwargs)
        if isinstance(made, int) and made.bit_length() > MOST_BITS:
            raise LiquidError(f"`{name}` makes a number of more than {MOST_BITS} bits", token=None)
        if isinstance(made, Sized) and len(made) > MOST_KEPT:
            raise LiquidError(f"`{name}` makes more than {MOST_KEPT} characters", token=None)
        return made

    return tamed


FILTERS: dict[str, Callable[..., Any]] = {
    "money": filters.in_currency,
    "ink": ink,
    "date": filters.date,
    "map": filters.map_,
    "compact": filters.compact,
    "sort": filters.sort,
    "sort_natural": filters.sort_natural,
}
"""Filters of our own, those of the language among them that read values in another way than wetink does."""


def _environment() -> Tame:
    environment = Tame(autoescape=True)
    environment.template_class = Template
    for name, func in FILTERS.items():
        environment.add_filter(name, func)
    environment.add_tag(Output)
    environment.add_tag(Echo)
    return environment


_ENVIRONMENT = _environment()


@lru_cache(maxsize=256)
def _parsed(template: str) -> BoundTemplate:
    return _ENVIRONMENT.from_string(template)


def _clock_of(moment: Any) -> dict[str, Any]:
    """Return what `now` and `today` are in a template: the language's own are the server's clock."""
    now = filters.moment_at(moment.get("now"), moment) if isinstance(moment, Mapping) else None
    return {"now": now, "today": now.date() if now is not None else None}


def html(template: str, data: Mapping[str, Any]) -> str:
    """Return the HTML a template makes of its data. Raises BadContent for a mistake in it, or over a limit."""
    _clock.until = time.monotonic() + MOST_SECONDS
    try:
        return _parsed(template).render({**_clock_of(data.get("moment")), **data})
    except TemplateNotFoundError as error:  # the name may be a person's trait: quoted, no log tells it
        raise BadContent(
            f"the template has an error: there is no template {str(error.args[0] if error.args else '')[:80]!r}",
            hint="templates cannot include others",
        ) from error
    except LiquidError as error:
        place = error.context()
        raise BadContent(
            f"the template has an error: {error.message or type(error).__name__}",
            hint=f"see line {place[0]} of the template" if place else "",
        ) from error
    except (RecursionError, MemoryError, ArithmeticError, ValueError, TypeError) as error:
        raise BadContent(f"the template has an error: {error}") from error
