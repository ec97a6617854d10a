"""Audit: who changed what, when and from where. It names no shoppers."""

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """A change. `at` is Unix ms; `actor` is the name of the account or token, and `account` the account's ID.

    `thing` is what was changed, such as `block hero`; `version` is the content's version, 0 for none. `address` is
    where it came from. `seq` is its number in the log.
    """

    at: int
    actor: str
    action: str
    thing: str = ""
    version: int = 0
    detail: str = ""
    account: str = ""
    address: str = ""
    seq: int = 0
