"""Arms: the arm of each experiment that a recipient is in, kept from the first exposure on."""

from collections.abc import Iterator, Mapping

from wetink.core.blocks.block import Block, Step
from wetink.core.blocks.experiment import HOLDOUT, Exposure, Plan, cut, drawn, everywhere, inherited, planned
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.signals.goal import Signals
from wetink.opens.lookup import Lookup, Open
from wetink.ports import Storage


class Assignments:
    """Draws arms and keeps them. A recipient keeps an arm even when other identifiers join the person.

    If two exposed recipients turn out to be one person, the arm of the earlier exposure holds for both from then on.
    """

    def __init__(self, store: Storage, shared: "Shared") -> None:
        """Keep arms in `store`. `shared` has the shares that bandits draw arms by."""
        self._profiles, self._exposures, self._shared = store.profiles, store.exposures, shared

    async def of(
        self, open_: Open, block: Block, moment: Moment, *, keep: bool
    ) -> tuple[Block, dict[str, str], tuple[Step, ...]]:
        """Return a block cut to the recipient's arms, the arms by experiment, and the trace. Raises StoreUnavailable.

        With `keep`, the arms are stored.
        """
        arms: dict[str, str] = {}
        steps: list[Step] = []
        who = open_.who
        for plan in _plans(block, open_.content.signals):
            if who is None or HOLDOUT in arms.values():
                break  # people in the global holdout take part in no other experiment
            exposure = await self._exposure(
                plan, open_.look, who, moment, keep=keep and moment.fetch_class != "scanner"
            )
            arms[plan.name] = exposure.arm
            steps.append(Step(f"experiment {plan.name}", True, _why(plan, exposure)))
            block = cut(block, plan, exposure.arm)
        return block, arms, tuple(steps)

    async def _exposure(self, plan: Plan, look: Lookup, who: Identifier, moment: Moment, *, keep: bool) -> Exposure:
        key, kept = (plan.name, str(who)), look.exposures
        known = kept.get(key)
        if known is not None and known.arm in plan.arms:
            return known
        exposure = await self._found(plan, who, moment, keep=keep)
        if keep:
            kept[key] = exposure
        return exposure

    async def _found(self, plan: Plan, who: Identifier, moment: Moment, *, keep: bool) -> Exposure:
        """Check all of the person's identifiers: the first stored exposure holds; without one, an arm is drawn."""
        profile = await self._profiles.profile(who, moment.now)
        own, person = str(who), str(profile.root)
        names = dict.fromkeys([own, person, *map(str, profile.identifiers)])
        kept = {
            name: each
            for name, each in (await self._exposures.of(plan.name, list(names))).items()
            if each.arm in plan.arms  # people of a removed arm are drawn again
        }
        first = inherited(kept)
        if first is None:
            drawing = self._shared.of(plan)
            epoch, shares = drawing if drawing is not None else (0, None)
            exposure = Exposure(plan.name, own, drawn(plan, person, shares, epoch), moment.now, person)
        else:
            origin = first.heir_of or first.recipient
            heir_of = "" if origin == own else origin
            mine = kept.get(own)
            at = mine.at if mine is not None else moment.now
            exposure = Exposure(plan.name, own, first.arm, at, person, heir_of)
            if mine is not None and (mine.person, mine.heir_of, mine.arm) == (person, heir_of, first.arm):
                return mine
        return await self._exposures.keep(exposure) if keep else exposure


def _plans(block: Block, signals: Signals) -> Iterator[Plan]:
    if signals.holdout is not None:
        yield everywhere(signals.holdout.share, signals.holdout.seed)
    if block.experiment is not None:
        yield planned(block.experiment, block.name)


def _why(plan: Plan, exposure: Exposure) -> str:
    share = plan.expected().get(exposure.arm, 0.0)
    size = f"{share * 100:.4g}% of people" if plan.bandit is None or exposure.arm == HOLDOUT else "a bandit's share"
    arm = "in the holdout: no personalization" if exposure.arm == HOLDOUT else f"arm {exposure.arm}"
    since = f", as {exposure.heir_of} is the same person" if exposure.heir_of else ""
    return f"{arm} ({size}){since}"


class Shared:
    """The current share of newcomers for each arm of a bandit, computed in the background."""

    def __init__(self) -> None:
        """Start without shares: the plan's own apply until the first computation."""
        self._shares: dict[str, tuple[int, Mapping[str, float]]] = {}

    def of(self, plan: Plan) -> tuple[int, Mapping[str, float]] | None:
        """Return a bandit's epoch and its shares by arm; None for an experiment with fixed shares."""
        if plan.bandit is None:
            return None
        known = self._shares.get(plan.name)
        if known is None or set(known[1]) != set(plan.shares):
            return -1, plan.shares
        return known

    def put(self, experiment: str, epoch: int, shares: Mapping[str, float]) -> None:
        """Store the shares computed for an experiment."""
        self._shares[experiment] = epoch, shares
