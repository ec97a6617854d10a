"""Reads a body in its own process, so that opens need not wait for it.

`python -m wetink.feeds.parse BODY NOW` takes the feed as JSON on its input and writes the result as JSON.
"""

import os
import resource
import sys
from pathlib import Path

import msgspec

from wetink.core.outbound.feed import Feed
from wetink.feeds.parse.body import Unreadable
from wetink.feeds.parse.reader import Outcome, whole

NICENESS = 10
MOST_MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes: enough for the largest JSON document, which is read whole, and little for the machine."""


def main() -> None:
    """Read the body that the arguments name."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    feed = msgspec.json.decode(sys.stdin.buffer.read(), type=Feed)
    try:
        with Path(sys.argv[1]).open("rb") as raw:
            outcome = Outcome(whole(feed, raw, int(sys.argv[2])))
    except Unreadable as error:
        outcome = Outcome(unreadable=str(error))
    except MemoryError:
        outcome = Outcome(unreadable=f"reading it takes more than {MOST_MEMORY} bytes of memory")
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
