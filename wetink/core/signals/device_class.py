"""Device class: the device that a picture was opened on, or the mail provider that fetched it in its place.

A proxy hides the device: behind Apple's and Gmail's, nobody can tell a phone from a desktop.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from wetink.core.client_classification import RELAYS, Device, Facts

DeviceClass = Literal["phone", "tablet", "desktop", "apple-mail", "gmail", "proxy", "machine", "unknown"]

DEVICE_CLASSES: Mapping[str, str] = {
    "phone": "Phone",
    "tablet": "Tablet",
    "desktop": "Desktop",
    "apple-mail": "Apple Mail proxy",
    "gmail": "Gmail proxy",
    "proxy": "Other mail proxy",
    "machine": "Machine",
    "unknown": "Unknown device",
}
"""`DeviceClass` -> its words, in the order of a report."""

_DEVICES: dict[Device, DeviceClass] = {"mobile": "phone", "tablet": "tablet", "desktop": "desktop"}


def device_class(kind: str, facts: Facts) -> DeviceClass:
    """Return the device class of an open or click, from its class and its facts.

    >>> device_class("prefetch", Facts("bare-mozilla")), device_class("proxy", Facts("gmail-proxy"))
    ('apple-mail', 'gmail')
    >>> device_class("person", Facts("apple-mail", "mobile")), device_class("scanner", Facts("barracuda"))
    ('phone', 'machine')
    """
    if kind == "scanner":
        return "machine"
    if facts.client in ("gmail-proxy", "gmail-prefetch"):
        return "gmail"
    if kind == "prefetch" and facts.client == "bare-mozilla":
        return "apple-mail"
    if kind == "proxy" and facts.client in ("apple-mail", "safari"):
        return "apple-mail" if any(network in facts.owner.lower() for network in RELAYS) else "proxy"
    return "proxy" if kind in ("proxy", "prefetch") else _DEVICES.get(facts.device, "unknown")


def parts(kind: str, facts: Facts, audiences: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of the crowd that an open or click counts for: its device class, and `@` and each audience.

    >>> parts("person", Facts("", "mobile"), ["vip"])
    ('phone', '@vip')
    """
    return device_class(kind, facts), *(f"@{name}" for name in audiences)


def dimension_of(part: str) -> str:
    """Return the dimension of a report that has a part: `audience` or `device`."""
    return "audience" if part.startswith("@") else "device"
