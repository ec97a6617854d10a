"""Navigation: the pages by job, as the sidebar lists them. A new page adds its line here."""

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """One page: its title, its path, and its icon at the top level (a name from Lucide)."""

    title: str
    path: str
    icon: str = ""


class Group(msgspec.Struct, frozen=True):
    """Pages of one job, under a title that folds them away. `name` is what a browser remembers of a folded group."""

    name: str
    title: str
    icon: str
    entries: tuple[Entry, ...]


NAVIGATION: tuple[Entry | Group, ...] = (
    Entry("Home", "/dashboard", icon="house"),
    Group(
        "content",
        "Content",
        icon="layout-template",
        entries=(
            Entry("Blocks", "/dashboard/blocks"),
            Entry("Gallery", "/dashboard/apps"),
            Entry("Templates", "/dashboard/templates"),
            Entry("Media", "/dashboard/media"),
            Entry("Scenarios", "/dashboard/scenarios"),
            Entry("Versions", "/dashboard/versions"),
        ),
    ),
    Entry("Audiences", "/dashboard/audiences", icon="users"),
    Group(
        "results",
        "Results",
        icon="chart-column",
        entries=(
            Entry("Reports", "/dashboard/reports"),
            Entry("Experiments", "/dashboard/experiments"),
            Entry("Conversions", "/dashboard/conversions"),
            Entry("Opens", "/dashboard/opens"),
        ),
    ),
    Entry("People", "/dashboard/people", icon="contact-round"),
    Group(
        "data",
        "Data",
        icon="database",
        entries=(
            Entry("Live", "/dashboard/live"),
            Entry("Catalog", "/dashboard/catalog"),
            Entry("Feeds", "/dashboard/feeds"),
            Entry("Mappings", "/dashboard/mappings"),
            Entry("Sources", "/dashboard/sources"),
        ),
    ),
    Group(
        "settings",
        "Settings",
        icon="settings",
        entries=(
            Entry("General", "/dashboard/settings"),
            Entry("Team", "/dashboard/settings/team"),
            Entry("Security", "/dashboard/settings/security"),
            Entry("Single sign-on", "/dashboard/settings/sign-on"),
            Entry("API tokens", "/dashboard/settings/tokens"),
            Entry("Audit log", "/dashboard/settings/audit"),
            Entry("Status", "/dashboard/status"),
        ),
    ),
)

ENTRIES: tuple[Entry, ...] = tuple(
    entry for each in NAVIGATION for entry in (each.entries if isinstance(each, Group) else (each,))
)
"""All pages of the navigation, in its order."""


def current(path: str) -> Entry | None:
    """Return the entry that a path belongs to: the one with the longest path above it; None outside of all.

    >>> current("/dashboard/apps/countdown").title, current("/dashboard").title, current("/dashboard/search")
    ('Gallery', 'Home', None)
    """
    above = [each for each in ENTRIES if path == each.path or _inside(path, each.path)]
    return max(above, key=lambda each: len(each.path), default=None)


def folded(remembered: str | None, here: Entry | None) -> frozenset[str]:
    """Return the names of the groups that are folded: those that the browser remembers, except the current page's.

    `remembered` is the cookie's value, names with a dot between; None without a cookie folds Settings.

    >>> folded(None, None), folded("data.absent", None), folded("data", current("/dashboard/live"))
    (frozenset({'settings'}), frozenset({'data'}), frozenset())
    """
    names = {"settings"} if remembered is None else set(remembered.split("."))
    groups = [each for each in NAVIGATION if isinstance(each, Group)]
    return frozenset(each.name for each in groups if each.name in names and here not in each.entries)


def _inside(path: str, above: str) -> bool:
    """Return whether a page lies below another one. Home lies above none, or else it would be above all."""
    return above != "/dashboard" and path.startswith(f"{above}/")
