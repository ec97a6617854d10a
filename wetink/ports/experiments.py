"""The seam of experiments: who is in which arm, since when, and what a bandit's shares were."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from wetink.core.blocks.experiment import Exposure
from wetink.core.signals.experiment_result import DailyExposures


class Exposures(Protocol):
    """Remembers who is in which arm of which experiment. Shared by every process."""

    async def of(self, experiment: str, recipients: Sequence[str]) -> Mapping[str, Exposure]:
        """Return what is kept of these recipients, by recipient; without those who were never exposed."""
        ...

    async def keep(self, exposure: Exposure) -> Exposure:
        """Keep the first exposure of a recipient, in the file on return; return what is kept, which may be another's.

        One that names an heir or another person than the kept one takes its place.
        """
        ...

    async def days(self, experiment: str) -> Sequence[DailyExposures]:
        """Return how many people were first exposed on which day in which arm, without heirs."""
        ...

    async def shares(self, experiment: str, epoch: int) -> Mapping[str, float] | None:
        """Return a bandit's shares of an epoch, None when nobody has worked them out."""
        ...

    async def keep_shares(self, experiment: str, epoch: int, shares: Mapping[str, float]) -> Mapping[str, float]:
        """Keep a bandit's shares of an epoch, unless somebody has; return what is kept."""
        ...

    async def close(self) -> None:
        """Let go of everything. Calling it twice is fine."""
        ...
