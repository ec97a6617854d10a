"""Attribution: which opens and clicks get credit for a conversion, by which rule, and why the others do not.

The blocks of one email are fetched in the same moment: that is one open of the email, and its blocks share the credit.
"""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from hashlib import blake2b

import msgspec

from wetink.core.client_classification import RULES_VERSION, Facts
from wetink.core.signals.conversion import Conversion
from wetink.core.signals.device_class import parts
from wetink.core.signals.goal import DEFAULT_MODEL, Goal
from wetink.core.units.currency import most_digits
from wetink.core.units.duration import parse

AGAIN_MS = 60_000
"""Opens as data of the same block by the same recipient within this many milliseconds are one open."""

PROVED_MS = 86_400_000
"""If its block was opened within this many milliseconds before or after, a click implies no further open."""


class Touch(msgspec.Struct, frozen=True, gc=False):
    """An open or a click of a block by a recipient (`kind:value`), its class, and the facts behind the class."""

    kind: str
    block: str
    recipient: str
    campaign: str
    at: int
    variant: str = ""
    fetch_class: str = msgspec.field(default="person", name="taken_for")
    facts: Facts = Facts()
    version: int = RULES_VERSION
    human: bool = True
    """Whether it counts as a person's, by the block's policy: machines' usually do not."""
    arms: dict[str, str] = {}
    """Experiment -> the person's arm."""
    implied: bool = False
    """An open that nobody saw but a person's click proves: the mail provider had prefetched the picture."""
    once: bool = False
    """Whether it counts only if no process has counted such an open within `AGAIN_MS`."""
    audiences: tuple[str, ...] = ()
    """The audiences that the person was in when it was stored."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the crowd that it counts for: its device class, and `@` and each audience."""
        return parts(self.fetch_class, self.facts, self.audiences)


TOGETHER_MS = 5_000
"""Opens of one campaign at most this many milliseconds apart are one open of the email."""


class Credit(msgspec.Struct, frozen=True):
    """An open or click that gets a part of a conversion (1 for all of it), and the rule that gives it.

    `amount` is its part of the value that is left, in the conversion's currency. All credits add up to it exactly.
    """

    touch: Touch
    part: float
    why: str
    amount: float = 0.0


class Loss(msgspec.Struct, frozen=True):
    """An open or click that gets no credit, and why."""

    touch: Touch
    why: str


class Attribution(msgspec.Struct, frozen=True):
    """A conversion with its credits under a model. There are none if no email brought it."""

    conversion: Conversion
    model: str
    credits: tuple[Credit, ...] = ()
    losses: tuple[Loss, ...] = ()


Chosen = tuple[list[tuple[Touch, int, str]], Callable[[Touch], str]]
"""The chosen opens and clicks, each with the number of equal parts that it gets one of, and the rule; and a function
that returns why another gets none."""

Look = Sequence[Touch]
"""The opens of one email's blocks in one moment, oldest first."""


def attribute(conversion: Conversion, touches: Iterable[Touch], goal: Goal, model: str) -> Attribution:
    """Return the credits for a conversion among these opens and clicks of its person, in any order.

    No credit goes to anything after the conversion, to machines, to a fallback without a click, or outside the goal's
    windows.
    """
    touches = sorted(touches, key=_order)
    windows = {"click": (parse(goal.clicks), goal.clicks), "open": (parse(goal.opens), goal.opens)}
    clicked = {
        (touch.block, touch.campaign): touch.at
        for touch in touches
        if touch.kind == "click" and touch.human and not touch.variant and touch.at <= conversion.at
    }
    losses: list[Loss] = []
    able: list[Touch] = []
    for touch in touches:
        why = _barred(touch, conversion.at, windows, clicked)
        if why:
            losses.append(Loss(touch, why))
        else:
            able.append(touch)
    chosen, reason_lost = RULES[model](able)
    amounts = split(
        conversion.value,
        [Fraction(1, among) for _, among, _ in chosen],
        conversion.currency,
        [f"{conversion.id}\0{touch.block}" for touch, _, _ in chosen],
    )
    credits = tuple(
        Credit(touch, 1 / among, why, amount) for (touch, among, why), amount in zip(chosen, amounts, strict=True)
    )
    taken = {id(touch) for touch, _, _ in chosen}
    losses += [Loss(touch, reason_lost(touch)) for touch in able if id(touch) not in taken]
    return Attribution(conversion, model, credits, tuple(sorted(losses, key=lambda loss: _order(loss.touch))))


