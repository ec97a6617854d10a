"""Template files: templates as they are edited, each with the file beside it that makes it an app.

A change is a draft that nobody receives. A new name and a deletion are versions at once, because blocks follow them.
"""

import re
from collections.abc import Mapping
from typing import Protocol

import msgspec

from wetink.content.content import Content
from wetink.content.media import LONGEST_NAME, file_name
from wetink.content.publishing import Publishing
from wetink.content.uses import Use, listed, template_uses, with_value
from wetink.content.versions import Versions
from wetink.core.app.app import App
from wetink.core.errors import BadContent, Conflict, NotFound
from wetink.ports.content import Draft, Drafts, digest

FOLDER, TEMPLATE, COMPANION = "templates/", ".liquid", ".yaml"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*")


class Sheet(msgspec.Struct, frozen=True):
    """One file in the editor. `body` is the draft, else the published text; None if there is no file."""

    path: str
    body: str | None
    published: str
    """The digest of the published file, "" if there is none."""
    draft: Draft | None

    @property
    def revision(self) -> int:
        """The revision of the draft, 0 without one."""
        return self.draft.revision if self.draft is not None else 0


class Opened(msgspec.Struct, frozen=True):
    """A template in the editor: its name without a suffix, its text, and the file beside it."""

    name: str
    template: Sheet
    companion: Sheet

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """The drafts of its files."""
        return tuple(each.draft for each in (self.template, self.companion) if each.draft is not None)

    @property
    def published(self) -> bool:
        """Whether somebody may receive it: its template is published."""
        return bool(self.template.published)


class Listed(msgspec.Struct, frozen=True):
    """A template in the list. `title` is that of its app, empty without one."""

    name: str
    title: str
    published: bool
    draft: bool
    used: tuple[Use, ...]


class Author(Protocol):
    """Publishes changes of content files (see `content.author.Author`)."""

    async def change(
        self, changes: Mapping[str, bytes | None], expected: Mapping[str, str], *, by: str, message: str
    ) -> int:
        """Write and delete files in one version."""
        ...


