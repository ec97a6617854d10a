"""Single sign-on: providers of OpenID Connect, and who may come in through one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from wetink.core.access.role import Role
from wetink.core.errors import Conflict, Forbidden, NotFound

RANK: Mapping[Role, int] = {"owner": 3, "developer": 2, "editor": 1, "viewer": 0}
"""The role of somebody in several groups is the highest."""

MOST_GROUPS = 1_000
"""Groups of one person that are read."""


class Provider(msgspec.Struct, frozen=True, omit_defaults=True):
    """An identity provider. `name` is in its addresses, `title` on its button.

    `domains` are those whose people get an account at their first sign-in, with `role`; without domains, only people
    who have an account come in. `groups` maps groups to roles; `claim` is the name of the claim that lists them.
    """

    name: str
    title: str
    issuer: str
    client: str
    secret: str
    domains: tuple[str, ...] = ()
    role: Role = "viewer"
    claim: str = "groups"
    groups: tuple[tuple[str, Role], ...] = ()

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"Provider({self.name!r}, {self.issuer!r})"


class SignInRules(msgspec.Struct, frozen=True):
    """How the team signs in: by identity providers, and with `passwords`, which may need a second factor."""

    second_factor: bool = False
    providers: tuple[Provider, ...] = ()
    passwords: bool = True

    def provider(self, name: str) -> Provider | None:
        """Return a provider by its name."""
        return next((each for each in self.providers if each.name == name), None)


def without_passwords(rules: SignInRules, links: Sequence[str]) -> SignInRules:
    """Return the rules without passwords, for an owner with these links. Raises Conflict if it would lock them out."""
    if not rules.providers:
        raise Conflict("there is no provider yet", hint="add one, and sign in with it once", where="passwords")
    if not any(link.startswith(f"{each.issuer} ") for each in rules.providers for link in links):
        hint = f"sign in with {rules.providers[0].title} once, so that you are not locked out"
        raise Conflict("you have not signed in with a provider yet", hint=hint, where="passwords")
    return replace(rules, passwords=False)


def without_provider(rules: SignInRules, name: str) -> SignInRules:
    """Return the rules without a provider. Raises NotFound, and Conflict if nobody could sign in any more."""
    if rules.provider(name) is None:
        raise NotFound("there is no such provider", hint="somebody may have removed it")
    left = tuple(each for each in rules.providers if each.name != name)
    if not left and not rules.passwords:
        raise Conflict("nobody could sign in without this provider", hint="turn passwords on first")
    return replace(rules, providers=left)


class Step(msgspec.Struct, frozen=True):
    """A sign-in under way, as the browser keeps it: everything that the answer must fit."""

    provider: str
    state: str
    nonce: str
    verifier: str
    onward: str
    until: int


class Person(msgspec.Struct, frozen=True):
    """Somebody as a provider describes them. `subject` stays the same when their address changes."""

    subject: str
    email: str
    verified: bool
    name: str
    groups: tuple[str, ...]


def person_of(claims: Mapping[str, Any], group_claim: str) -> Person:
    """Return the person whom claims describe. Claims of a wrong type are taken for missing.

    Microsoft Entra says in `xms_edov` whether an address belongs to the tenant; others say `email_verified`.

    >>> person_of({"sub": "1", "email": "Ida@Shop.example", "email_verified": True, "groups": "staff"}, "groups")
    Person(subject='1', email='ida@shop.example', verified=True, name='', groups=('staff',))
    """
    listed = claims.get(group_claim)
    groups: Sequence[Any] = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    verified = any(claims.get(each) in (True, "true", "1", 1) for each in ("email_verified", "xms_edov"))
    return Person(
        subject=_text(claims.get("sub")),
        email=_text(claims.get("email")).strip().lower(),
        verified=verified,
        name=" ".join(_text(claims.get("name")).split()),
        groups=tuple(each for each in groups[:MOST_GROUPS] if isinstance(each, str)),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def domain_of(email: str) -> str:
    """Return the domain of an address.

    >>> domain_of("ida@shop.example"), domain_of("ida")
    ('shop.example', '')
    """
    return email.rpartition("@")[2] if "@" in email else ""


def check_person(person: Person, provider: Provider) -> None:
    """Raise Forbidden unless a person's address may be trusted, and is of a domain that the provider may vouch for."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", person.email):
        raise Forbidden(
            f"{provider.title} did not say which email address you have",
            hint="ask an owner to let the provider send the claim email",
        )
    if not person.verified:
        raise Forbidden(
            f"{provider.title} does not say that {person.email} is verified",
            hint="verify the address there, then sign in again",
        )
    if provider.domains and domain_of(person.email) not in provider.domains:
        raise Forbidden(
            f"{provider.title} may not sign in people of {domain_of(person.email)}",
            hint=f"use an address of {', '.join(provider.domains)}, or ask an owner to allow the domain",
        )


def mapped_role(provider: Provider, groups: Sequence[str]) -> Role | None:
    """Return the highest role that groups have at a provider; None if none of them is mapped.

    >>> groups = ("mail", "editor"), ("it", "developer")
    >>> okta = Provider("okta", "Okta", "https://x.okta.com", "c", "s", groups=groups)
    >>> mapped_role(okta, ["all", "mail", "it"]), mapped_role(okta, ["all"])
    ('developer', None)
    """
    roles = [role for group, role in provider.groups if group in groups]
    return max(roles, key=RANK.__getitem__, default=None)


def link_id(provider: Provider, person: Person) -> str:
    """Return the ID of the link between an account and a person at a provider."""
    return f"{provider.issuer} {person.subject}"
