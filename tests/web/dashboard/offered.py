"""Offered: the requests that a page offers to its reader, and its parts that lead to nothing."""

from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from starlette.routing import Match, Route

from wetink.core.access.permissions import rule_of
from wetink.core.access.role import Role, may
from wetink.web.app import ROUTES

METHODS = {
    "hx-get": "GET",
    "hx-post": "POST",
    "hx-put": "PUT",
    "formaction": "POST",
    "data-ask": "POST",
    "data-import": "PUT",
    "data-upload": "PUT",
    "href": "GET",
    "src": "GET",
}
"""Attributes that send a request, with its method."""

LED_AWAY = ("/dashboard/blocks/{name}/edit",)
"""Pages that lead readers elsewhere: a link to one is for those who may change it."""

VOID = ("input", "img", "link", "meta", "br", "hr", "use", "rect", "circle", "path", "line", "source", "col", "wbr")
SEEN = ("input", "img", "textarea", "select", "svg")
"""Elements that show something without a text."""
FULL = {"actions", "menu", "card", "bar", "dialog"}
"""Classes of elements that have something in them, or are not there."""
ACTS = {"type", "form", "popovertarget", "hx-post", "disabled"}
"""Attributes of a button that does something outside of a form, or nothing on purpose."""
SEARCH = "search"
"""A dialog that keys open."""


class Opened(NamedTuple):
    """An element that has not ended yet, and whether there is something in it."""

    tag: str
    kind: str
    full: bool = False
    disabled: bool = False


class Page(HTMLParser):
    """Reads the requests that a page offers, and its parts that lead to nothing or are empty."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.requests, self.problems = set[tuple[str, str]](), list[str]()
        self._path, self._open = path, list[Opened]()
        self._ids, self._wanted = set[str](), set[tuple[str, str]]()
        self._dialogs = set[str]()
        self.feed(text)
        opened = {id_ for what, id_ in self._wanted if what == "show-modal"}
        self.problems += [f"{what} leads to #{id_}" for what, id_ in self._wanted if id_ not in self._ids]
        self.problems += [f"nothing opens the dialog {id_}" for id_ in self._dialogs - opened - {SEARCH}]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, method in METHODS.items():
            if given.get(name, "#")[:1] != "#":
                self._ask(method, given[name])
        if tag == "form" and "action" in given:
            self._ask(given.get("method", "get").upper(), given["action"])
        acts = any(each.tag == "form" or each.disabled for each in self._open)
        if tag == "button" and not ACTS & given.keys() and not acts:
            self.problems.append(f"a button does nothing: {given}")
        self._note(tag, given)
        if tag in SEEN:
            self._fill()
        if tag not in VOID:
            self._open.append(Opened(tag, given.get("class", ""), disabled="disabled" in given))

    def _note(self, tag: str, given: dict[str, str]) -> None:
        """Note what an element is called, and what it leads to."""
        self._ids.add(given.get("id", ""))
        if tag == "dialog":
            self._dialogs.add(given["id"])
        names = {"form": "form", "popovertarget": "popovertarget", "commandfor": given.get("command", "")}
        self._wanted.update((what, given[name]) for name, what in names.items() if given.get(name))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self._fill()

    def _fill(self) -> None:
        self._open = [each._replace(full=True) for each in self._open]

    def handle_endtag(self, tag: str) -> None:
        while tag in (each.tag for each in self._open):
            ended = self._open.pop()
            if not ended.full and FULL & set(ended.kind.split()):
                self.problems.append(f"an empty <{ended.tag} class={ended.kind!r}>")
            if ended.tag == tag:
                break

    def _ask(self, method: str, address: str) -> None:
        parts = urlsplit(urljoin(f"http://here{self._path}", address))
        if parts.netloc == "here" and parts.path.startswith(("/dashboard", "/api/")):
            self.requests.add((method, parts.path))


def beyond(role: Role, page: Page) -> list[str]:
    """Return the requests that a page offers and the role may not send."""
    wrong = []
    for method, path in sorted(page.requests):
        route = pattern(method, path)
        needs = rule_of("POST" if route in LED_AWAY else method, route).needs
        if needs is not None and not may(role, needs):
            wrong.append(f"{method} {path} needs {needs}")
    return wrong


def pattern(method: str, path: str) -> str:
    """Return the path of the route that answers a request."""
    scope = {"type": "http", "method": method, "path": path}
    found = [each.path for each in ROUTES if isinstance(each, Route) and each.matches(scope)[0] is Match.FULL]
    assert found, f"nothing answers {method} {path}"
    return found[0]