class Templates:
    """Opens, saves, renames and deletes templates."""

    def __init__(self, drafts: Drafts, versions: Versions, publishing: Publishing, author: Author) -> None:
        """Read `drafts` beside the published `versions`. `publishing` saves drafts, and `author` all other changes."""
        self._drafts, self._versions, self._publishing, self._author = drafts, versions, publishing, author

    async def open(self, name: str) -> Opened:
        """Return a template with its drafts. Raises NotFound, StoreUnavailable."""
        _, tree = await self._versions.current()
        found = [await self._sheet(f"{FOLDER}{name}{suffix}", tree) for suffix in (TEMPLATE, COMPANION)]
        if found[0].body is None:
            raise NotFound(f"there is no template called {name[:64]!r}", hint="see all templates")
        return Opened(name, *found)

    async def all(self, content: Content) -> list[Listed]:
        """Return the published templates and those that are only drafts, by name. Raises StoreUnavailable."""
        files = (await self._versions.newest()).files
        drafts = {each.path: each for each in await self._drafts.all() if each.path.startswith(FOLDER)}
        paths = {path for path in files if path.startswith(FOLDER) and path.endswith(TEMPLATE)}
        paths |= {path for path, each in drafts.items() if path.endswith(TEMPLATE) and each.body is not None}
        found = []
        for name in sorted(path.removeprefix(FOLDER).removesuffix(TEMPLATE) for path in paths):
            app, mine = content.apps.get(name), [f"{FOLDER}{name}{suffix}" for suffix in (TEMPLATE, COMPANION)]
            used = tuple(template_uses(content, name))
            title = app.title if app is not None else ""
            found.append(Listed(name, title, mine[0] in files, any(path in drafts for path in mine), used))
        return found

    async def create(self, given: str, text: str, companion: str, *, by: str) -> str:
        """Save the draft of a new template under a name made of `given`. Returns the name.

        Raises BadContent whose `where` is `name`, Unavailable.
        """
        name = file_name(f"{given}.x", "", "template")
        await self._check_free(name)
        await self._publishing.save(f"{FOLDER}{name}{TEMPLATE}", text.encode(), base="", expected=0, by=by)
        if companion:
            await self._publishing.save(f"{FOLDER}{name}{COMPANION}", companion.encode(), base="", expected=0, by=by)
        return name

    async def save(
        self, name: str, text: str, companion: str, *, revisions: tuple[int, int], by: str
    ) -> tuple[int, int]:
        """Save what the editor shows as drafts. Returns their revisions, 0 for a file that is as published.

        `revisions` are those that the user has seen. An empty companion is none. Raises Conflict, which names who saved
        another in between, NotFound, BadContent, Unavailable.
        """
        opened = await self.open(name)
        first = await self._save(opened.template, text, revisions[0], by)
        return first, await self._save(opened.companion, companion if companion.strip() else None, revisions[1], by)

    async def discard(self, name: str) -> bool:
        """Forget the drafts of a template. Returns whether a published one is left. Raises NotFound, Conflict."""
        opened = await self.open(name)
        for draft in opened.drafts:
            await self._publishing.discard(draft.path, draft.revision)
        return opened.published

    async def rename(self, name: str, given: str, *, by: str) -> str:
        """Give a template another name, also in the blocks that name it, in one version. Returns the name.

        Its drafts, and those of blocks, go with it. Raises BadContent whose `where` is `name`, NotFound, Conflict.
        """
        new = given.strip().removesuffix(TEMPLATE)
        if not _NAME.fullmatch(new) or len(new) > LONGEST_NAME:
            hint = f"at most {LONGEST_NAME} letters, digits, dots and dashes"
            raise BadContent(f"{new[:64]!r} is not a name for a template", hint=hint, where="name")
        if new == name:
            return name
        opened = await self.open(name)
        await self._check_free(new, but=name)
        _, tree = await self._versions.current()
        changes: dict[str, bytes | None] = {}
        for suffix in (TEMPLATE, COMPANION):
            old = f"{FOLDER}{name}{suffix}"
            if old in tree:
                changes |= {old: None, f"{FOLDER}{new}{suffix}": tree[old]}
        app = f"{FOLDER}{name}{COMPANION}" in tree
        for path, body in tree.items():
            if path.startswith("blocks/") and (renamed := _named_anew(body, name, new, app=app)) != body:
                changes[path] = renamed
        if changes:
            expected = {path: digest(tree[path]) if path in tree else "" for path in changes}
            await self._author.change(changes, expected, by=by, message=f"renamed template {name} to {new}")
        await self._move_drafts(opened, new, tree, app=app, by=by)
        return new

    async def delete(self, content: Content, name: str, *, by: str) -> int:
        """Delete a template and its drafts. Returns the version, 0 if it was never published.

        Raises BadContent if something uses it, NotFound, Conflict.
        """
        opened = await self.open(name)
        if used := template_uses(content, name):
            raise BadContent(
                f"the template {name} is used by {listed(used)}",
                hint="give them another one first, then delete it",
                where="delete",
            )
        files = {each.path: each.published for each in (opened.template, opened.companion) if each.published}
        number = 0
        if files:
            number = await self._author.change(dict.fromkeys(files), files, by=by, message=f"deleted template {name}")
        for draft in opened.drafts:
            await self._publishing.discard(draft.path, draft.revision)
        return number

    async def _save(self, sheet: Sheet, text: str | None, revision: int, by: str) -> int:
        body = text.encode() if text is not None else None
        if (body is None and not sheet.published) or (body is not None and digest(body) == sheet.published):
            if sheet.draft is not None:  # it is as published again
                await self._publishing.discard(sheet.path, revision)
            return 0
        if sheet.draft is not None and sheet.draft.body == body:
            return sheet.draft.revision
        base = sheet.draft.base if sheet.draft is not None else sheet.published
        return (await self._publishing.save(sheet.path, body, base=base, expected=revision, by=by)).revision

    async def _sheet(self, path: str, tree: Mapping[str, bytes]) -> Sheet:
        draft, body = await self._drafts.get(path), tree.get(path)
        published = digest(body) if body is not None else ""
        if draft is not None:
            body = draft.body
        text = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n") if body is not None else None
        return Sheet(path, text, published, draft)

    async def _move_drafts(self, opened: Opened, new: str, before: Mapping[str, bytes], *, app: bool, by: str) -> None:
        """Let the drafts of a template, and those of blocks that name it, follow its new name.

        A draft of a file that somebody else has published since stays one: `before` has the files up to now.
        """
        files = (await self._versions.newest()).files
        for draft in opened.drafts:
            path = f"{FOLDER}{new}{TEMPLATE if draft.path.endswith(TEMPLATE) else COMPANION}"
            base = _base(draft, before, files.get(path, ""))
            await self._publishing.save(path, draft.body, base=base, expected=0, by=by)
            await self._publishing.discard(draft.path, draft.revision)
        for draft in await self._drafts.all():
            if draft.path.startswith("blocks/") and draft.body is not None:
                body = _named_anew(draft.body, opened.name, new, app=app)
                if body != draft.body:
                    base = _base(draft, before, files.get(draft.path, ""))
                    try:
                        await self._publishing.save(draft.path, body, base=base, expected=draft.revision, by=by)
                    except Conflict:  # somebody is typing there: the check of the draft tells them
                        continue

    async def _check_free(self, name: str, but: str = "") -> None:
        """Raise BadContent if another template has this name, in upper or lower case."""
        paths = [*(await self._versions.newest()).files, *(each.path for each in await self._drafts.all())]
        taken = {path.removeprefix(FOLDER).removesuffix(TEMPLATE) for path in paths if path.endswith(TEMPLATE)}
        if any(each.casefold() == name.casefold() and each != but for each in taken):
            raise BadContent(f"there is already a template called {name}", hint="choose another name", where="name")


