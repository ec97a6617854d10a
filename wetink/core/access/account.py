"""Account: members of the team, how they sign in, and links that invite them or renew a password. Times are Unix ms."""

import unicodedata

import msgspec

from wetink.core.access.role import Permission, Role
from wetink.core.errors import BadRequest, Conflict

DAY_MS = 24 * 3_600_000
INVITATION_MS, PASSWORD_LINK_MS, FORGOTTEN_MS = 7 * DAY_MS, DAY_MS, 3_600_000
"""How long these can be used: an invitation, an owner's link for a new password, and one that somebody asks for."""

LONGEST_EMAIL, LONGEST_NAME = 254, 80


class Account(msgspec.Struct, frozen=True):
    """A member of the team. `email` is in lower case, `password` a hash or empty, `used` the last sign-in."""

    id: str
    email: str
    name: str
    role: Role
    password: str = ""
    disabled: bool = False
    created: int = 0
    used: int = 0

    def __repr__(self) -> str:
        """Leave the hash out."""
        return f"Account({self.id!r}, {self.role!r})"


class Credential(msgspec.Struct, frozen=True):
    """A further way to sign in or a second factor: a passkey, a TOTP secret, or an identity at an OIDC provider.

    A credential is known by its kind and its ID, which no two accounts share. `data` is what its kind needs, as text.
    """

    kind: str
    id: str
    account: str
    name: str = ""
    data: str = ""
    created: int = 0
    used: int = 0

    def __repr__(self) -> str:
        """Leave the data out."""
        return f"Credential({self.kind!r}, {self.account!r})"


class Invitation(msgspec.Struct, frozen=True):
    """A link that somebody may use once. With an `account`, it sets that account's new password; else it invites.

    `id` is the SHA-256 of the secret in the link, in hexadecimal. `by` names who made it. 0 is never.
    """

    id: str
    email: str
    role: Role
    account: str = ""
    by: str = ""
    created: int = 0
    expires: int = 0
    used: int = 0
    revoked: int = 0

    def is_open(self, now: int) -> bool:
        """Return whether the link can be used at `now`."""
        return not self.used and not self.revoked and now < self.expires


class ApiToken(msgspec.Struct, frozen=True):
    """A token for programs. `id` is its SHA-256 in hexadecimal; `account` made it, empty for the server's own token.

    `expires` is 0 for never.
    """

    id: str
    name: str
    scopes: tuple[Permission, ...]
    account: str = ""
    by: str = ""
    created: int = 0
    expires: int = 0
    used: int = 0
    revoked: int = 0

    def is_valid(self, now: int) -> bool:
        """Return whether the token opens anything at `now`."""
        return not self.revoked and (not self.expires or now < self.expires)


def why_closed(link: Invitation | None, now: int) -> str:
    """Return why a link cannot be used at `now`, in words; empty if it can.

    >>> why_closed(Invitation("", "a@b.c", "viewer", expires=5), 1), why_closed(None, 1)
    ('', 'this link is not known here')
    >>> why_closed(Invitation("", "a@b.c", "viewer", expires=5), 5)
    'this invitation has expired'
    """
    if link is None:
        return "this link is not known here"
    what = "link" if link.account else "invitation"
    if link.used:
        return f"this {what} was already used"
    if link.revoked:
        return f"this {what} was withdrawn"
    return f"this {what} has expired" if now >= link.expires else ""


def check_open(link: Invitation | None, now: int) -> Invitation:
    """Return a link that can be used at `now`. Raises Conflict, with the reason."""
    why = why_closed(link, now)
    if link is None or why:
        raise Conflict(why, hint="sign in if you have an account, or ask an owner for a new link")
    return link


def check_owner_left(owners: set[str], leaving: str) -> None:
    """Raise Conflict if nobody of the active `owners` is left without the account that stops being one."""
    if owners == {leaving}:
        raise Conflict("this is the last owner", hint="make somebody else an owner first")


def email_of(text: str) -> str:
    """Return an address as accounts have it: trimmed and in lower case. Raises BadRequest.

    >>> email_of(" Ida@Shop.example ")
    'ida@shop.example'
    """
    email = unicodedata.normalize("NFC", text.strip()).lower()
    name, at, host = email.rpartition("@")
    bad = any(each.isspace() or not each.isprintable() for each in email) or "." not in host.strip(".")
    if not name or not at or not host or bad or "@" in name or len(email) > LONGEST_EMAIL:
        raise BadRequest("this is not an email address", hint="write it like ida@shop.example", where="email")
    return email


def name_of(text: str) -> str:
    """Return a person's name, trimmed. Raises BadRequest for none, a long one, or one with control characters."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise BadRequest("enter a name", where="name")
    if len(name) > LONGEST_NAME:
        raise BadRequest(f"a name has at most {LONGEST_NAME} characters", where="name")
    if not name.isprintable():
        raise BadRequest("this name has characters that cannot be shown", where="name")
    return name


def initials(name: str) -> str:
    """Return up to two initials of a name.

    >>> initials("Ida B. Wells"), initials("ida@shop.example")
    ('IW', 'I')
    """
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