def split(amount: float, weights: Sequence[Fraction | float], currency: str, names: Sequence[str] = ()) -> list[float]:
    """Split an amount by weights into whole cents (or the currency's decimals) that add up to it, by largest remainder.

    If remainders are equal, the hashes of `names` decide, so that no name is favored for long.

    >>> split(10, [1, 1, 1], "EUR"), split(100, [1, 2], "JPY"), split(10, [], "EUR")
    ([3.34, 3.33, 3.33], [33.0, 67.0], [])
    """
    if len(weights) == 1:
        return [amount]
    whole = sum(Fraction(weight) for weight in weights)
    if not whole:
        return [0.0] * len(weights)
    digits = most_digits(currency)
    if round(amount, digits) != amount:
        digits = max(digits, 2)
    unit = 10**digits
    total = round(Fraction(str(amount)) * unit)
    exact = [total * Fraction(weight) / whole for weight in weights]
    cents = [each.numerator // each.denominator for each in exact]
    keys = [blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in names]
    order = sorted(
        range(len(exact)), key=lambda index: (cents[index] - exact[index], keys[index] if keys else b"", index)
    )
    for index in order[: total - sum(cents)]:
        cents[index] += 1
    return [each / unit for each in cents]


def _order(touch: Touch) -> tuple[int, bool, str, str, str, str]:
    return touch.at, touch.kind == "click", touch.block, touch.campaign, touch.recipient, touch.variant


def _barred(touch: Touch, at: int, windows: dict[str, tuple[int, str]], clicked: dict[tuple[str, str], int]) -> str:
    if touch.at > at:
        return "it happened after the conversion"
    if not touch.human:
        return f"taken for a {touch.fetch_class}, so nobody looked"
    span, window = windows[touch.kind]
    if touch.at < at - span:
        return f"{_a(touch.kind)} counts for {window}"
    if touch.kind == "open" and not touch.variant and clicked.get((touch.block, touch.campaign), -1) < touch.at:
        return "it showed the fallback, which was not clicked"
    return ""


def _a(kind: str) -> str:
    return "a click" if kind == "click" else "an open"


def _looks(able: Iterable[Touch]) -> Sequence[Look]:
    """Return the opens of each email, oldest first: those of one campaign that follow each other closely."""
    looks: list[list[Touch]] = []
    newest: dict[str, list[Touch]] = {}
    for touch in able:
        if touch.kind != "open":
            continue
        look = newest.get(touch.campaign)
        if look is None or touch.at - look[-1].at > TOGETHER_MS:
            look = newest[touch.campaign] = []
            looks.append(look)
        look.append(touch)
    return looks


def _shared(looks: Sequence[Look], why: str) -> list[tuple[Touch, int, str]]:
    """Give each of several emails an equal part, which its blocks share, each by its newest open or click."""
    blocks = [list({touch.block: touch for touch in look}.values()) for look in looks]
    count = sum(map(len, blocks))
    shared = f", shared by {count} blocks" if count > 1 else ""
    return [(touch, len(looks) * len(mine), why + shared) for mine in blocks for touch in mine]


def _by_campaign(touches: Iterable[Touch]) -> Sequence[Look]:
    found: dict[str, list[Touch]] = {}
    for touch in touches:
        found.setdefault(touch.campaign, []).append(touch)
    return list(found.values())


def _last_clicks(able: Sequence[Touch]) -> Sequence[Look]:
    """Return the last clicks by campaign: nearly always one, more only within the same millisecond."""
    clicks = [touch for touch in able if touch.kind == "click"]
    return _by_campaign(touch for touch in clicks if touch.at == clicks[-1].at)


def _last_looks(able: Sequence[Touch]) -> Sequence[Look]:
    """Return the email that was opened last; several only within the same millisecond."""
    looks = _looks(able)
    newest = max((look[-1].at for look in looks), default=0)
    return [look for look in looks if look[-1].at == newest]


def _last_click_else_open(able: Sequence[Touch]) -> Chosen:
    if clicks := _last_clicks(able):
        return _shared(
            clicks, "the last click before it"
        ), lambda touch: "a later click counts" if touch.kind == "click" else "a click counts before any open"
    return _shared(_last_looks(able), "no click, so the last open before it"), lambda _: "a later open counts"


def _last(kind: str) -> Callable[[Sequence[Touch]], Chosen]:
    def rule(able: Sequence[Touch]) -> Chosen:
        plural = "clicks" if kind == "click" else "opens"
        newest = _last_clicks(able) if kind == "click" else _last_looks(able)

        def reason_lost(touch: Touch) -> str:
            return f"a later {kind} counts" if touch.kind == kind else f"only {plural} count in this model"

        return _shared(newest, f"the last {kind} before it"), reason_lost

    return rule


def _first(able: Sequence[Touch]) -> Chosen:
    why = "the first open or click before it"
    if not able:
        return [], lambda _: ""
    start = able[0].at
    looks = [look for look in _looks(able) if look[0].at == start]
    first = looks or _by_campaign(touch for touch in able if touch.at == start)
    return _shared(first, why), lambda _: "an earlier one counts"


def _linear(able: Sequence[Touch]) -> Chosen:
    """Count each email once, and each of its blocks once: by its last click, or else its last open."""
    emails = _emails(able)
    blocks = [_best(email) for email in emails]
    count = len(emails)
    chosen = []
    for mine in blocks:
        shared = f", shared by its {len(mine)} blocks" if len(mine) > 1 else ""
        why = f"one of {count}, in equal parts" if count > 1 else "one of 1"
        chosen += [(touch, count * len(mine), why + shared) for touch in mine]
    return sorted(chosen, key=lambda each: _order(each[0])), lambda _: "the same block in the same campaign counts once"


def _emails(able: Sequence[Touch]) -> list[list[Touch]]:
    """Return the opens and clicks of each email: of each campaign, or else those that share a moment or a block."""
    emails: dict[str, list[tuple[set[str], list[Touch]]]] = {}
    for look in (*_looks(able), *([touch] for touch in able if touch.kind == "click")):
        campaign, blocks, touches = look[0].campaign, {touch.block for touch in look}, list(look)
        known = emails.setdefault(campaign, [])
        for other in [each for each in known if campaign or each[0] & blocks]:
            known.remove(other)
            blocks, touches = blocks | other[0], other[1] + touches
        known.append((blocks, touches))
    return [touches for known in emails.values() for _, touches in known]


def _best(email: Iterable[Touch]) -> list[Touch]:
    """Return each block's last click, or else its last open."""
    best: dict[str, Touch] = {}
    for touch in sorted(email, key=_order):
        other = best.get(touch.block)
        if other is None or touch.kind == "click" or other.kind == "open":
            best[touch.block] = touch
    return list(best.values())


RULES: dict[str, Callable[[Sequence[Touch]], Chosen]] = {
    DEFAULT_MODEL: _last_click_else_open,
    "last-click": _last("click"),
    "last-open": _last("open"),
    "first": _first,
    "linear": _linear,
}
"""How each of `goal.MODELS` chooses among the opens and clicks that may get credit, oldest first."""
