"""Every place of wetink that logs, found in its source, and which of them a test has come by."""

import ast
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

import wetink
from wetink.web.logs import OneLine

ROOT = Path(wetink.__file__).parent
LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")


class Call(msgspec.Struct, frozen=True):
    """A call that logs: its file, the function it stands in, what it says, its arguments and its lines."""

    path: str
    function: str
    said: str
    arguments: tuple[str, ...]
    first: int
    last: int

    @property
    def name(self) -> tuple[str, str, str]:
        return self.path, self.function, self.said.partition(": that")[0]


def calls() -> list[Call]:
    """Return all calls of a logger, or of `log_error` with one, in wetink."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text()
        if "getLogger" in text or "log_error(logger" in text:
            found += list(_within(ast.parse(text), str(path.relative_to(ROOT)), ""))
    return found


def _within(node: ast.AST, path: str, function: str) -> Iterator[Call]:
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(child, ast.Call) and (given := _logged(child)) is not None:
            said = ast.unparse(given[0]).strip("'\"")
            extra = [ast.unparse(each.value) for each in child.keywords if each.arg == "exc_info"]
            arguments = tuple(ast.unparse(each) for each in given[1:]) + tuple(extra)
            yield Call(path, function, said, arguments, child.lineno, child.end_lineno or child.lineno)
        yield from _within(child, path, inner)


def _logged(call: ast.Call) -> list[ast.expr] | None:
    """Return the message of a call that logs and what is put into it; None for any other call."""
    made = call.func
    if isinstance(made, ast.Attribute) and made.attr in LEVELS:
        of = made.value
        named = of.id if isinstance(of, ast.Name) else of.attr if isinstance(of, ast.Attribute) else ""
        if isinstance(of, ast.Call):
            named = ast.unparse(of.func)
        if named.lstrip("_").lower() in ("logger", "log", "logging") or named.endswith("getLogger"):
            return call.args
    if isinstance(made, ast.Name) and made.id == "log_error" and call.args and ast.unparse(call.args[0]) == "logger":
        return [call.args[2], *call.args[3:], call.args[1]]
    return None


class Heard(logging.Handler):
    """Notes which calls were come by, and the line that each record makes."""

    def __init__(self, known: list[Call]) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(OneLine())
        self._by_file: dict[str, list[Call]] = {}
        for each in known:
            self._by_file.setdefault(str(ROOT / each.path), []).append(each)
        self.reached: set[tuple[str, str, str]] = set()
        self.lines: list[str] = []
        self.plain: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        self.plain.append(logging.Formatter("%(message)s").format(record))
        record.exc_text = None  # as the plain formatter has kept it
        frame = sys._getframe()
        while frame is not None:
            for each in self._by_file.get(frame.f_code.co_filename, ()):
                if each.first <= frame.f_lineno <= each.last:
                    self.reached.add(each.name)
            frame = frame.f_back  # type: ignore[assignment]
