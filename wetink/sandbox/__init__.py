"""The sandbox: processes that can be killed, for work that may hang, crash or use too much memory.

    Pool ──> fork server ──fork──> worker ──> answer(body)

A fork server imports what the work needs and forks workers that are ready at once and share its memory. A worker
answers one request at a time; over its time or memory it is killed, and another takes its place.
"""

from wetink.sandbox.pool import Lost as Lost
from wetink.sandbox.pool import Pool as Pool
from wetink.sandbox.pool import StartFailed as StartFailed
