"""Every storage engine there is, as what opens it in a folder. The contract runs on each."""

from collections.abc import Callable

from tests.storage import opened
from wetink.ports import Storage

ENGINES: dict[str, Callable[..., Storage]] = {"sqlite": opened}
"""Each opens a folder, as `tests.storage.opened` does."""
