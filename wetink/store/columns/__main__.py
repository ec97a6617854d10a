"""`python -m wetink.store.columns DATABASE FOLDER`: write what has changed since the last segment.

A process of its own: decoding a million histories would hold every open of the process that does it.
"""

import sys
from pathlib import Path

from wetink.store.columns.follow import catch_up

catch_up(Path(sys.argv[1]), Path(sys.argv[2]))
