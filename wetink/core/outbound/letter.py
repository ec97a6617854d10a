"""Letter: an email that wetink sends to the team, as text and as HTML."""

import msgspec


class Letter(msgspec.Struct, frozen=True):
    """An email. `id` makes its Message-ID, the same for each try, so that a mailbox can drop a repetition."""

    id: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str


BODY = "margin:0 auto;max-width:560px;padding:24px;font:14px/1.5 Arial,sans-serif;color:#1a1c21;text-align:left"


def framed(html: str) -> str:
    """Return the HTML of a letter around its parts: inline styles, which mail clients show."""
    return f'<!doctype html><html lang="en"><body style="margin:0"><div style="{BODY}">{html}</div></body></html>'
