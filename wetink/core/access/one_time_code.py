"""One-time code: the six digits of an authenticator app (TOTP, RFC 6238), each of which can be used once."""

import hmac
import unicodedata

import msgspec
import pyotp

STEP_MS = 30_000
DRIFT = 1
"""Steps that a phone's clock may be wrong, in either direction."""
DIGITS = 6
ISSUER = "wetink"


class Secret(msgspec.Struct, frozen=True):
    """The secret that an app shares, in base32, and the last step whose code was used."""

    secret: str
    step: int = 0

    def __repr__(self) -> str:
        """Leave the secret out."""
        return "Secret()"


def code_of(text: str) -> str:
    """Return the digits of a code as somebody types it; empty if it is none.

    >>> code_of(" 123 456 "), code_of("12345"), code_of("abcdef")
    ('123456', '', '')
    """
    code = "".join(unicodedata.normalize("NFKC", text).split())
    return code if len(code) == DIGITS and code.isascii() and code.isdecimal() else ""


def step_of(known: Secret, text: str, now: int) -> int | None:
    """Return the step that a code belongs to at `now` (Unix ms), after the last one used; None if it is wrong.

    Steps beside the current one count as well, since clocks differ.
    """
    code, current = code_of(text), now // STEP_MS
    if not code:
        return None
    codes = pyotp.TOTP(known.secret, digits=DIGITS)
    steps = range(max(known.step + 1, current - DRIFT, 0), current + DRIFT + 1)
    right = [step for step in steps if hmac.compare_digest(codes.generate_otp(step), code)]
    return right[0] if right else None


def uri_of(known: Secret, email: str, place: str) -> str:
    """Return the `otpauth` address that a QR code has. `place` is the host, so that two servers can be told apart.

    >>> uri_of(Secret("A" * 32), "ida@shop.example", "x.example").partition("?")[0]
    'otpauth://totp/wetink%20x.example:ida%40shop.example'
    """
    issuer = f"{ISSUER} {place}".strip().replace(":", " ")
    return pyotp.TOTP(known.secret, digits=DIGITS).provisioning_uri(name=email, issuer_name=issuer)


def spelled(secret: str) -> str:
    """Return a secret in groups of four, to be typed.

    >>> spelled("ABCDEFGHIJ")
    'ABCD EFGH IJ'
    """
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
