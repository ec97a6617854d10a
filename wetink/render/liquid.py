"""Liquid: turns a template and its data into HTML, all escaped, with limits on time and memory, for any values.

The language raises where a number is compared with a text, so that one shopper's trait would cost the whole picture.
Here such a comparison is false. The language also reads `first`, `last` and `size` of a map as its first pair and its
length; here they are names like any other, because traits may have these names.
"""

import math
import operator
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sized
from functools import lru_cache, wraps
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext, escape
from liquid.ast import Node
from liquid.builtin.expressions import logical, loop
from liquid.builtin.output import Output as LiquidOutput
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import (
    LiquidError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
    TemplateNotFoundError,
)
from liquid.expression import Expression

from wetink.core.errors import BadContent
from wetink.core.rules.values import plain_number
from wetink.render import filters
from wetink.render.filters import text

OWN = ("first", "last", "size")
"""Names with a special meaning on a list or a text, but not on a map."""


class Context(RenderContext):
    """Looks values up for a template."""

    __slots__ = ()

    def get_item(self, obj: Any, key: Any) -> Any:
        """Return the part of a value under a key. Raises KeyError, IndexError or TypeError if there is none."""
        if key in OWN and isinstance(obj, Mapping):
            return obj[key]
        return super().get_item(obj, key)


class Template(BoundTemplate):
    """A template whose comparisons and loops take any value."""

    context_class = Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        static = Context(self)
        for node in self.nodes:
            _make_lenient(node, static)


