"""Experiment result: the arms, their lift over the control, and both in plain words.

If the arms' sizes do not match their shares, every comparison is worthless. Source: Lindon and Malek, "Anytime-Valid
Inference for Multinomial Count Data" (arXiv 2011.03567): the Bayes factor of a Dirichlet prior around the intended
shares against those shares. The inverse of its maximum so far is a p-value that is valid at every look.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from wetink.core.blocks.experiment import HOLDOUT, Plan
from wetink.core.signals.lift import ALPHA, FEW_CONVERSIONS, FEW_RECIPIENTS, Lift, Sample, counted, lift
from wetink.core.signals.report import DAY_MS
from wetink.core.units.currency import rounded

ALARM = 0.01
"""The probability that the alarm is ever raised falsely."""

CONCENTRATION = 1_000.0
"""How close to the shares the prior expects alternatives: one or two percent off. The test detects a gross mismatch
within hundreds of people, and one of a percent within tens of thousands."""


class Mismatch(msgspec.Struct, frozen=True):
    """Whether people are divided as intended. `p` is always valid; `counts` and `expected` are by arm."""

    p: float
    counts: dict[str, int]
    expected: dict[str, float]

    @property
    def alarm(self) -> bool:
        """Whether something is almost certainly wrong."""
        return self.p < ALARM


def log_bayes_factor(
    counts: Mapping[str, int], shares: Mapping[str, float], prior: Mapping[str, float] | None = None
) -> float:
    """Return the logarithm of how much more likely the counts are under the prior than under the shares.

    >>> round(log_bayes_factor({"a": 500, "b": 500}, {"a": 0.5, "b": 0.5}), 3)
    -0.347
    """
    alpha = prior if prior is not None else {arm: CONCENTRATION * share for arm, share in shares.items()}
    whole, n = sum(alpha.values()), sum(counts.get(arm, 0) for arm in shares)
    log = math.lgamma(whole) - math.lgamma(whole + n)
    for arm, share in shares.items():
        count = counts.get(arm, 0)
        log += math.lgamma(alpha[arm] + count) - math.lgamma(alpha[arm]) - count * math.log(share)
    return log


def mismatch(by_day: Iterable[Mapping[str, int]], shares: Mapping[str, float]) -> Mismatch:
    """Return the state after these days' new people by arm, tested after each day. `shares` add up to 1."""
    counts = dict.fromkeys(shares, 0)
    p = 1.0
    for day in by_day:
        for arm in counts:
            counts[arm] += day.get(arm, 0)
        p = min(p, math.exp(min(-log_bayes_factor(counts, shares), 0.0)))
    return Mismatch(p, counts, dict(shares))


METRICS: dict[str, str] = {
    "clicks": "recipients who click",
    "orders": "recipients who order",
    "revenue": "revenue of a recipient",
}
"""The metrics of a comparison."""

MORE = {"clicks": "more recipients click", "orders": "more recipients order", "revenue": "a recipient brings more"}
LESS = {"clicks": "fewer recipients click", "orders": "fewer recipients order", "revenue": "a recipient brings less"}

PACE_DAYS = 7
"""Days that the current pace is measured over."""

LONGEST_DAYS, MOST_SAID = 365, 100_000_000
"""Days and recipients beyond which no number is shown, because such a wait makes no sense."""

POINTS = 60
"""Days in the chart."""


class DailyExposures(msgspec.Struct, frozen=True):
    """The people first exposed on one day (its first Unix ms) in one arm. `clicked` are those who have clicked since.

    If `seen`, people who may have looked, on the day of the first open that counts. Otherwise, people with fetches by
    machines only, on the day of the first fetch.
    """

    day: int
    arm: str
    seen: bool
    people: int
    clicked: int
    implied: int = 0
    """People who looked according to a click only."""


class ExperimentOrder(msgspec.Struct, frozen=True):
    """An order after a person's first exposure. `person` identifies people; `revenue` is in the result's currency."""

    arm: str
    person: str
    at: int
    revenue: float
    seen: bool = True


class ArmResult(msgspec.Struct, frozen=True):
    """The results of one arm. The `unseen`, whose emails only machines fetched, are not among `people`."""

    arm: str
    share: float
    """The intended part of people; for a bandit, the actual one."""
    people: int
    unseen: int
    clicked: int
    ordered: int
    revenue: float
    samples: dict[str, Sample]
    implied: int = 0
    """People of the arm who looked according to a click only."""


class Point(msgspec.Struct, frozen=True):
    """A comparison at the end of a day."""

    day: int
    lift: Lift


class Result(msgspec.Struct, frozen=True):
    """An experiment so far. `lifts` and `course` are by metric, for each arm beside the control."""

    experiment: str
    block: str
    control: str
    since: int | None
    people: int
    per_day: float
    currency: str
    arms: tuple[ArmResult, ...]
    lifts: dict[str, tuple[Lift, ...]]
    course: dict[str, tuple[Point, ...]]
    mismatch: Mismatch | None
    words: dict[str, tuple[str, ...]]
    alarm: str = ""
    notes: tuple[str, ...] = ()
    bandit: bool = False


