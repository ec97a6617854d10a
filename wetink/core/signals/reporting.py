"""Reporting: the content of `reports.yaml`: the views of reports that a team saved, and the weekly summary."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wetink.core.errors import BadContent
from wetink.core.text.link import host_of

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MOST_VIEWS, MOST_ADDRESSES = 100, 50
ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}")


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report under a title: its days, breakdown and filters, as in the address of the page."""

    title: Annotated[str, Meta(min_length=1, max_length=80)]
    query: Annotated[str, Meta(max_length=2_000)] = ""


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The weekly summary: its receivers, and the hour of the week in the shop's zone from which it is sent."""

    to: tuple[str, ...] = ()
    """Addresses that it is sent to by email."""
    webhook: str = ""
    """The address that it is posted to as JSON, such as a Slack channel's incoming webhook."""
    day: Day = "monday"
    hour: Annotated[int, Meta(ge=0, le=23)] = 8

    @property
    def on(self) -> bool:
        """Whether anybody receives it."""
        return bool(self.to or self.webhook)


class Reporting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The content of `reports.yaml`."""

    views: tuple[View, ...] = ()
    summary: Summary = Summary()

    def with_view(self, view: View) -> "Reporting":
        """Return it with a view, in place of the one with the same title. Raises BadContent for too many."""
        if view.title not in {each.title for each in self.views} and len(self.views) >= MOST_VIEWS:
            raise BadContent(f"there are {MOST_VIEWS} views already", hint="delete one first", where="title")
        others = [each for each in self.views if each.title != view.title]
        views = sorted([*others, view], key=lambda each: each.title.casefold())
        return msgspec.structs.replace(self, views=tuple(views))

    def without_view(self, title: str) -> "Reporting":
        """Return it without the view of a title."""
        return msgspec.structs.replace(self, views=tuple(each for each in self.views if each.title != title))


def reporting_of(raw: Any) -> Reporting:
    """Return the reporting of a YAML document. Raises BadContent with the place."""
    if raw is None:
        return Reporting()
    try:
        found = msgspec.convert(raw, Reporting)
    except msgspec.ValidationError as error:
        raise BadContent(str(error)) from error
    titles = [view.title for view in found.views]
    if len(set(titles)) < len(titles) or len(titles) > MOST_VIEWS:
        raise BadContent(f"views: at most {MOST_VIEWS}, each with a title of its own")
    check(found.summary)
    return found


def check(summary: Summary) -> None:
    """Raise BadContent for a summary that could not be sent, with the field."""
    for each in summary.to:
        if not ADDRESS.fullmatch(each):
            raise BadContent(f"to: {each[:80]!r} is not an email address", hint="write jane@shop.example", where="to")
    if len(summary.to) > MOST_ADDRESSES:
        raise BadContent(f"to: at most {MOST_ADDRESSES} addresses", where="to")
    if summary.webhook and (len(summary.webhook) > 2_048 or not host_of(summary.webhook)):
        raise BadContent(f"webhook: {summary.webhook[:80]!r} is not an http(s) URL", where="webhook")
