"""How many examples a property is tried with: some of them in `make test`, all of them in `make properties`.

Without `CI`, Hypothesis draws other examples in each run, and keeps those that failed for the next one: what a few
examples miss today, a later run finds.
"""

import os

ALL = os.environ.get("EXAMPLES") == "all"
SHARE, LEAST = 3, 8
"""What part of the examples `make test` tries, and how many it tries at least."""


def examples(count: int) -> int:
    """Return how many of `count` examples this run tries.

    >>> examples(5)
    5
    """
    return count if ALL else min(count, max(LEAST, count // SHARE))
