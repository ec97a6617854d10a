"""Forecast: how long an experiment will take at today's traffic, before it starts."""

import math
from collections.abc import Mapping

import msgspec

from wetink.core.signals.experiment_result import LONGEST_DAYS, in_days, rounded_up
from wetink.core.signals.lift import ALPHA, Sample, counted, lift

SUPPOSED = 100_000
"""Recipients that are supposed, to know how many are needed."""


class Traffic(msgspec.Struct, frozen=True):
    """What a block has had a day: recipients who opened it, and the share of them who clicked."""

    per_day: float
    clicks: float


class Forecast(msgspec.Struct, frozen=True):
    """The recipients and the days that an experiment needs; None for what cannot be known."""

    people: int | None
    days: float | None
    worth: float
    traffic: Traffic

    @property
    def long(self) -> bool:
        """Whether it would take longer than makes sense."""
        return self.days is not None and self.days > LONGEST_DAYS

    @property
    def words(self) -> str:
        """The forecast in one or two sentences."""
        if not self.traffic.per_day:
            return "Nobody has opened this block in the last 7 days, so the time cannot be estimated yet."
        pace = f"{rounded_up(math.ceil(self.traffic.per_day)):,} recipients a day"
        if self.people is None or self.days is None:
            return f"At {pace} and no clicks so far, the time cannot be estimated yet."
        aim = f"to detect a difference of {self.worth * 100:.3g}% in recipients who click"
        said = f"{in_days(self.days)[:1].upper()}{in_days(self.days)[1:]} at {pace}, {aim}"
        return f"{said} ({rounded_up(self.people):,} recipients at {self.traffic.clicks:.1%})."


def forecast(shares: Mapping[str, float], traffic: Traffic, worth: float, *, adaptive: bool = False) -> Forecast:
    """Return the forecast of an experiment with these shares of all recipients, the control first.

    >>> forecast({"a": 0.5, "b": 0.5}, Traffic(900, 0.05), 0.2).words[:41]
    'About 21 days at 900 recipients a day, to'
    """
    rate = min(traffic.clicks, 1.0)
    arms = [arm for arm, share in shares.items() if share > 0]
    if not 0 < rate < 1 or len(arms) < 2 or worth <= 0 or not traffic.per_day:
        return Forecast(None, None, worth, traffic)
    control, needed = arms[0], 0.0
    for arm in arms[1:]:
        both = shares[control] + shares[arm]
        mine, theirs = (_supposed(shares[each] / both, rate) for each in (arm, control))
        alpha = ALPHA / (len(arms) - 1)
        found = lift(arm, mine, control, theirs, worth=worth, alpha=alpha, adaptive=adaptive)
        enough = found.recipients if found.verdict == "alike" else found.needed
        if found.verdict == "alike":  # that many are more than enough: fewer are supposed
            enough = _fewer(shares[arm] / both, rate, worth, alpha, adaptive=adaptive)
        if enough is None:
            return Forecast(None, None, worth, traffic)
        needed = max(needed, enough / both)
    return Forecast(math.ceil(needed), needed / traffic.per_day, worth, traffic)


def _supposed(share: float, rate: float, people: float = SUPPOSED) -> Sample:
    n = max(round(people * share), 2)
    return counted(n, max(round(n * rate), 1))


def _fewer(share: float, rate: float, worth: float, alpha: float, *, adaptive: bool) -> int | None:
    people = float(SUPPOSED)
    while people > 10:
        people /= 2
        mine, theirs = _supposed(share, rate, people), _supposed(1 - share, rate, people)
        found = lift("a", mine, "b", theirs, worth=worth, alpha=alpha, adaptive=adaptive)
        if found.verdict != "alike":
            return found.needed
    return math.ceil(people)
