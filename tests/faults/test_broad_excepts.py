"""Broad excepts: what nobody has foreseen is passed on, or it is logged with its trace, and so counted."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import wetink
from wetink.core.errors import StoreUnavailable, log_error
from wetink.insights.health import Troubles, counted

PASSED_ON = {
    ("ingest/receive.py", "_take_in"): "whoever asked is told, and answers it by `web.ingest._refused`, which logs it",
    ("ingest/receive.py", "_written"): "the same",
    ("web/ingest.py", "__call__"): "it is answered by `_refused`, which logs it",
    ("web/ingest.py", "_take"): "the same",
    ("web/ingest.py", "_look_up_and_take"): "the same",
    ("web/logs.py", "_message"): "it says so in the line of the record that it cannot put into words",
    ("web/protocol.py", "_resume"): "it is thrown into the coroutine that waits",
    ("sandbox/child.py", "work"): "the process that asked is told, and raises it",
    ("sandbox/__main__.py", "main"): "the process that asked is told, and raises it",
    ("apps/__init__.py", "found"): "it is one of the problems that are shown of content, and logged with them",
    ("ingest/receive.py", "_record"): "`_parked` logs it",
    ("store/sqlite/connection.py", "_run"): "whoever waits for the work gets it raised",
    ("store/sqlite/batch.py", "write_in_halves"): "it is split until one piece is left, of which it is logged",
    ("store/sqlite/projections.py", "step"): "each is written again alone, and is raised",
    ("store/sqlite/writer.py", "_finish_here"): "whoever waits is told, which is logged",
    ("store/sqlite/writer.py", "_step"): "each request is written alone, where it is logged",
    ("core/rules/evaluate.py", "holds"): "the rule is asked node by node, where it is logged",
    ("core/rules/evaluate.py", "judge"): "the rule is asked node by node, where it is logged",
    ("store/postgresql/loads.py", "_read"): "every caller gets it raised",
    ("stream/decisions.py", "_settle_all"): "every fetch of the email's block gets it raised",
    ("stream/front.py", "_publish_all"): "every request of the group gets it raised",
    ("render/worker.py", "_in"): "a font of a stranger: its engine has said what is wrong with it",
}
"""Where such an error is handed to somebody who logs or raises it, and how."""


def broad(name: ast.expr | None) -> bool:
    named = name.elts if isinstance(name, ast.Tuple) else [name]
    return any(
        each is None or (isinstance(each, ast.Name) and each.id in ("Exception", "BaseException")) for each in named
    )


def handlers() -> Iterator[tuple[str, str, ast.ExceptHandler]]:
    """Yield each broad except with its file and the innermost function around it."""
    root = Path(wetink.__file__).parent
    for path in sorted(root.rglob("*.py")):
        text = path.read_text()
        if "Exception" in text or "except:" in text:
            for name, handler in within(ast.parse(text), ""):
                yield str(path.relative_to(root)), name, handler


def within(node: ast.AST, name: str) -> Iterator[tuple[str, ast.ExceptHandler]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from within(child, child.name)
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            if isinstance(child, ast.ExceptHandler) and broad(child.type):
                yield name, child
            yield from within(child, name)


def tells(handler: ast.ExceptHandler) -> bool:
    """Whether it logs an error with its trace, or raises."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "log_error":
            return True
        if (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "logger"
        ):
            traced = node.func.attr == "exception" or any(each.arg == "exc_info" for each in node.keywords)
            if node.func.attr == "error" or (traced and node.func.attr != "debug"):
                return True
    return False


FOUND = {(path, name, handler.lineno): handler for path, name, handler in handlers()}


def test_broad_excepts_are_found() -> None:
    assert len(FOUND) > 40


@pytest.mark.parametrize(("path", "name", "line"), FOUND)
def test_every_broad_except_logs_or_raises(path: str, name: str, line: int) -> None:
    assert tells(FOUND[path, name, line]) or (path, name) in PASSED_ON


def test_every_listed_exception_still_exists() -> None:
    assert set(PASSED_ON) <= {(path, name) for path, name, _ in FOUND}


def test_troubles_are_counted_by_place_and_what_was_foreseen_is_not() -> None:
    troubles, log = Troubles(), logging.getLogger("wetink.some.place")
    log.addHandler(troubles)
    try:
        log_error(log, StoreUnavailable("the store is busy"), "%s is not done", "it")
        assert troubles.by_place == {}
        log_error(log, ZeroDivisionError("nobody has thought of this"), "%s is not done", "it")
        log.error("three are lost")
        log.warning("nothing special")
        log.warning("with a trace", exc_info=ValueError("odd"))
        assert troubles.by_place == {"some.place": 3}
    finally:
        log.removeHandler(troubles)
    assert counted() is counted()
