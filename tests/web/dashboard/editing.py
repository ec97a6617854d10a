"""A browser without scripts on the block editor: what its form has, and what it sends."""

import re
from html import unescape
from html.parser import HTMLParser

from starlette.testclient import TestClient


class Fields(HTMLParser):
    """Collects what a form of a page would send."""

    def __init__(self, page: str, form: str = "maker") -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._form, self._inside, self._select, self._area = form, False, "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = has.get("id") == self._form
        name = has.get("name", "")
        if not self._inside or tag not in ("input", "select", "textarea", "option"):
            return
        if tag == "input" and name and (has.get("type") not in ("checkbox", "radio") or "checked" in has):
            self.found[name] = has.get("value", "on" if "checked" in has else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in has or self._select not in self.found):
            self.found[self._select] = has.get("value", "")
        elif tag == "textarea":
            self._area = name
            self.found[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self.found[self._area] = self.found.get(self._area, "").removeprefix("\n")
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[self._area] += data


def undone(browser: TestClient, page: str) -> str:
    """Press Undo in the toast of a page, and return the path that this leads to."""
    toast = re.search(r'<form method="post" action="([^"]+)">((?:(?!<form).)*)<button class="undo"', page, re.DOTALL)
    assert toast is not None, "the page has no toast to undo"
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', toast[2]))
    done = browser.post(toast[1], data=fields, follow_redirects=False)
    assert done.status_code == 303, done.text
    return done.headers["location"]


def begun(browser: TestClient, app: str = "", title: str = "") -> str:
    """Make a draft from an app, and return the path of its editor."""
    page = browser.get("/dashboard/blocks/new").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    sent = {"csrf": csrf[1], "app": app, "title": title}
    made = browser.post("/dashboard/blocks/new", data=sent, follow_redirects=False)
    assert made.status_code == 303, made.text
    return made.headers["location"]


def edited(browser: TestClient, path: str, **more: str) -> str:
    """Change fields of the form (`__` is a dot), send it whole, and return the page after that, unescaped."""
    fields = Fields(browser.get(path).text).found
    fields |= {name.replace("__", "."): value for name, value in more.items()}
    answer = browser.post(path, data=fields)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)
