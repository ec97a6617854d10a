"""Team letters: an invitation, and a link for a new password, as emails."""

from hashlib import sha256
from html import escape

from wetink.core.access.role import SAYS, Role
from wetink.core.outbound.letter import Letter, framed

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def invitation_letter(to: str, url: str, role: Role, by: str, lasts: int) -> Letter:
    """Return the email that invites somebody. `lasts` is how long its link works, in milliseconds."""
    what = f"{by} invites you to wetink as {role}. {SAYS[role]}."
    end = f"The link works once, for {_span(lasts)}. If you do not know {by}, ignore this email."
    return _letter(to, url, f"{by} invites you to wetink", what, "Join the team", end)


def password_letter(to: str, url: str, by: str, lasts: int) -> Letter:
    """Return the email with a link for a new password that somebody has made."""
    what = f"{by} sends you a link to choose a new password for wetink. Your other browsers will be signed out."
    end = f"The link works once, for {_span(lasts)}. If you did not ask for it, tell {by}."
    return _letter(to, url, "Choose a new password for wetink", what, "Choose a password", end)


def forgotten_letter(to: str, url: str, lasts: int) -> Letter:
    """Return the email with a link for a new password that its receiver has asked for."""
    what = "Somebody asked for a new password for your wetink account. Your other browsers will be signed out."
    end = f"The link works once, for {_span(lasts)}. If it was not you, ignore this email: your password stays."
    return _letter(to, url, "Choose a new password for wetink", what, "Choose a password", end)


def _letter(to: str, url: str, subject: str, what: str, act: str, end: str) -> Letter:
    text = f"{what}\n\n{act}: {url}\n\n{end}\n"
    link = "color:#fff;background:#3b5bdb;padding:10px 18px;border-radius:6px;text-decoration:none"
    html = framed(
        f'<p style="margin:0 0 20px">{escape(what)}</p>'
        f'<p style="margin:0 0 20px"><a href="{escape(url)}" style="{link}">{escape(act)}</a></p>'
        f'<p style="font-size:12px;color:#636873;margin:0 0 12px">{escape(end)}</p>'
        f'<p style="font-size:12px;color:#636873;margin:0;word-break:break-all">{escape(url)}</p>'
    )
    return Letter(f"team-{sha256(url.encode()).hexdigest()[:24]}", (to,), subject, text, html)


def _span(ms: int) -> str:
    """Return a length of time in words.

    >>> _span(HOUR_MS), _span(DAY_MS), _span(7 * DAY_MS)
    ('one hour', 'one day', '7 days')
    """
    if ms < DAY_MS:
        return "one hour" if ms == HOUR_MS else f"{ms // HOUR_MS} hours"
    return "one day" if ms == DAY_MS else f"{ms // DAY_MS} days"
