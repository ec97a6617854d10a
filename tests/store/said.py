"""Messages to write."""

from wetink.core.events.message import Endpoint, pieces
from wetink.core.messages.normalize import normalize
from wetink.ports import Record

NOW = 1_790_000_000_000


def message(number: int) -> Record:
    """Return the record of one small message; equal numbers make the same one."""
    raw = b'{"type":"track","event":"X","userId":"u","messageId":"m%d"}' % number
    return normalize(pieces(raw, Endpoint())[0][0], "test", "server", NOW + number)