def result(
    plan: Plan, block: str, days: Iterable[DailyExposures], orders: Iterable[ExperimentOrder], currency: str, now: int
) -> Result:
    """Return the result of an experiment at `now` (Unix ms)."""
    days = sorted((each for each in days if each.arm in plan.arms), key=lambda each: each.day)
    orders = sorted((each for each in orders if each.arm in plan.arms), key=lambda each: each.at)
    control, adaptive = plan.arms[0], plan.bandit is not None
    alpha = ALPHA / max(len(plan.arms) - 1, 1)
    samples = _samples(plan, days, orders)
    people = sum(each.people for each in days if each.seen)
    recent = sum(each.people for each in days if each.seen and each.day > now - (PACE_DAYS + 1) * DAY_MS)
    since = days[0].day if days else None
    age = min(max((now - since) / DAY_MS, 1.0), PACE_DAYS) if since is not None else 1.0
    per_day = recent / age
    lifts = {
        metric: tuple(
            lift(
                *(arm, samples[metric][arm], control, samples[metric][control]),
                worth=plan.worth,
                alpha=alpha,
                adaptive=adaptive,
            )
            for arm in plan.arms[1:]
        )
        for metric in METRICS
    }
    divided, course = _divided(plan, days), _course(plan, days, orders, alpha)
    return Result(
        plan.name,
        block,
        control,
        since,
        people,
        per_day,
        currency,
        tuple(_arm(plan, arm, days, orders, samples, people, currency) for arm in plan.arms),
        lifts,
        course,
        divided,
        {metric: tuple(sentence(each, metric, plan.worth, per_day) for each in lifts[metric]) for metric in METRICS},
        _alarm(divided),
        bandit=adaptive,
    )


def _samples(
    plan: Plan, days: Iterable[DailyExposures], orders: Iterable[ExperimentOrder]
) -> dict[str, dict[str, Sample]]:
    """By metric and arm, of the people who may have looked."""
    running = _Running(plan.arms)
    for exposed in days:
        running.expose(exposed)
    for order in orders:
        running.order(order)
    return {metric: {arm: running.sample(metric, arm) for arm in plan.arms} for metric in METRICS}


def _arm(
    plan: Plan,
    arm: str,
    days: Sequence[DailyExposures],
    orders: Sequence[ExperimentOrder],
    samples: Mapping[str, Mapping[str, Sample]],
    people: int,
    currency: str,
) -> ArmResult:
    mine = {metric: by_arm[arm] for metric, by_arm in samples.items()}
    share = plan.expected()[arm]
    if plan.bandit is not None and arm != HOLDOUT and people:
        share = mine["orders"].n / people
    return ArmResult(
        arm,
        share,
        mine["orders"].n,
        sum(each.people for each in days if each.arm == arm and not each.seen),
        round(mine["clicks"].total),
        mine["orders"].conversions,
        rounded(mine["revenue"].total, currency),
        mine,
        sum(each.implied for each in days if each.arm == arm and each.seen),
    )


def _course(
    plan: Plan, days: Sequence[DailyExposures], orders: Sequence[ExperimentOrder], alpha: float
) -> dict[str, tuple[Point, ...]]:
    """Return the first comparison at the end of each of the last days, by metric. Clicks count on the exposure's day.

    `days` and `orders` come by time, and each is added once, so this takes as long as a single comparison.
    """
    points: dict[str, list[Point]] = {metric: [] for metric in METRICS}
    if days and len(plan.arms) > 1:
        arm, control = plan.arms[1], plan.arms[0]
        running, new_days, new_orders = _Running(plan.arms), deque(days), deque(orders)
        ends = sorted({each.day for each in days} | {each.at - each.at % DAY_MS for each in orders})
        first = ends[-POINTS:][0]
        for day in ends:
            while new_days and new_days[0].day < day + DAY_MS:
                running.expose(new_days.popleft())
            while new_orders and new_orders[0].at < day + DAY_MS:
                running.order(new_orders.popleft())
            for metric in METRICS if day >= first else ():
                mine, theirs = running.sample(metric, arm), running.sample(metric, control)
                found = lift(
                    arm, mine, control, theirs, worth=plan.worth, alpha=alpha, adaptive=plan.bandit is not None
                )
                points[metric].append(Point(day, found))
    return {metric: tuple(found) for metric, found in points.items()}


