"""Settings: one table, read once at start. An argument wins over the environment, that over the default."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from wetink.core.errors import BadSettings
from wetink.core.link import host_of
from wetink.core.own_host import own_host


class Settings(msgspec.Struct, frozen=True):
    """What an operator can set. The table SETTINGS says what each one means."""

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
    audience_seconds: int
    hook_write_key: str
    placeholders: tuple[str, ...] = ()
    worker_timeout: int = 30
    store: str = ""

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


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(host.strip().lower() for host in text.split(",") if host.strip())


def _own_hosts(text: str) -> tuple[str, ...]:
    try:
        return tuple(own_host(host) for host in text.split(",") if host.strip())
    except ValueError as error:
        raise ValueError(f"hosts such as shop.example: {error}") from error


def _address(text: str) -> str:
    if text and not host_of(text):
        raise ValueError("an http(s) address, such as https://open.shop.example")
    return text


def _file(text: str) -> Path | None:
    return Path(text) if text else None


def _workers() -> int:
    return min(len(os.sched_getaffinity(0)), 8)


SETTINGS: tuple[tuple[str, str, Callable[[str], Any], str], ...] = (
    ("data", "wetink-data", Path, "Folder of the store and the content; made when it is not there."),
    ("store", "", str, "Where events, profiles and decisions are kept: sqlite:///FOLDER. Default: the data folder."),
    ("host", "127.0.0.1", str, "Address to listen on; 0.0.0.0 for all."),
    ("port", "8000", _whole(0, 65535), "Port to listen on; 0 takes a free one."),
    ("workers", "", _whole(1, 64), "Processes that share the port; one for each core, at most 8, unless set."),
    (
        "worker_timeout",
        "30",
        _whole(2, 3_600),
        "Seconds a process may go without answering before it is killed and replaced. Needs two or more workers.",
    ),
    ("public_url", "", _address, "Where the world reaches this server, for snippets: https://open.shop.example."),
    ("deadline", "700", _whole(50, 20_000), "Milliseconds an open may take before its fallback is shown."),
    (
        "link_hosts",
        "",
        _own_hosts,
        "Hosts that links and photos may name, besides those of the sources; comma separated.",
    ),
    ("private_hosts", "", _hosts, "host:port pairs photos may come from although they are not public."),
    ("geoip_city", "", _file, "A MaxMind DB file that tells country, region, city and time zone of an address."),
    ("geoip_asn", "", _file, "A MaxMind DB file that tells who runs an address's network."),
    ("trusted_proxies", "", _hosts, "Addresses of the proxies in front, whose X-Forwarded-For is believed."),
    ("amp_senders", "", _hosts, "Addresses that send AMP emails, which may read data; comma separated."),
    ("chromium", "", _file, "A Chromium for templates that name it and to compare pictures; needs wetink[chromium]."),
    (
        "archive_days",
        "30",
        _whole(0, 3_650),
        "Days for which what each open got is kept, to be drawn again; 0: not at all.",
    ),
    ("archive_mb", "1024", _whole(1, 1_000_000), "Megabytes of it at most: the oldest go first."),
    ("audience_seconds", "60", _whole(1, 86_400), "How often is looked at who came into audiences and who went."),
    (
        "placeholders",
        "",
        _hosts,
        "More texts that name nobody and nothing: guest-*. !text takes one off the list.",
    ),
    ("hook_write_key", "", str, "Write key of audiences' hooks that send Segment's messages and name none."),
)
"""Name, default, how it is read, what it means. The environment's name is WETINK_ and the name in capitals."""


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
            values[name] = _workers()
            continue
        try:
            values[name] = convert(text)
        except ValueError as error:
            raise BadSettings(f"{where} is {text!r}", hint=f"write {error}", where=where) from error
    values["store"] = values["store"] or f"sqlite:///{values['data']}"
    return Settings(**values)
