"""Actions: a change in words for the audit log, from its route. A page that knows more says it better."""

from collections.abc import Mapping

from wetink.core.access.permissions import plain

WORDS: Mapping[str, tuple[str, str]] = {
    "/dashboard/start/connect": ("made a key for", "the first source"),
    "/dashboard/start/sample": ("brought", "sample data"),
    "/dashboard/start/address": ("changed", "the public address"),
    "/dashboard/start/dismiss": ("closed", "the checklist"),
    "/dashboard/apps/{name}": ("made a block with the app", ""),
    "/dashboard/blocks/new": ("made", "a block"),
    "/dashboard/blocks/{name}/edit/copy": ("copied the draft of", "block"),
    "/dashboard/blocks/{name}/edit/discard": ("discarded the draft of", "block"),
    "/dashboard/blocks/{name}/manage": ("changed", "block"),
    "/dashboard/media/{room}/{name}": ("changed", "media"),
    "/dashboard/review/publish": ("published", "drafts"),
    "/dashboard/review/resolve": ("resolved a conflict of", "drafts"),
    "/dashboard/versions/{number}/undo": ("undid", "version"),
    "/dashboard/versions/{number}/restore": ("restored", "version"),
    "/dashboard/audiences/save": ("saved", "an audience"),
    "/dashboard/audiences/{name}/again": ("sent the failed webhooks again of", "audience"),
    "/dashboard/reports/views": ("saved", "a view of reports"),
    "/dashboard/reports/views/delete": ("deleted", "a view of reports"),
    "/dashboard/audiences/{name}/delete": ("deleted", "audience"),
    "/dashboard/blocks/{name}/experiment": ("changed the experiment of", "block"),
    "/dashboard/templates": ("made", "a template"),
    "/dashboard/templates/{name}": ("changed", "template"),
    "/dashboard/reports/summary": ("changed", "the weekly summary"),
    "/dashboard/reports/summary/test": ("sent a test of", "the weekly summary"),
    "/dashboard/feeds/new": ("made", "a feed"),
    "/dashboard/feeds/new/weather": ("made", "a weather feed"),
    "/dashboard/feeds/{name}/edit": ("changed", "feed"),
    "/dashboard/feeds/{name}/change": ("changed", "feed"),
    "/dashboard/feeds/{name}/file": ("uploaded", "feed"),
    "/dashboard/catalog/product": ("changed", "a product"),
    "/dashboard/catalog/file": ("imported", "products"),
    "/dashboard/sources": ("made", "a source"),
    "/dashboard/sources/change": ("changed", "a source"),
    "/dashboard/settings/address": ("changed", "the public address"),
    "/dashboard/settings/signals": ("changed", "goals and attribution"),
    "/api/feeds/{name}": ("uploaded", "feed"),
}
"""Path of a route -> what is done, and to what. The values of its parameters follow."""


def action_of(path: str) -> tuple[str, str]:
    """Return a change in words from the path of its route: what was done, and to what.

    >>> action_of("/dashboard/sources/change"), action_of("/dashboard/things/{name}/archive")
    (('changed', 'a source'), ('archive', 'things'))
    >>> action_of("/dashboard/new-things"), action_of("/dashboard/settings/colors")
    (('change', 'new things'), ('change', 'colors'))
    """
    path = plain(path)
    if path in WORDS:
        return WORDS[path]
    parts = [part for part in path.split("/") if part][1:]
    words = [part.replace("-", " ") for part in parts if not part.startswith("{")]
    if words[:1] == ["settings"]:
        words = words[1:] or words
    if len(words) > 1 and not parts[-1].startswith("{"):
        return words[-1], words[0]
    return "change", words[0] if words else ""