class _Printing(OutputNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        printed = value if isinstance(value, str) or hasattr(value, "__html__") else text(value)
        return buffer.write(escape(printed) if context.autoescape else str(printed))


class _Echoing(EchoNode, _Printing):
    __slots__ = ()
    render_to_output = _Printing.render_to_output


class Output(LiquidOutput):
    """`{{ … }}`."""

    node_class = _Printing


class Echo(EchoTag):
    """`{% echo … %}`."""

    node_class = _Echoing


def _comparable(left: Any, right: Any) -> tuple[Any, Any] | None:
    """Return two values that have an order: two texts, or two numbers, of which one may be written as a text."""
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    numbers = [_number(each) for each in (left, right)]
    return None if None in numbers else (numbers[0], numbers[1])


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    return value if isinstance(value, int | float) else plain_number(value) if isinstance(value, str) else None


def _comparing(base: type[Expression], holds: Callable[[Any, Any], bool]) -> type[Expression]:
    """Return a comparison of the language that is false for values without an order."""

    def evaluate(self: Any, context: RenderContext) -> object:
        found = _comparable(self.left.evaluate(context), self.right.evaluate(context))
        return found is not None and bool(holds(*found))

    return type(base.__name__, (base,), {"__slots__": (), "evaluate": evaluate})


class _Contains(logical.ContainsExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        left, right = self.left.evaluate(context), self.right.evaluate(context)
        if isinstance(left, str):
            return bool(text(right)) and text(right) in left
        return right is not None and isinstance(left, list | tuple | dict | range) and _hashable_in(right, left)


def _hashable_in(value: Any, held: Any) -> bool:
    try:
        return value in held
    except TypeError:  # a list cannot be a key of a map
        return False


class _Loop(loop.LoopExpression):
    __slots__ = ()

    def _to_int(self, obj: object, *, token: object) -> Any:
        """Return a limit or an offset; None, as if it were missing, for a value that is not a number from 0 up."""
        whole = _number(obj)
        return int(whole) if whole is not None and whole >= 0 else None


SOFT: dict[type[Expression], type[Expression]] = {
    logical.LtExpression: _comparing(logical.LtExpression, operator.lt),
    logical.GtExpression: _comparing(logical.GtExpression, operator.gt),
    logical.LeExpression: _comparing(logical.LeExpression, operator.le),
    logical.GeExpression: _comparing(logical.GeExpression, operator.ge),
    logical.ContainsExpression: _Contains,
    loop.LoopExpression: _Loop,
}
"""Expressions of the language -> ours. The parser names its own classes, so they are replaced after parsing."""


class _Read(Expression):
    """An expression whose value is converted by `read`."""

    __slots__ = ("inner", "read")

    def __init__(self, inner: Expression, read: Callable[[Any], Any]) -> None:
        super().__init__(inner.token)
        self.inner, self.read = inner, read

    def evaluate(self, context: RenderContext) -> object:
        return self.read(self.inner.evaluate(context))

    def children(self) -> list[Expression]:
        return [self.inner]


def _count(value: Any) -> int:
    whole = _number(value)
    return int(whole) if whole is not None and whole > 0 else 0


def _make_lenient(node: Node, static: RenderContext) -> None:
    if isinstance(node, CycleNode):
        node.args = [_Read(each, text) for each in node.args]
    for expression in node.expressions():
        _make_expression_lenient(expression)
    for child in node.children(static, include_partials=False):
        _make_lenient(child, static)


def _make_expression_lenient(expression: Any) -> None:
    soft = SOFT.get(type(expression))
    if soft is not None:
        expression.__class__ = soft
    if isinstance(expression, loop.LoopExpression) and expression.cols is not None:
        expression.cols = _Read(expression.cols, _count)
    children: Iterable[Any] = expression.children() if hasattr(expression, "children") else ()
    for each in children:
        _make_expression_lenient(each)


MOST_OUTPUT = 400_000
"""Bytes of HTML that a template may produce."""
MOST_ITERATIONS = 10_000
"""Iterations of all loops of a template."""
MOST_SECONDS = 1.0
"""Seconds that a template may take. An ordinary one takes less than a thousandth of that."""
MOST_KEPT = 1_000_000
"""Bytes that a template may hold in variables, and characters that one filter may produce."""
MOST_BITS = 256
"""Bits of a whole number that a filter may produce."""


LIMITS: Mapping[type[LiquidError], str] = {
    LoopIterationLimitError: f"its loops go round more than {MOST_ITERATIONS:,} times",
    OutputStreamLimitError: f"it writes more than {MOST_OUTPUT // 1000} KB",
    LocalNamespaceLimitError: f"its variables hold more than {MOST_KEPT // 1000:,} KB",
}
"""Limits of a template in words."""


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


class SafeEnvironment(Environment):
    """Liquid with limits on the time, memory and output of a template."""

    loop_iteration_limit = MOST_ITERATIONS
    output_stream_limit = MOST_OUTPUT
    local_namespace_limit = MOST_KEPT
    block_nesting_limit = 24
    context_depth_limit = 24

    def add_filter(self, name: str, func: Callable[..., Any]) -> None:
        """Register a filter that keeps the limits and accepts any value: the language's own do neither."""
        super().add_filter(name, _limited(name, filters.forgiving(name, func)))


_clock = threading.local()
"""The time at which the template that this thread fills in must stop."""


def _limited(name: str, func: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(func)  # which also keeps the marks that list the arguments Liquid passes to a filter
    def limited(*args: Any, **kwargs: Any) -> Any:
        if time.monotonic() > getattr(_clock, "until", math.inf):
            raise LiquidError(f"it takes longer than {MOST_SECONDS} s", token=None)
        # A range is built only when it is used: `(1..1000000000) | join` would build it.
        for arg in args:
            if isinstance(arg, range) and len(arg) > MOST_ITERATIONS:
                raise LiquidError(f"the range is longer than {MOST_ITERATIONS}", token=None)
        # Only replacing can multiply its input; check before, as afterwards it is too late.
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

    return limited


FILTERS: dict[str, Callable[..., Any]] = {
    "money": filters.in_currency,
    "ink": ink,
    "date": filters.date,
    "map": filters.map_,
    "compact": filters.compact,
    "sort": filters.sort,
    "sort_natural": filters.sort_natural,
}
"""Our own filters, some in place of the language's, which read values in another way than wetink does."""


def _environment() -> SafeEnvironment:
    environment = SafeEnvironment(autoescape=True)
    environment.template_class = Template
    for name, func in FILTERS.items():
        environment.add_filter(name, func)
    environment.add_tag(Output)
    environment.add_tag(Echo)
    return environment


ENVIRONMENT = _environment()


@lru_cache(maxsize=256)
def _parsed(template: str) -> BoundTemplate:
    return ENVIRONMENT.from_string(template)


def _clock_of(moment: Any) -> dict[str, Any]:
    """Return `now` and `today` for a template: the language's own are the server's clock."""
    now = filters.moment_at(moment.get("now"), moment) if isinstance(moment, Mapping) else None
    return {"now": now, "today": now.date() if now is not None else None}


def html(template: str, data: Mapping[str, Any]) -> str:
    """Return a template's HTML for its data. Raises BadContent for a mistake in the template, or over a limit."""
    _clock.until = time.monotonic() + MOST_SECONDS
    try:
        return _parsed(template).render({**_clock_of(data.get("moment")), **data})
    except TemplateNotFoundError as error:  # the name may be a person's trait: in quotes, it stays out of logs
        raise BadContent(
            f"the template has an error: there is no template {str(error.args[0] if error.args else '')[:80]!r}",
            hint="templates cannot include others",
        ) from error
    except LiquidError as error:
        place = error.context()
        raise BadContent(
            f"the template has an error: {LIMITS.get(type(error)) or error.message or type(error).__name__}",
            hint=f"see line {place[0]} of the template" if place else "",
        ) from error
    except (RecursionError, MemoryError, ArithmeticError, ValueError, TypeError) as error:
        raise BadContent(f"the template has an error: {error}") from error
