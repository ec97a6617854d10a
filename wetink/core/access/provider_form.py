"""Provider form: an identity provider as an owner writes it, with each error at its field."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import cast
from urllib.parse import urlsplit

from wetink.core.access.role import Role, is_role
from wetink.core.access.single_sign_on import Provider

LONGEST = {"title": 40, "issuer": 300, "client": 300, "secret": 500, "claim": 100}
MOST_DOMAINS, MOST_GROUPS = 50, 100
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
PUBLIC_MAIL = frozenset(("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com"))
"""Domains whose addresses anybody can have."""

KINDS: Mapping[str, tuple[str, str]] = {
    "google": ("Google", "https://accounts.google.com"),
    "microsoft": ("Microsoft", "https://login.microsoftonline.com/TENANT/v2.0"),
    "okta": ("Okta", "https://YOUR-COMPANY.okta.com"),
    "other": ("", ""),
}
"""Providers by kind, with their title and issuer. The words in capitals are to be replaced."""


def read_provider(
    fields: Mapping[str, str], known: Provider | None, taken: Collection[str], private_hosts: Collection[str]
) -> tuple[Provider | None, dict[str, str]]:
    """Return the provider of a form, None with its errors by field.

    `known` is the one that is edited: an empty secret keeps its own. `taken` are the names of the others. Only
    `private_hosts` may have an issuer without HTTPS.
    """
    given = {name: " ".join(unicodedata.normalize("NFC", fields.get(name, "")).split()) for name in LONGEST}
    wrong = {name: f"Write at most {most} characters." for name, most in LONGEST.items() if len(given[name]) > most}
    title, issuer, claim = given["title"], given["issuer"], given["claim"] or "groups"
    name = known.name if known is not None else name_of(title)
    if not title.isprintable() or not name:
        wrong["title"] = "Name the provider as your team knows it, such as Okta."
    elif known is None and name in taken:
        wrong["title"] = f"There is a provider called {title} already. Choose another name."
    if not given["client"]:
        wrong["client"] = "Copy the client ID from the provider."
    secret = given["secret"] or (known.secret if known is not None else "")
    if not secret:
        wrong["secret"] = "Copy the client secret from the provider."  # noqa: S105 (a sentence)
    domains, wrong_domain = _domains(fields.get("domains", ""))
    groups, wrong_group = _groups(fields.get("groups", ""))
    role = fields.get("role", "")
    wrong_role = "" if is_role(role) and role != "owner" else "Choose a role for new people."
    more = {
        "issuer": _wrong_issuer(issuer, private_hosts),
        "domains": wrong_domain,
        "groups": wrong_group,
        "role": wrong_role,
    }
    wrong |= {field: why for field, why in more.items() if why}
    if wrong:
        return None, wrong
    return Provider(name, title, issuer, given["client"], secret, domains, cast(Role, role), claim, groups), {}


def name_of(title: str) -> str:
    """Return the name of a provider for its addresses; empty if a title has no letters.

    >>> name_of("Shop & Co. Okta"), name_of("Ökta"), name_of("…")
    ('shop-co-okta', 'okta', '')
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")


def groups_text(provider: Provider) -> str:
    """Return the groups of a provider as lines of the form."""
    return "\n".join(f"{group} = {role}" for group, role in provider.groups)


def _domains(text: str) -> tuple[tuple[str, ...], str]:
    """Return the domains of a text, or the error."""
    words = re.split(r"[\s,;]+", text.lower())
    domains = tuple(dict.fromkeys(word.lstrip("@") for word in words if word.lstrip("@")))
    if len(domains) > MOST_DOMAINS:
        return (), f"Write at most {MOST_DOMAINS} domains."
    for each in domains:
        if not DOMAIN.fullmatch(each):
            return (), f"{each[:60]} is not a domain. Write shop.example."
        if each in PUBLIC_MAIL:
            return (), f"Anybody can have an address of {each}. Leave it out, and invite these people."
    return domains, ""


def _groups(text: str) -> tuple[tuple[tuple[str, Role], ...], str]:
    """Return the groups of lines such as `marketing = editor`, or the error."""
    found: dict[str, Role] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        group, _, role = (part.strip() for part in line.rpartition("="))
        role = role.lower()
        if not group or not is_role(role):
            return (), f"{line.strip()[:60]!r} is not a group and a role. Write marketing = editor, one on each line."
        found[group] = cast(Role, role)
    if len(found) > MOST_GROUPS:
        return (), f"Write at most {MOST_GROUPS} groups."
    return tuple(found.items()), ""


def _wrong_issuer(issuer: str, private_hosts: Collection[str]) -> str:
    try:
        parts = urlsplit(issuer)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment or parts.username is not None:
        return "Write the issuer's address, such as https://shop.okta.com."
    if not issuer.isascii() or not issuer.isprintable():
        return "Write the issuer's address in ASCII."
    if parts.scheme == "http" and f"{host}:{port or 80}" not in private_hosts:
        return "Use https. For a provider in your own network, add its host:port to WETINK_PRIVATE_HOSTS."
    if "TENANT" in issuer or "YOUR-COMPANY" in issuer:
        return "Replace the word in capitals by your own."
    if host == "login.microsoftonline.com" and parts.path.strip("/").split("/")[0] in ("common", "organizations"):
        return "Use the issuer of your own tenant: it has the tenant's ID in place of common."
    return ""