def _base(draft: Draft, before: Mapping[str, bytes], now: str) -> str:
    """Return the digest that a draft was made from: that of the file `now`, if it was up to date `before`."""
    known = digest(before[draft.path]) if draft.path in before else ""
    return now if draft.base == known else draft.base


def _named_anew(body: bytes, old: str, new: str, *, app: bool) -> bytes:
    """Return a block's YAML with another name of its template, and of the app that the template is."""
    body = with_value(body, "template", f"{old}{TEMPLATE}", f"{new}{TEMPLATE}")
    return with_value(body, "app", old, new) if app else body


def starter(title: str) -> tuple[str, str]:
    """Return the text of a new template, and of the file beside it that declares its settings."""
    return _STARTER, _STARTER_COMPANION.replace("TITLE", title.replace('"', "'").strip()[:80] or "Template")


def copy_of(app: App, text: str) -> str:
    """Return an app's own template as a template of the shop's, with a first line that says how to use it."""
    return f"{{% comment %}} app: {app.name} (a copy of the {app.title} app's template) {{% endcomment -%}}\n{text}"


_APP = re.compile(r"\{%-?\s*comment\s*-?%\}\s*app: (?P<app>[a-z0-9-]+)")


def app_named(text: str) -> str:
    """Return the app that a template says it is for in its first words, empty if it names none.

    >>> app_named("{% comment %} app: countdown (a copy) {% endcomment -%}"), app_named("<p>")
    ('countdown', '')
    """
    found = _APP.match(text.lstrip())
    return found["app"] if found is not None else ""


_STARTER = """\
<style>
  .page {
    width: {{ block.width }}px; height: {{ block.height }}px; padding: 28px 32px;
    display: flex; flex-direction: column; justify-content: center; gap: 8px;
    background: #f6f4ef; color: #1c2230; font-family: Inter, sans-serif;
  }
  .dark .page { background: #1d2027; color: #f2f3f5; }
  .head { font-family: Poppins, Inter, sans-serif; font-size: 30px; line-height: 38px; font-weight: 600; }
  .button {
    align-self: flex-start; margin-top: 10px; padding: 10px 20px; border-radius: 20px;
    background: {{ settings.accent }}; color: {{ settings.accent | ink }};
    font-size: 14px; font-weight: 600;
  }
</style>
<div class="page">
  <div class="head">
    {{ settings.heading }}{% if person.traits.firstName %}, {{ person.traits.firstName }}{% endif %}
  </div>
  {% if items.size > 0 %}
  <div>{{ items[0].name | truncate: 40 }} · {{ items[0].price | money: items[0].currency }}</div>
  {% endif %}
  <div class="button">{{ settings.button }}</div>
</div>
"""
_STARTER_COMPANION = """\
title: "TITLE"
about: Shows the product that the shopper viewed last.
settings:
  heading: {type: string, default: "Still thinking it over", description: "Text above the product.", maxLength: 60}
  button: {type: string, default: "Take a look", description: "Text on the button.", maxLength: 30}
  accent: {type: string, format: color, default: "#3b5bdb", description: "Color of the button."}
items: 1
"""
