"""Reverse proxies: whose word about a client's address is taken."""

import pytest

from wetink.core.errors import BadSettings
from wetink.opens.geo import Places
from wetink.settings import read

CLIENT = "203.0.113.9"


@pytest.mark.parametrize(
    ("proxies", "client", "forwarded", "origin"),
    [
        ("", "10.1.2.3", CLIENT, "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3", CLIENT, CLIENT),
        ("10.1.2.3", "10.1.2.4", CLIENT, "10.1.2.4"),
        ("10.0.0.0/8", "10.1.2.4", CLIENT, CLIENT),
        ("10.0.0.0/8", "11.1.2.4", CLIENT, "11.1.2.4"),
        ("10.0.0.0/8", "10.1.2.4", f"198.51.100.1, {CLIENT}, 10.9.9.9", CLIENT),
        ("10.0.0.0/8,192.168.7.7", "192.168.7.7", f"{CLIENT}, 10.9.9.9", CLIENT),
        ("fd00::/8", "fd00::1", "2001:db8::5", "2001:db8::5"),
        ("fd00::/8", "10.1.2.4", CLIENT, "10.1.2.4"),
        ("10.0.0.0/8", "testclient", CLIENT, "testclient"),
        ("10.0.0.0/8", "10.1.2.4", "unknown", "unknown"),
        ("10.0.0.0/8", "10.1.2.4", "10.9.9.9", "10.1.2.4"),
    ],
)
def test_the_nearest_address_that_is_no_proxy_is_the_client(
    proxies: str, client: str, forwarded: str, origin: str
) -> None:
    places = Places(None, None, read({"WETINK_TRUSTED_PROXIES": proxies}).trusted_proxies)
    assert places.origin_of(client, forwarded) == origin


def test_a_network_that_is_none_is_refused_by_the_name_of_its_setting() -> None:
    with pytest.raises(BadSettings, match="WETINK_TRUSTED_PROXIES"):
        read({"WETINK_TRUSTED_PROXIES": "10.0.0.0/40"})
