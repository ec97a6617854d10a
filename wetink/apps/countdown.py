"""Countdown: a ticking clock to a fixed time, to a person's own end, or to the next dispatch."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from wetink.core.app.app import App, Sample, Shop, Shown
from wetink.core.app.setting import Color, LocalTime, Zone
from wetink.core.profile.person import Moment, Person
from wetink.core.units.duration import HOUR
from wetink.core.units.zone import zone

DAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    ends: Annotated[
        Literal["at", "after_first_open", "cart", "dispatch"],
        Meta(description="At a fixed time, after the person's first open, when the cart expires, or at dispatch."),
    ] = "at"
    at: Annotated[LocalTime, Meta(title="Fixed end", description="Fixed end, such as 2026-12-24T18:00.")] = ""
    hours: Annotated[float, Meta(gt=0, le=2160, description="Hours after the first open or cart change.")] = 48.0
    dispatch: Annotated[
        str,
        Meta(pattern=r"^([01]?\d|2[0-3]):[0-5]\d$", description="Daily dispatch time, such as 15:00."),
    ] = "15:00"
    working_days: Annotated[tuple[Weekday, ...], Meta(description="Days with a dispatch.")] = (
        "mon", "tue", "wed", "thu", "fri",
    )  # fmt: skip
    zone: Annotated[Zone, Meta(description="Time zone of the end and of dispatch. Leave empty for the reader's.")] = ""
    promise: Annotated[
        str,
        Meta(
            title="Name",
            description="Name of the countdown. A new name starts a new one for everybody.",
            max_length=40,
        ),
    ] = "first"
    title: Annotated[str, Meta(max_length=80, description="Headline.")] = "Ends in"
    labels: Annotated[tuple[str, ...], Meta(max_length=4, description="Words for the four units.")] = (
        "DAYS", "HOURS", "MINUTES", "SECONDS",
    )  # fmt: skip
    accent: Annotated[Color, Meta(description="Color of the line at the bottom.")] = "#ff6b4a"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the time that is left."""
    name = _promise(person, settings, shop)
    promised = shop.promised.get(name)
    ends_at = promised if isinstance(promised, int) else _end(person, settings, moment)
    if ends_at is None or ends_at <= moment.now:
        return None
    facts = {"ends_at": ends_at, **face(settings)}
    promise = {name: ends_at} if settings.ends != "dispatch" else {}
    return Shown(facts=facts, why=f"ends {_written(ends_at)}", promise=promise)


def face(settings: Settings) -> dict[str, Any]:
    """Return the facts of a countdown that are the same for everybody."""
    labels = [*settings.labels, *("",) * 4][:4]
    return {"title": settings.title, "labels": labels, "accent": settings.accent}


def _promise(person: Person, settings: Settings, shop: Shop) -> str:
    """Return the name under which an end is given. A cart's holds until the cart changes after it, or is ordered."""
    if settings.ends != "cart":
        return settings.promise
    begun = f"{settings.promise} cart "
    ordered = person.orders[0].at if person.orders else 0
    for name, end in shop.promised.items():
        since = name.removeprefix(begun)
        if name == since or not since.isdecimal() or not isinstance(end, int):
            continue
        if int(since) > ordered and end >= person.cart.changed_at:
            return name
    return f"{begun}{person.cart.changed_at}"


def _end(person: Person, settings: Settings, moment: Moment) -> int | None:
    """Return when it ends (Unix ms), None for never."""
    if settings.ends == "after_first_open":
        return moment.now + round(settings.hours * HOUR)
    if settings.ends == "cart":
        return person.cart.changed_at + round(settings.hours * HOUR) if person.cart.lines else None
    where = zone(settings.zone or moment.time_zone)
    if settings.ends == "at":
        try:
            end = datetime.fromisoformat(settings.at)
        except ValueError:
            return None
        return _ms(end if end.tzinfo is not None else end.replace(tzinfo=where))
    return _next_dispatch(settings, datetime.fromtimestamp(moment.now / 1000, where))


def _next_dispatch(settings: Settings, now: datetime) -> int | None:
    hour, minute = map(int, settings.dispatch.split(":"))
    wanted = {DAYS[day] for day in settings.working_days if day in DAYS}
    for ahead in range(8):
        day = now.date() + timedelta(days=ahead)
        end = datetime(day.year, day.month, day.day, hour, minute, tzinfo=now.tzinfo)
        if end.weekday() in wanted and end > now:
            return _ms(end)
    return None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _written(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def check(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what leaves a countdown without an end."""
    if settings.ends == "at" and not settings.at:
        yield "at", "enter an end, such as 2026-12-24T18:00"
    if settings.ends == "dispatch" and not settings.working_days:
        yield "working_days", "choose at least one day"


APP = App(
    name="countdown",
    title="Countdown",
    about="A ticking clock to a fixed time, to a person's own end, or to the next dispatch.",
    settings=Settings,
    show=show,
    template="countdown.liquid",
    moves="countdown",
    promises=True,
    face=face,
    check=check,
    sample=Sample({"ends": "cart", "hours": 30.0, "title": "Your cart is kept for"}),
)
