"""`python -m wetink.columns FOLDER LOG`: lay out a log, given as its `OpenCrowdLog`, pickled, in hexadecimal.

It runs in its own process: decoding a million histories would block every open of the server's process. It writes the
progress in percent, one number a line.
"""

import pickle
import sys
from pathlib import Path

from wetink.columns.layout import lay_out


def _percent(done: int) -> None:
    sys.stdout.write(f"{done}\n")
    sys.stdout.flush()


lay_out(pickle.loads(bytes.fromhex(sys.argv[2])), Path(sys.argv[1]), _percent)  # noqa: S301 (from our own process)
