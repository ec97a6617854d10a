"""Settings: one table, read once at start. Arguments override the environment, which overrides defaults."""

import os
import re
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from wetink.core.errors import BadSettings
from wetink.core.text.link import host_of, own_host

Role = Literal["ingest", "open", "worker", "dashboard"]
"""A part of the server that a process can run alone: message ingest, opens and clicks, scheduled work, or the pages and
the API."""

ROLES: tuple[Role, ...] = get_args(Role)


HOST = r"[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?"
"""A host's name or IPv4 address."""
HOST_PORT = r"([0-9a-z]([0-9a-z.-]*[0-9a-z])?|\[[0-9a-f:.]+\]):[0-9]{1,5}"
EMAIL = r"[^@\s]+@[^@\s]+"


class Settings(msgspec.Struct, frozen=True):
    """What an operator can set. The table SETTINGS describes each one."""

    data: Path
    host: str
    port: int
    workers: int
    public_url: str
    deadline: int
    link_hosts: tuple[str, ...]
    private_hosts: tuple[str, ...]
    geoip_city: Path | None
    geoip_asn: Path | None
    trusted_proxies: tuple[str, ...]
    amp_senders: tuple[str, ...]
    chromium: Path | None
    archive_days: int
    archive_mb: int
    columns: Path | None
    audience_seconds: int
    hook_write_key: str
    smtp_url: str = ""
    sender: str = ""
    placeholders: tuple[str, ...] = ()
    worker_timeout: int = 30
    store: str = ""
    log: str = ""
    metrics: tuple[str, int] | None = None
    metrics_token: str = ""
    role: frozenset[Role] = frozenset(ROLES)
    drain_seconds: int = 0
    log_format: Literal["console", "json"] = "console"

    @property
    def content(self) -> Path:
        """The folder of blocks, templates and images."""
        return self.data / "content"

    @property
    def address(self) -> str:
        """Where a browser finds this server."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 (compared, not bound)
        return f"http://{host}:{self.port}"


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


def _several(text: str) -> tuple[str, ...]:
    return tuple(each.strip().lower() for each in text.split(",") if each.strip())


def _each(form: str, what: str) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of comma-separated values that match the regular expression `form`."""

    def read(text: str) -> tuple[str, ...]:
        values = _several(text)
        for value in values:
            if not re.fullmatch(form, value):
                raise ValueError(f"{what}, separated by commas; {value!r} is none")
        return values

    return read


def _networks(text: str) -> tuple[str, ...]:
    values = _several(text)
    for value in values:
        try:
            ip_network(value, strict=False)
        except ValueError as error:
            raise ValueError(f"IP addresses or networks such as 10.0.0.0/8; {value!r} is none") from error
    return values


def _is_host(text: str) -> bool:
    try:
        return re.fullmatch(HOST, text) is not None or bool(IPv6Address(text))
    except ValueError:
        return False


def _host(text: str) -> str:
    if not _is_host(text):
        raise ValueError("an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all")
    return text


def _secret(text: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]*", text):
        raise ValueError("printable ASCII characters without spaces")
    return text


def _own_hosts(text: str) -> tuple[str, ...]:
    try:
        return tuple(own_host(host) for host in text.split(",") if host.strip())
    except ValueError as error:
        raise ValueError(f"hosts such as shop.example: {error}") from error


def _address(text: str) -> str:
    if text and not host_of(text):
        raise ValueError("an http(s) address, such as https://open.shop.example")
    return text


