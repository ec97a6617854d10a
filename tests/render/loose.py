"""A desk without the limits of templates: what is left when a hole in them is found."""

import math
from collections.abc import Callable

from wetink.render import liquid
from wetink.render.worker import DrawingWorker


def ready() -> Callable[[bytes], bytes]:
    """Return what answers jobs."""
    for limit in ("loop_iteration_limit", "output_stream_limit", "local_namespace_limit"):
        setattr(liquid.SafeEnvironment, limit, None)
    for limit in ("MOST_OUTPUT", "MOST_ITERATIONS", "MOST_KEPT", "MOST_BITS"):
        setattr(liquid, limit, 10**18)
    liquid.MOST_SECONDS = math.inf
    return DrawingWorker()
