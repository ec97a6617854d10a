"""Verdicts: what became of a message, and the closed list of problems, each with its remedy."""

from typing import Any, Literal

import msgspec

Verdict = Literal["usable", "unusable", "parked"]
"""`usable`: stored, in the profile, can be targeted. `unusable`: stored and in the profile, but lacks what Signals
needs. `parked`: kept and readable, in no profile."""

HINTS: dict[str, str] = {
    # These park a message.
    "not_an_object": 'a message is a JSON object: {{"type": "track", …}}',
    "unreadable": "this message's JSON cannot be read: {detail}",
    "too_deep": "nest objects and arrays at most {detail} deep",
    "too_large": "a message may have {detail} bytes; send less in it",
    "too_many": "a request may carry {detail} messages; split the batch",
    "shared_too_large": "a batch's `context` is copied into each message, {detail} bytes in all; send less in it",
    "unknown_type": "`type` is one of track, identify, page, screen, group, alias",
    "no_identifier": "send a `userId` or an `anonymousId` that names somebody{detail}",
    "not_meant_for_here": "`integrations` switches wetink off{detail}; leave it out or send `true` to have it used",
    "no_event_name": "a track needs its name in `event`, a string that is not empty",
    # These leave it in the profile, but unusable.
    "missing_property": "send {detail}",
    "wrong_user_hash": (
        "`{property}` is not the HMAC-SHA256 of `userId` with this source's secret; this message identifies nobody"
    ),
    "no_user_hash": ("this source identifies nobody without `{property}`, the HMAC-SHA256 of `userId` with its secret"),
    "not_a_number": "`{property}` must be a number such as 9.5, without words",
    "ambiguous_number": "`{property}` can be read in two ways; send a number such as 1299 or 1.299, or a `currency`",
    # These change nothing about the verdict, unless what cannot be read is needed.
    "unreadable_time": "`{property}` cannot be read as a time{detail}; send ISO 8601, such as 2026-11-23T18:00:00Z",
    "unlikely_time": "`{property}` is before the year 2000 or later than now{detail}; check the sender's clock",
    "not_an_email": "`{property}` must be one email address, such as jane@shop.example",
    "unknown_zone": "`{property}` must be a time zone such as Europe/Berlin, or an offset such as +02:00",
    "not_a_url": "`{property}` must be the URL of a page or a photo, such as https://shop.example/mug",
    "not_products": '`{property}` must be a list of products: [{{"sku": "S-1"}}]',
    "not_a_product": '`{property}` must be a product object: {{"sku": "S-1"}}',
    "not_an_availability": "`{property}` must be in_stock, out_of_stock, preorder or backorder",
    "page_alias": "a browser key cannot join users; send this alias with a server key if `{property}` was a user id",
    "placeholder": "`{property}` is {detail}, a placeholder: send the real value, or leave it out",
    "message_id_too_long": "a `messageId` has at most 100 characters; this one was replaced by its hash",
}
"""Every problem code with its remedy. `detail` and `property` are filled in by `problem`."""


LONGEST_TOLD = 80
"""Characters of a value that a problem tells."""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a message. `property` is the path that is missing or wrong, as the sender would write it.

    Paths of a track's properties start inside of `properties`: `url`, `products[1].price`.
    """

    code: str
    property: str
    hint: str


def problem(code: str, property: str = "", detail: str = "") -> Problem:
    """Return the problem of this code. Raises KeyError for a code that is not on the list.

    >>> problem("missing_property", "url", "`url`, the product's page").hint
    "send `url`, the product's page"
    """
    return Problem(code, property, HINTS[code].format(property=property, detail=detail))


def placeholder(path: str, value: Any) -> Problem:
    """Return the problem of a value that names nobody and nothing.

    >>> placeholder("userId", "(null)").hint
    "`userId` is '(null)', a placeholder: send the real value, or leave it out"
    """
    return problem("placeholder", path, repr(value)[:LONGEST_TOLD])