class _Running:
    """The samples of arms while people and orders are added by time."""

    def __init__(self, arms: Iterable[str]) -> None:
        self._people, self._clicked = dict.fromkeys(arms, 0), dict.fromkeys(arms, 0)
        self._spent: dict[str, dict[str, float]] = {arm: {} for arm in arms}
        self._revenue, self._squares = dict.fromkeys(arms, 0.0), dict.fromkeys(arms, 0.0)

    def expose(self, added: DailyExposures) -> None:
        if added.seen:
            self._people[added.arm] += added.people
            self._clicked[added.arm] += added.clicked

    def order(self, added: ExperimentOrder) -> None:
        if added.seen:
            spent, arm = self._spent[added.arm], added.arm
            before = spent.get(added.person, 0.0)
            spent[added.person] = after = before + added.revenue
            self._revenue[arm] += added.revenue
            self._squares[arm] += after * after - before * before

    def sample(self, metric: str, arm: str) -> Sample:
        people, buyers = self._people[arm], len(self._spent[arm])
        if metric == "revenue":
            return Sample(people, self._revenue[arm], self._squares[arm], buyers)
        return counted(people, self._clicked[arm] if metric == "clicks" else buyers)


def _divided(plan: Plan, days: Sequence[DailyExposures]) -> Mismatch | None:
    """Return whether people are divided as intended. A bandit's shares are not fixed, but its holdout's is."""
    if plan.bandit is not None and not plan.holdout:
        return None
    shares = plan.expected() if plan.bandit is None else {HOLDOUT: plan.holdout, "others": 1 - plan.holdout}
    by_day: dict[int, dict[str, int]] = {}
    for each in days:
        arm = each.arm if each.arm in shares else "others"
        counts = by_day.setdefault(each.day, {})
        counts[arm] = counts.get(arm, 0) + each.people
    return mismatch((counts for _, counts in sorted(by_day.items())), shares)


def _alarm(divided: Mismatch | None) -> str:
    if divided is None or not divided.alarm:
        return ""
    n = sum(divided.counts.values())
    sizes = ", ".join(
        f"{arm} has {count:,} and should have about {n * divided.expected[arm]:,.0f}"
        for arm, count in divided.counts.items()
    )
    return f"The arms have unexpected sizes ({sizes}). Do not trust any comparison until you know why."


def sentence(found: Lift, metric: str, worth: float, per_day: float) -> str:
    """Return a comparison in plain words, with the recipients still needed if it is undecided.

    >>> few = lift("new", counted(40, 2), "old", counted(40, 2), worth=0.1)
    >>> sentence(few, "clicks", 0.1, 8)[:77]
    'new: not enough data yet, 80 recipients. To detect a difference of 10%, about'
    """
    spans = _span(found)
    match found.verdict:
        case "better" | "worse":
            more = (MORE if found.verdict == "better" else LESS)[metric]
            return f"{found.arm}: {more} than with {found.control}{spans}, however often you look."
        case "alike":
            return f"{found.arm}: no difference that matters from {found.control}{spans}."
        case "too little data":
            start = f"{found.arm}: not enough data yet, {found.recipients:,} recipients."
        case _:
            start = f"{found.arm}: no clear difference from {found.control} yet{spans}."
    return f"{start} {_wanted(found, worth, per_day)}"


def briefly(found: Lift) -> str:
    """Return a comparison in a few words.

    >>> briefly(lift("new", counted(9, 1), "old", counted(9, 1), worth=0.1))
    'new: not enough data yet'
    """
    relative = found.relative
    if found.verdict == "too little data" or relative is None:
        return f"{found.arm}: not enough data yet"
    middle, low, high = (f"{each * 100:+.0f}%" for each in relative)
    return f"{found.arm}: {middle} ({low} to {high})"


def _span(found: Lift) -> str:
    relative = found.relative
    if relative is None:
        return ""
    middle, low, high = (f"{each * 100:+.0f}%" for each in relative)
    return f": {middle}, somewhere between {low} and {high}"


def _wanted(found: Lift, worth: float, per_day: float) -> str:
    if found.needed is None:
        return (
            f"Each arm needs {FEW_RECIPIENTS} recipients and {FEW_CONVERSIONS} conversions before it can be compared."
        )
    more = max(found.needed - found.recipients, 1)
    days = more / per_day if per_day else 0.0
    pace = f", {in_days(days)} at the current pace" if days else ""
    wait = ": too little traffic for such a small difference" if days > LONGEST_DAYS else ""
    count = f"about {rounded_up(more):,}" if more <= MOST_SAID else f"over {MOST_SAID:,}"
    return f"To detect a difference of {worth * 100:.3g}%, {count} more recipients are needed{pace}{wait}."


def in_days(days: float) -> str:
    """Return a number of days in words.

    >>> in_days(0.2), in_days(8.1), in_days(9_999)
    ('about a day', 'about 9 days', 'more than a year')
    """
    if days > LONGEST_DAYS:
        return "more than a year"
    return "about a day" if days <= 1 else f"about {math.ceil(days):,} days"


def rounded_up(count: int) -> int:
    """Return a count rounded up to two significant digits."""
    step = int(10 ** max(len(str(count)) - 2, 0))
    return math.ceil(count / step) * step
