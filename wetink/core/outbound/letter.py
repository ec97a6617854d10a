"""Letter: an email that wetink sends to the team, as text and as HTML."""

import msgspec


class Letter(msgspec.Struct, frozen=True):
    """An email. `id` makes its Message-ID, the same for each try, so that a mailbox can drop a repetition."""

    id: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