def _listener(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if text and not (_is_host(host) and port.isdecimal() and 0 < int(port) <= 65535):
        raise ValueError("an address and a port, such as 127.0.0.1:9464")
    return (host, int(port)) if text else None


def _one_of(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise ValueError(" or ".join(known))
        return text

    return read


def _stream(text: str) -> str:
    servers = rf"(nats|tls)://([^@/?#]*@)?({HOST}|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?"
    more = rf"(,({HOST}|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?)*/?(\?.*)?"
    if text and not re.fullmatch(servers + more, text):
        raise ValueError("nats://HOST:4222,HOST:4222")
    return text


def _smtp(text: str) -> str:
    if text and not re.fullmatch(rf"smtps?://([^@/?#\s]+@)?({HOST}|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?/?", text):
        raise ValueError("smtp://USER:PASSWORD@HOST:587 or smtps://HOST:465")
    port = re.search(r":([0-9]{1,5})/?$", text)
    if port is not None and not 0 < int(port[1]) <= 65_535:
        raise ValueError("a port from 1 to 65535, such as smtps://HOST:465")
    return text


def _sender(text: str) -> str:
    found = re.fullmatch(rf"(?:[^<>\r\n\"]{{0,80}}<)?({EMAIL})>?", text)
    if text and (found is None or ("<" in text) != text.endswith(">") or not re.fullmatch(r"[\x20-\x7e]*", found[1])):
        raise ValueError("an address, such as Reports <reports@shop.example>")
    return text


def _file(text: str) -> Path | None:
    if text and Path(text).is_dir():
        raise ValueError("the path of a file; this is a folder")
    return Path(text) if text else None


def _program(text: str) -> Path | None:
    if text and not (Path(text).is_file() and os.access(text, os.X_OK)):
        raise ValueError("the path of a program; there is none")
    return Path(text) if text else None


def _folder(text: str) -> Path:
    if Path(text).exists() and not Path(text).is_dir():
        raise ValueError("the path of a folder; this is a file")
    return Path(text)


def _other_folder(text: str) -> Path | None:
    return _folder(text) if text else None


def _roles(text: str) -> frozenset[Role]:
    names = {name.strip() for name in text.split(",")}
    roles = ROLES if names == {"all"} else tuple(role for role in ROLES if role in names)
    if names - {"all", *roles} or not roles:
        raise ValueError(f"all, or some of {', '.join(ROLES)}, separated by commas")
    return frozenset(roles)


def _workers(role: frozenset[Role]) -> int:
    """Return the default number of processes: several only for the roles that share their load by connections."""
    return min(len(os.sched_getaffinity(0)), 8) if role & {"ingest", "open"} else 1


SETTINGS: tuple[tuple[str, str, Callable[[str], Any], str], ...] = (
    ("data", "wetink-data", _folder, "Folder for the store and the content. Created if missing."),
    (
        "store",
        "",
        str,
        "Where events, profiles and decisions are stored: sqlite:///FOLDER or "
        "postgresql://USER:PASSWORD@HOST/DATABASE. Defaults to the data folder.",
    ),
    (
        "log",
        "",
        _stream,
        "NATS JetStream in front of the store: nats://HOST:4222,HOST:4222. Empty stores messages directly.",
    ),
    (
        "role",
        "all",
        _roles,
        "Parts of the server to run: all, or ingest, open, worker and dashboard, separated by commas.",
    ),
    ("host", "127.0.0.1", _host, "Address to listen on. Use 0.0.0.0 for all interfaces."),
    ("port", "8000", _whole(0, 65535), "Port to listen on. 0 picks a free port."),
    (
        "workers",
        "",
        _whole(1, 64),
        "Number of processes that share the port. Defaults to one per core, at most 8; to 1 without ingest and open.",
    ),
    (
        "worker_timeout",
        "30",
        _whole(2, 3_600),
        "Seconds a process may be unresponsive before it is killed and replaced. Requires two or more workers.",
    ),
    (
        "drain_seconds",
        "0",
        _whole(0, 600),
        "Seconds that the server still takes requests after SIGTERM, while /readyz answers 503.",
    ),
    ("public_url", "", _address, "Public URL of this server, used in email snippets: https://open.shop.example."),
    ("deadline", "700", _whole(50, 20_000), "Milliseconds before an open gets the fallback."),
    (
        "link_hosts",
        "",
        _own_hosts,
        "Additional hosts for links and photos, besides those of your sources. Comma-separated.",
    ),
    (
        "private_hosts",
        "",
        _each(HOST_PORT, "pairs such as 10.0.0.7:8080"),
        "host:port pairs that photos, feeds, webhooks and sign-in may use though they are not public. Comma-separated.",
    ),
    ("geoip_city", "", _file, "MaxMind DB file that maps IP addresses to country, region, city and time zone."),
    ("geoip_asn", "", _file, "MaxMind DB file that maps IP addresses to network operators."),
    (
        "trusted_proxies",
        "",
        _networks,
        "Addresses or networks of your reverse proxies. wetink trusts their X-Forwarded-For header. Comma-separated.",
    ),
    (
        "amp_senders",
        "",
        _each(EMAIL, "email addresses"),
        "Email addresses that send AMP emails and may read data. Comma-separated.",
    ),
    (
        "chromium",
        "",
        _program,
        "Path to Chromium, for templates that use it and for comparing pictures. Requires wetink[chromium].",
    ),
    (
        "archive_days",
        "30",
        _whole(0, 3_650),
        "Days to keep each open's decision so it can be re-rendered. 0 disables the archive.",
    ),
    (
        "archive_mb",
        "1024",
        _whole(1, 1_000_000),
        "Maximum size of the archive in megabytes. The oldest opens are deleted first.",
    ),
    (
        "columns",
        "",
        _other_folder,
        "Folder of the columns for counts, which several machines may share. Defaults to columns/ in the data folder.",
    ),
    ("audience_seconds", "60", _whole(1, 86_400), "How often audience membership is recomputed, in seconds."),
    (
        "placeholders",
        "",
        _several,
        "Additional placeholder identifiers, such as guest-*. Comma-separated. !text removes one from the list.",
    ),
    (
        "metrics",
        "",
        _listener,
        "Address and port that answer /metrics for Prometheus: 127.0.0.1:9464. Empty disables it.",
    ),
    ("metrics_token", "", _secret, "Token that /metrics requires as Authorization: Bearer. Empty requires none."),
    ("log_format", "console", _one_of("console", "json"), "Format of log lines: console or json."),
    (
        "smtp_url",
        "",
        _smtp,
        "SMTP server for emails to your team: smtp://USER:PASSWORD@HOST:587 (TLS if offered) or smtps://HOST:465.",
    ),
    ("sender", "", _sender, "Sender of these emails: Reports <reports@shop.example>. Required with smtp_url."),
    ("hook_write_key", "", _secret, "Default write key for audience webhooks that send Segment messages."),
)
"""Name, default, parser, meaning. The environment variable is WETINK_ followed by the name in capitals."""


def read(environment: Mapping[str, str], **given: Any) -> Settings:
    """Return the settings. `given` arguments that are not None win. Raises BadSettings, naming the setting."""
    values: dict[str, Any] = {}
    for name, default, convert, _ in SETTINGS:
        if given.get(name) is not None:
            text, where = str(given[name]), f"--{name.replace('_', '-')}"
        else:
            where = f"WETINK_{name.upper()}"
            text = environment.get(where, "") or default
        if name == "workers" and not text:
            values[name] = _workers(values["role"])
            continue
        try:
            values[name] = convert(text)
        except ValueError as error:
            shown = re.sub("//[^@/]*@", "//…@", text)  # the value may have a password
            raise BadSettings(f"{where} is {shown!r}", hint=f"write {error}", where=where) from error
    if values["smtp_url"] and not values["sender"]:
        hint = "write the sender's address, such as reports@shop.example"
        raise BadSettings("WETINK_SMTP_URL needs WETINK_SENDER", hint=hint, where="WETINK_SENDER")
    values["store"] = values["store"] or f"sqlite:///{values['data']}"
    return Settings(**values)
