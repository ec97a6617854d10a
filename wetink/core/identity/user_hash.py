"""User hash: the proof that the shop's server vouches for a user ID that its page sends.

The page's key is public, so anybody can send any user ID with it. The shop's server gives the page the user's ID and
its HMAC-SHA256 with the source's secret, and the page sends both. The hash proves the user ID and nothing else. Source
of the scheme: "identity verification" of Intercom and other messengers (`user_hash`).
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from wetink.core.events.event import Problem, problem
from wetink.core.identity import identifier
from wetink.core.identity.identifier import Identifier

PLACES: Final = (("context", "userHash"), ("context", "user_hash"), ("userHash",), ("user_hash",))
"""Where a message may have its hash. The first one that exists counts."""

VALID: Final = 2
"""A source's newest secrets, which verify new messages. Older secrets verified earlier messages."""


class IdentityVerification(msgspec.Struct, frozen=True):
    """How a source verifies user IDs: by `secrets`, newest first. If `required`, others identify nobody."""

    secrets: Sequence[str] = ()
    required: bool = False

    def __repr__(self) -> str:
        """Omit the secrets."""
        return f"IdentityVerification(required={self.required})"


class _Hashes(msgspec.Struct, gc=False):
    context: msgspec.Raw = msgspec.Raw()
    userHash: Any = None
    user_hash: Any = None


class _Context(msgspec.Struct, gc=False):
    userHash: Any = None
    user_hash: Any = None


_hashes = msgspec.json.Decoder(_Hashes).decode
_context = msgspec.json.Decoder(_Context).decode


def hash_of(user_id: str, secret: str) -> str:
    """Return the hash of a user ID, in hexadecimal digits.

    >>> hash_of("42", "secret")[:8]
    '93c121e7'
    """
    return hmac.new(secret.encode(), user_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def sent_hash(raw: bytes) -> tuple[str, Any]:
    """Return the path and value of the hash in a message; an empty path and None without one."""
    if b"serHash" not in raw and b"user_hash" not in raw:
        return "", None
    try:
        top = _hashes(raw)
        inner = _context(top.context) if top.context else _Context()
    except (msgspec.DecodeError, ValueError, RecursionError):
        return "", None
    for path in PLACES:
        value = getattr(top if len(path) == 1 else inner, path[-1])
        if value is not None and value != "":
            return ".".join(path), value
    return "", None


def verified(
    verification: IdentityVerification, raw: bytes, user: Identifier | None, sent: Any, email: Identifier | None
) -> tuple[bool, Problem | None]:
    """Return whether a message verifies its user, and the problem if it must identify nobody.

    `user` and `email` are the message's identifiers, and `sent` is its user ID as received.
    """
    path, value = sent_hash(raw)
    if path and user is not None:
        spellings = {user.value, sent} if isinstance(sent, str) else {user.value}
        if matches(value, spellings, verification.secrets):
            return True, None
        return False, problem("wrong_user_hash", path)
    if verification.required and (user is not None or email is not None):
        return False, problem("no_user_hash", "context.userHash")
    return False, None


def joins(previous: Any, user: Identifier, anonymous: Identifier | None) -> bool:
    """Return whether an alias may join two users: its previousId is neither this user nor the message's device."""
    before = identifier.user(previous)
    return before not in (None, user) and (anonymous is None or str(previous).strip() != anonymous.value)


def matches(value: Any, user_ids: Iterable[str], secrets: Iterable[str]) -> bool:
    """Return whether a hash is of one of these spellings of a user ID, by one of these secrets."""
    if not isinstance(value, str):
        return False
    claimed = value.strip().lower().encode("utf-8", "surrogatepass")
    right = [hmac.compare_digest(claimed, hash_of(each, secret).encode()) for secret in secrets for each in user_ids]
    return any(right)
