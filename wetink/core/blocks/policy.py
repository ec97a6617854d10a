"""Policy: what a block gives to each class of fetch, and whether that counts as somebody's open or click."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from wetink.core.client_classification import MACHINES, Kind


class Treatment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a block treats one class of fetch. What is left out stays as it is usually."""

    show: Literal["decide", "fallback"] = "decide"
    """`fallback`: the block's fallback, without anything of the person in it; a click leads where the fallback does."""
    count: bool | None = None
    """Whether it counts. None: people, proxies and what nothing is known of do; prefetches and scanners do not."""


Fetches = Mapping[Kind, Treatment]

_USUAL = Treatment()


def decides(fetches: Fetches, kind: str) -> bool:
    """Whether a fetch of this class gets what is decided for the person, and not the fallback.

    >>> decides({"prefetch": Treatment("fallback")}, "prefetch"), decides({}, "prefetch")
    (False, True)
    """
    return fetches.get(kind, _USUAL).show == "decide"  # type: ignore[call-overload, no-any-return]


def counts(fetches: Fetches, kind: str) -> bool:
    """Whether a fetch of this class is somebody's open or click.

    >>> counts({}, "person"), counts({}, "scanner"), counts({"proxy": Treatment(count=False)}, "proxy")
    (True, False, False)
    """
    said = fetches.get(kind, _USUAL).count  # type: ignore[call-overload]
    return kind not in MACHINES if said is None else bool(said)
