"""The browser SDK that the classic snippet loads: built with the other assets, the same for every key."""

import gzip
from functools import cache
from pathlib import Path

from wetink.core.errors import NotFound

FILE = Path(__file__).parent / "static" / "built" / "analytics.js"


@cache
def library(*, packed: bool) -> bytes:
    """Return the SDK as JavaScript, gzipped with `packed`. Raises NotFound where it has not been built."""
    try:
        plain = FILE.read_bytes()
    except OSError as error:
        raise NotFound("the browser SDK has not been built", hint="run make assets") from error
    return gzip.compress(plain, mtime=0) if packed else plain
