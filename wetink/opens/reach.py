"""Reach: where the world reaches this server, and the hosts of its links, as kept in the store.

The settings of the process win: an operator who sets `public_url` there decides it for everybody.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import msgspec

from wetink.core.errors import BadSettings, Conflict, WetinkError
from wetink.core.text.link import host_of, own_hosts
from wetink.opens.embed import is_local
from wetink.ports.keys import Secrets

NAME = "server.json"
"""The name of the document in the store."""
LONGEST = 200
HEADER = "wetink-instance"
"""The header of `/healthz` that tells one wetink from another."""

Look = Callable[[str], Awaitable[tuple[int, Mapping[str, str]]]]
"""Asks a public address, and returns the status and headers of its answer. Raises WetinkError with the reason."""


class Reach(msgspec.Struct, frozen=True, omit_defaults=True):
    """The public URL, empty if unknown, and additional hosts of links. `setup` is the state of the first steps."""

    public_url: str = ""
    link_hosts: tuple[str, ...] = ()
    setup: Mapping[str, str] = {}


class Checked(msgspec.Struct, frozen=True):
    """The result of a check: whether the address leads here, and what is wrong or doubtful."""

    leads_here: bool
    problem: str = ""
    hint: str = ""


def reach_in(secrets: Mapping[str, str]) -> Reach:
    """Return the reach among the store's documents; an empty one if there is none or it is damaged.

    >>> reach_in({"server.json": '{"public_url": "https://a.example"}'}).public_url, reach_in({}).public_url
    ('https://a.example', '')
    """
    try:
        return msgspec.json.decode(secrets.get(NAME, "{}"), type=Reach)
    except (msgspec.DecodeError, ValueError):
        return Reach()


def instance_of(secret: bytes) -> str:
    """Return the name of this installation, which reveals nothing of the secret that it is made from."""
    return hashlib.sha256(b"instance\0" + secret).hexdigest()[:20]


def public_url_of(text: str) -> str:
    """Return a public URL as wetink keeps it. Raises BadSettings.

    >>> public_url_of(" https://Open.Shop.example/ "), public_url_of("open.shop.example")
    ('https://open.shop.example', 'https://open.shop.example')
    """
    url = text.strip()
    if url and "://" not in url:
        url = f"https://{url}"
    parts = urlsplit(url) if host_of(url) else None
    if url and (parts is None or len(url) > LONGEST or parts.query or parts.fragment):
        raise BadSettings(
            f"{text.strip()[:60]!r} is not the address of a server",
            hint="write one such as https://open.shop.example",
            where="public_url",
        )
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}" if parts is not None else ""


class Reaches:
    """The kept reach of this installation."""

    def __init__(self, secrets: Secrets, follow: Callable[[], Awaitable[None]], look: Look) -> None:
        """Keep it in the store; `follow` makes this process use a change, `look` asks an address from outside."""
        self._secrets, self._follow, self._look = secrets, follow, look
        self.kept = Reach()

    async def save(
        self, *, public_url: str | None = None, link_hosts: str | None = None, setup: Mapping[str, str] | None = None
    ) -> Reach:
        """Keep the given parts and return the whole. `setup` is added to the state of the first steps.

        Raises BadSettings with the field in `where`, Conflict and StoreUnavailable.
        """
        stored = (await self._secrets.all()).get(NAME)
        reach = reach_in({NAME: stored}) if stored is not None else Reach()
        if public_url is not None:
            reach = msgspec.structs.replace(reach, public_url=public_url_of(public_url))
        if link_hosts is not None:
            try:
                hosts = tuple(own_hosts(link_hosts.replace(",", " ").split()))
            except BadSettings as error:
                raise BadSettings(str(error), hint=error.hint, where="link_hosts") from error
            reach = msgspec.structs.replace(reach, link_hosts=hosts)
        if setup is not None:
            steps = {name: value for name, value in {**reach.setup, **setup}.items() if value}
            reach = msgspec.structs.replace(reach, setup=steps)
        text = msgspec.json.encode(reach).decode()
        if stored is None:
            await self._secrets.keep(NAME, text)
        elif stored != text:
            try:
                await self._secrets.replace(NAME, stored, text)
            except Conflict as error:
                raise Conflict("somebody else has just changed these settings", hint="reload the page") from error
        await self._follow()
        return reach

    async def check(self, url: str, instance: str) -> Checked:
        """Ask an address for this installation's health, as an email client would reach it."""
        try:
            status, headers = await self._look(f"{url}/healthz")
        except WetinkError as error:
            if is_local(url):
                return Checked(False, "Email clients cannot reach this address.", "Enter one that the internet knows.")
            return Checked(False, f"Nothing answers there: {error}.", "Check the name and your reverse proxy.")
        if headers.get(HEADER) != instance:
            there = "another wetink" if HEADER in headers else f"something else (status {status})"
            return Checked(False, f"At this address, {there} answers.", "Point the name to this server.")
        if not url.startswith("https:"):
            return Checked(True, "", "Mail apps block pictures without https. Add a certificate before you send.")
        return Checked(True)
