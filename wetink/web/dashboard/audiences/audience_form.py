"""Audience form: one audience as a form and as YAML side by side. An edit on one side updates the other."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from wetink.content.author import audience_text
from wetink.content.strict_yaml import parse_yaml
from wetink.core.errors import BadContent
from wetink.core.events.ecommerce import EVENTS
from wetink.core.rules import traits
from wetink.core.rules.form import Draft, draft_of, edited, nested, rooted, spelling_of
from wetink.core.rules.nodes import COUNTS, NODES, STEP, WINDOWS
from wetink.core.rules.operators import OPERATORS
from wetink.core.rules.parse import Unreadable
from wetink.core.rules.tree import Rule
from wetink.core.signals.audience import Audience, audience_of, spelled
from wetink.web.dashboard.page.query import wetink_of

PROPERTIES = (
    *("sku", "product_id", "name", "category", "brand", "price", "quantity"),
    *("total", "currency", "coupon", "query"),
)

BLANK: Mapping[str, Any] = {"rule": [{"done": "Product Viewed", "within": "7d"}]}
"""The content of a new audience."""


MOST_PROBLEMS = 20
"""Problems of a rule that are shown."""


class Editor(msgspec.Struct, frozen=True):
    """An audience in the editor: the form's draft, the file's text, the audience, None if invalid, and the problems."""

    title: str
    draft: Draft
    hook: Mapping[str, str]
    yaml: str
    audience: Audience | None
    wrong: tuple[str, ...] = ()


def of_file(audience: Audience | None) -> Editor:
    """Return the editor of a saved audience; None gives that of a new one."""
    raw = spelled(audience) if audience is not None else dict(BLANK)
    return _editor(raw, "audience", audience_text(raw))


def of_form(form: Mapping[str, str], name: str) -> Editor:
    """Return the editor after an edit of the form's fields, or a press of one of its buttons.

    A form without fields of a rule belongs to a rule that only the file can express.
    """
    if not any(field.startswith("rule.") for field in form):
        return of_yaml(form.get("yaml", ""), name)
    draft = edited(rooted(nested(form, "rule")), form.get("do", ""))
    editor = _editor(_written(form, draft), name, "")
    text = audience_text(spelled(editor.audience) if editor.audience is not None else _written(form, draft))
    return msgspec.structs.replace(editor, draft=draft, yaml=text)


def of_yaml(text: str, name: str) -> Editor:
    """Return the editor after an edit of the file's text."""
    try:
        raw = parse_yaml(text)
    except BadContent as error:
        return Editor("", rooted(draft_of({})), {}, text, None, (str(error),))
    return _editor(raw, name, text)


def newest(form: Mapping[str, str], name: str) -> Editor:
    """Return the editor of the side that was edited last, since the other may not have followed yet.

    `yaml-was` has the file's text as the server wrote it last: as long as it stands there, the form is newer.
    """
    written, now = (form.get(each, "").replace("\r\n", "\n") for each in ("yaml-was", "yaml"))
    return of_form(form, name) if written and written == now else of_yaml(form.get("yaml", ""), name)


def rule_of(editor: Editor) -> Rule | None:
    """Return the edited rule; None if it is invalid."""
    return editor.audience.rule if editor.audience is not None else None


class Builder(msgspec.Struct, frozen=True):
    """A place of the rule builder: its fields' prefix, and where its buttons go, with `act` before their words."""

    redraw: str
    action: str
    prefix: str = ""
    act: str = ""


def offered(request: Request, name: str) -> dict[str, Any]:
    """Return the choices in the form of an audience, which cannot name itself."""
    builder = Builder("/dashboard/audiences/tried?from=form", "/dashboard/audiences/edit")
    return {"builder": builder, **choices(request, name)}


def choices(request: Request, name: str = "") -> dict[str, Any]:
    """Return the choices in the rule builder. The audience called `name` is none of them."""
    content = wetink_of(request).content
    return {
        "nodes": NODES,
        "step_where": STEP.fields[1],
        "kinds": tuple((word, node.label) for word, node in NODES.items()),
        "counts": COUNTS,
        "windows": WINDOWS,
        "operators": tuple((each.name, each.words) for each in OPERATORS),
        "events": sorted(EVENTS),
        "properties": PROPERTIES,
        "moments": tuple(traits.MOMENT_FIELDS),
        "audiences": [(each, each) for each in sorted(content.audiences) if each != name],
    }


def _editor(raw: Any, name: str, text: str) -> Editor:
    fields = raw if isinstance(raw, Mapping) else {}
    hook = fields.get("hook")
    shown = {str(key): str(value) for key, value in hook.items()} if isinstance(hook, Mapping) else {}
    draft = rooted(draft_of(fields.get("rule", {})))
    title = str(fields.get("title", ""))
    try:
        return Editor(title, draft, shown, text, audience_of(name or "audience", raw))
    except Unreadable as error:
        return Editor(title, draft, shown, text, None, tuple(error.problems[:MOST_PROBLEMS]))
    except BadContent as error:
        return Editor(title, draft, shown, text, None, (f"{error.where}: {error}" if error.where else str(error),))


def _rule(draft: Draft) -> Any:
    """Return the root as written in a file: a list if all of it must match."""
    whole = spelling_of(draft)
    return whole.get("all", whole)


def _written(form: Mapping[str, str], draft: Draft) -> dict[str, Any]:
    """Return the file for a form. Values without a field in the form stay as in the file's text."""
    before = _read(form.get("yaml", ""))
    title, url = form.get("title", "").strip(), form.get("hook.url", "").strip()
    hook = before.get("hook")
    known = dict(hook) if isinstance(hook, Mapping) else {}
    written = {**({"title": title} if title else {}), "rule": _rule(draft)}
    if url:
        written["hook"] = {**known, "url": url, "send": form.get("hook.send", "webhook")}
    kept = {name: value for name, value in before.items() if name not in ("title", "rule", "hook")}
    return {**written, **kept}


def _read(text: str) -> Mapping[str, Any]:
    try:
        raw = parse_yaml(text)
    except BadContent:
        return {}
    return raw if isinstance(raw, Mapping) else {}
