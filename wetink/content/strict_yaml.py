"""Strict YAML: reads a file or a form within limits that it counts before it builds any value.

A few bytes of nested aliases can mean gigabytes, an anchor that holds its own alias never ends, and no store can keep
some numbers and texts. Strict YAML refuses all of that and names the line.
"""

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

from wetink.core.errors import BadContent

DEEPEST, MOST_NODES, MOST_ALIASES = 64, 20_000, 50
"""Levels of a document, values that it may hold with its aliases written out, and aliases."""

LEAST_NUMBER, MOST_NUMBER = -(2**63), 2**64 - 1
"""Whole numbers that every store and encoding can hold."""

_LONGEST_NUMBER = 64
_STARTS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def parse_yaml(text: str) -> Any:
    """Return the one document of a YAML text, None for an empty text. Raises BadContent with the line."""
    documents = list(parse_all(text, most=1))
    return documents[0] if documents else None


def parse_all(text: str, *, most: int = 1_000) -> Iterator[Any]:
    """Yield the documents of a text, at most `most`. Raises BadContent with the line."""
    try:
        text.encode()
        _measure(text, most)
        yield from yaml.load_all(text, _Loader)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise BadContent(f"line {line}: half a character (a lone surrogate)") from error
    except yaml.reader.ReaderError as error:
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise BadContent(f"line {line}: {error.reason}") from error
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "this is not YAML"
        raise BadContent(_at(text, getattr(error, "problem_mark", None), problem)) from error


def _measure(text: str, most: int) -> None:
    """Count the values of a text without building them. Raises BadContent and YAMLError."""
    documents, counted = 0, _Count()
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.DocumentStartEvent):
            documents, counted = documents + 1, _Count(counted.aliases)
            if documents > most:
                wanted = f"more than {most} documents" if most > 1 else "write one document only"
                raise BadContent(_at(text, event.start_mark, wanted))
        problem = counted.problem_of(event)
        if problem:
            raise BadContent(_at(text, event.start_mark, problem))


class _Count:
    """The counts of a document so far."""

    def __init__(self, aliases: int = 0) -> None:
        self.aliases, self._nodes = aliases, 0
        self._path: list[tuple[str | None, int]] = []  # of each open node: its anchor, and the count of nodes before it
        self._sizes: dict[str | None, int] = {}

    def problem_of(self, event: Any) -> str:
        """Count one more event; return the limit that it exceeds, empty if none."""
        if isinstance(event, yaml.AliasEvent):
            self.aliases += 1
            self._nodes += self._sizes.get(event.anchor, 1)
            if any(event.anchor == anchor for anchor, _ in self._path):
                return f"*{event.anchor} refers to itself"
        elif isinstance(event, _STARTS):
            self._path.append((event.anchor, self._nodes))
            self._nodes += 1
        elif isinstance(event, _ENDS):
            anchor, before = self._path.pop()
            self._sizes[anchor] = self._nodes - before
        elif isinstance(event, yaml.ScalarEvent):
            self._nodes += 1
        if self.aliases > MOST_ALIASES:
            return f"more than {MOST_ALIASES} aliases; write it out"
        if len(self._path) > DEEPEST:
            return f"nested deeper than {DEEPEST}"
        return f"more than {MOST_NODES} values" if self._nodes > MOST_NODES else ""


def _at(text: str, mark: Any, problem: str) -> str:
    last = text.rstrip("\n").count("\n")  # the parser takes the end of a text for a line of its own
    return f"line {min(mark.line, last) + 1}: {problem}" if mark is not None else problem


class _Loader(yaml.CSafeLoader):
    """Builds the values of JSON, and dates."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Build a value; report each problem with its line."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError, OverflowError, RecursionError) as error:
            kind = str(node.tag).rpartition(":")[2]
            message = (
                str(error) if kind == "timestamp" and isinstance(error, ValueError) else f"this is not a valid {kind}"
            )
            raise ConstructorError(None, None, message, node.start_mark) from error

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Build a mapping whose names are texts, numbers or dates."""
        made = super().construct_mapping(node, deep)
        for name in made:
            if name is None or isinstance(name, bool):
                problem = f"{str(name).lower()} is not a name here; put it in quotes if it is one"
                raise ConstructorError(None, None, problem, node.start_mark)
        return made

    def whole(self, node: Any) -> int | str:
        """Build a whole number that a store can keep; `15:00` is a time of day, not 900 as in YAML 1.1."""
        if ":" in node.value:
            return self.text(node)
        number = len(node.value) <= _LONGEST_NUMBER and self.construct_yaml_int(node)
        if number is False or not LEAST_NUMBER <= number <= MOST_NUMBER:
            problem = "a number with too many digits; put it in quotes if it is text"
            raise ConstructorError(None, None, problem, node.start_mark)
        return int(number)

    def fraction(self, node: Any) -> float:
        """Build a number; refuse infinity and NaN."""
        number = float(self.construct_yaml_float(node))
        if number - number != 0:
            problem = "no number (infinite, or not a number)"
            raise ConstructorError(None, None, problem, node.start_mark)
        return number

    def text(self, node: Any) -> str:
        """Build a text that a store can keep."""
        made = str(self.construct_yaml_str(node))
        if "\0" in made:
            raise ConstructorError(None, None, "a NUL character", node.start_mark)
        return made


def _refused(loader: SafeConstructor, node: Any) -> Any:
    kind = str(node.tag).rpartition(":")[2]
    raise ConstructorError(None, None, f"{kind} is not allowed here", node.start_mark)


for _kind, _make in {
    "int": _Loader.whole,
    "float": _Loader.fraction,
    "str": _Loader.text,
    "value": _Loader.text,
    "merge": _Loader.text,
    "binary": _refused,
    "set": _refused,
    "omap": _refused,
    "pairs": _refused,
}.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _make)
