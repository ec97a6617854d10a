"""Docs: the pages of docs/, which come with the package, as pages of the dashboard."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from wetink.web.dashboard.page.query import named
from wetink.web.dashboard.page.render import page

FOLDER = Path(__file__).parents[3] / "docs"
PATH = "/dashboard/docs"

GROUPS: Mapping[str, Sequence[str]] = {
    "Start": ("tutorial", "dashboard", "keys", "events", "accounts", "sign-in"),
    "Content": ("blocks", "apps/README", "rules", "audiences", "custom-apps", "content-as-code", "drafts"),
    "Results": ("opens", "signals"),
    "Data": ("feeds", "mappings", "api"),
    "Operation": ("operating", "settings", "cli", "scale", "performance"),
    "Development": ("architecture", "writing"),
}
"""The pages that the index lists, by job."""

_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_APP_PICTURE = re.compile(r"/golden/([a-z0-9-]+)-light\.png$")


class Section(msgspec.Struct, frozen=True):
    """A heading with the text below it. `level` is 1 for the page's title; `anchor` is the heading's id."""

    title: str
    anchor: str
    level: int
    text: str


class Doc(msgspec.Struct, frozen=True):
    """One page: its name below docs/ without `.md`, its sections, and its HTML without the title."""

    name: str
    sections: tuple[Section, ...]
    html: Markup

    @property
    def title(self) -> str:
        """Return the page's title."""
        return self.sections[0].title if self.sections else self.name

    @property
    def path(self) -> str:
        """Return the path of the page."""
        return f"{PATH}/{self.name}"

    @property
    def about(self) -> str:
        """Return the first sentence of the page; empty if it begins with a list."""
        text = self.sections[0].text if self.sections else ""
        sentence = re.split(r"(?<=[.:])\s", text, maxsplit=1)[0]
        return sentence if sentence.endswith(".") and len(sentence) <= 200 else ""


@cache
def all_docs() -> Mapping[str, Doc]:
    """Return all pages by name."""
    files = sorted(FOLDER.rglob("*.md"))
    return {name: read(name, path.read_text()) for path in files for name in [_name(path)]}


def read(name: str, text: str) -> Doc:
    """Return a page of Markdown. Its links to other pages of docs/ stay links, and those to other files become text."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("code_block", _fence)
    tokens = markdown.parse(_COMMENT.sub("", text))
    sections, taken = list[Section](), set[str]()
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            title = _plain(tokens[at + 1])
            token.attrSet("id", anchor := _anchor(title, taken))
            sections.append(Section(title, anchor, int(token.tag[1:]), ""))
        elif token.type == "inline":
            _relink(token, Path(name).parent)
            if sections and tokens[at - 1].type != "heading_open":
                last = sections[-1]
                sections[-1] = msgspec.structs.replace(last, text=f"{last.text} {_plain(token)}".strip())
    if tokens and tokens[0].type == "heading_open":
        tokens = tokens[3:]
    html = markdown.renderer.render(tokens, markdown.options, {})
    html = html.replace("<table>", '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>')
    return Doc(name, tuple(sections), Markup(html.replace("</table>", "</table></div>")))  # noqa: S704 (without raw HTML)


async def index(request: Request) -> Response:
    """List the pages by job."""
    docs = all_docs()
    groups = {title: [docs[name] for name in names if name in docs] for title, names in GROUPS.items()}
    return page(request, "help/docs.html", groups=groups)


async def doc(request: Request) -> Response:
    """Show one page. Raises NotFound."""
    found = named(all_docs(), request.path_params["name"], "page of the docs")
    return page(request, "help/doc.html", doc=found)


def _name(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def _plain(token: Token) -> str:
    """Return the words of a line."""
    children = token.children or ()
    return "".join(" " if each.type in ("softbreak", "hardbreak") else each.content for each in children).strip()


def _anchor(title: str, taken: set[str]) -> str:
    """Return the id of a heading, as code hosts make it, and remember it."""
    base = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") or "section"
    anchor = next(name for name in (base, *(f"{base}-{count}" for count in range(1, 1000))) if name not in taken)
    taken.add(anchor)
    return anchor


def _relink(line: Token, folder: Path) -> None:
    """Let the links of a line lead to pages of the dashboard, and turn those that lead nowhere into text."""
    opened: list[bool] = []
    for each in line.children or ():
        if each.type == "link_open":
            address = _address(str(each.attrGet("href") or ""), folder)
            opened.append(bool(address))
            if address:
                each.attrSet("href", address)
            else:
                each.tag, each.attrs = "span", {}
        elif each.type == "link_close" and not opened.pop():
            each.tag = "span"
        elif each.type == "image":
            app = _APP_PICTURE.search(str(each.attrGet("src") or ""))
            if app is None:
                each.type, each.tag, each.content, each.children = "text", "", "", None
            else:
                each.attrs = {"src": f"/dashboard/apps/{app[1]}.img", "alt": "", "loading": "lazy"}


def _address(href: str, folder: Path) -> str:
    """Return where a link of a page in `folder` leads in the dashboard; empty if it leads out of docs/."""
    if re.match(r"https?:|#", href):
        return href
    file, hash_, anchor = href.partition("#")
    there = (FOLDER / folder / file).resolve()
    root = FOLDER.resolve()
    if there.suffix != ".md" or not there.is_relative_to(root) or not there.is_file():
        return ""
    return f"{PATH}/{there.relative_to(root).with_suffix('').as_posix()}{hash_}{anchor}"


def _fence(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Return a block of code that the keyboard can scroll."""
    return f'<pre tabindex="0">{escape(tokens[at].content.rstrip())}</pre>\n'
