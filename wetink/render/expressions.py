"""Expressions: how a template compares, loops over, looks into and prints values that may be anything.

The language raises where a number is compared with a text, which would cost the whole picture because of one shopper's
trait. Here such a comparison does not hold. It also reads `first`, `last` and `size` of a map as its first pair and its
length; here they are names like any other, for traits may be called so.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from liquid import BoundTemplate, RenderContext, escape
from liquid.ast import Node
from liquid.builtin.expressions import logical, loop
from liquid.builtin.output import Output as LiquidOutput
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.cycle_tag import CycleNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.expression import Expression

from wetink.core.rules.values import plain_number
from wetink.render.filters import text

OWN = ("first", "last", "size")
"""Names that mean something of their own on a list or a text, but not on a map."""


class Context(RenderContext):
    """Looks values up for a template."""

    __slots__ = ()

    def get_item(self, obj: Any, key: Any) -> Any:
        """Return what a value has under a key. Raises KeyError, IndexError or TypeError when it has nothing there."""
        if key in OWN and isinstance(obj, Mapping):
            return obj[key]
        return super().get_item(obj, key)


class Template(BoundTemplate):
    """A template whose comparisons and loops take any value."""

    context_class = Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what `BoundTemplate` takes."""
        super().__init__(*args, **kwargs)
        static = Context(self)
        for node in self.nodes:
            _soften(node, static)


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


def _before(left: Any, right: Any) -> bool:
    found = _comparable(left, right)
    return found is not None and bool(found[0] < found[1])


def _up_to(left: Any, right: Any) -> bool:
    found = _comparable(left, right)
    return found is not None and bool(found[0] <= found[1])


class _Lt(logical.LtExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return _before(self.left.evaluate(context), self.right.evaluate(context))


class _Gt(logical.GtExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return _before(self.right.evaluate(context), self.left.evaluate(context))


class _Le(logical.LeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return _up_to(self.left.evaluate(context), self.right.evaluate(context))


class _Ge(logical.GeExpression):
    __slots__ = ()

    def evaluate(self, context: RenderContext) -> object:
        return _up_to(self.right.evaluate(context), self.left.evaluate(context))


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
    except TypeError:  # a list is no key of a map
        return False


class _Loop(loop.LoopExpression):
    __slots__ = ()

    def _to_int(self, obj: object, *, token: object) -> Any:
        """Return a limit or an offset; None, which is as if it were not there, for what is not a whole number."""
        whole = _number(obj)
        return int(whole) if whole is not None and whole >= 0 else None


SOFT: dict[type[Expression], type[Expression]] = {
    logical.LtExpression: _Lt,
    logical.GtExpression: _Gt,
    logical.LeExpression: _Le,
    logical.GeExpression: _Ge,
    logical.ContainsExpression: _Contains,
    loop.LoopExpression: _Loop,
}
"""Expressions of the language and ours in their place. The parser names its own classes, so they are changed after."""


class _Read(Expression):
    """An expression whose value is read in another way."""

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


def _soften(node: Node, static: RenderContext) -> None:
    if isinstance(node, CycleNode):
        node.args = [_Read(each, text) for each in node.args]
    for expression in node.expressions():
        _soften_expression(expression)
    for child in node.children(static, include_partials=False):
        _soften(child, static)


def _soften_expression(expression: Any) -> None:
    soft = SOFT.get(type(expression))
    if soft is not None:
        expression.__class__ = soft
    if isinstance(expression, loop.LoopExpression) and expression.cols is not None:
        expression.cols = _Read(expression.cols, _count)
    children: Iterable[Any] = expression.children() if hasattr(expression, "children") else ()
    for each in children:
        _soften_expression(each)
