"""No block of IANA's registries passes as public: first, last and middle address, in every form that carries it."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from wetink.feeds.guard import IPV4, IPV6, public

CARRIERS = ("::ffff:0:0/96", "64:ff9b::/96", "2002::/16")
PLAIN = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "192.0.1.1", "192.1.0.0", "223.255.255.255", "100.63.255.255")


def of(block: str) -> list[int]:
    network = ip_network(block)
    first, last = int(network.network_address), int(network.broadcast_address)
    return [first, (first + last) // 2, last]


def forms(address: int) -> Iterator[str]:
    """Every way to write or carry an IPv4 address."""
    low = f"{address >> 16:x}:{address & 0xFFFF:x}"
    yield str(IPv4Address(address))
    yield f"::ffff:{IPv4Address(address)}"
    yield f"::ffff:{low}"
    yield f"::FFFF:{low}%eth0"
    yield f"0:0:0:0:0:ffff:{low}"
    yield f"64:ff9b::{low}"
    yield f"64:ff9b::{IPv4Address(address)}"
    yield f"2002:{low}::"
    yield f"2002:{low}::1"


def never(address: int) -> Iterator[str]:
    """Forms that lead nowhere public, whatever they carry."""
    low = f"{address >> 16:x}:{address & 0xFFFF:x}"
    yield f"::{low}"
    yield f"::ffff:0:{low}"
    yield f"64:ff9b:1::{low}"
    yield f"2001:0:{low}::{address >> 16 ^ 0xFFFF:x}:{address & 0xFFFF ^ 0xFFFF:x}"
    yield f"fe80::5efe:{low}"


@pytest.mark.parametrize("block", [block for block, _ in IPV4])
def test_an_address_of_a_special_purpose_block_is_not_public_in_any_form(block: str) -> None:
    for address in of(block):
        assert [form for form in (*forms(address), *never(address)) if public(form)] == []


@pytest.mark.parametrize("block", [block for block, _ in IPV6 if block not in CARRIERS])
def test_an_ipv6_address_of_a_special_purpose_block_is_not_public(block: str) -> None:
    assert [str(IPv6Address(address)) for address in of(block) if public(str(IPv6Address(address)))] == []


@pytest.mark.parametrize("address", PLAIN)
def test_a_plain_address_is_public_in_every_form_that_carries_it(address: str) -> None:
    number = int(IPv4Address(address))
    assert [form for form in forms(number) if not public(form)] == []
    assert [form for form in never(number) if public(form)] == []


@pytest.mark.parametrize("address", ["2606:2800:220:1::1", "2a00:1450::1", "2400::1", "2001:200::1", "2001:4860::8888"])
def test_plain_ipv6_addresses_are_public(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    "address", ["1000::1", "4000::1", "8000::1", "e000::1", "fec0::1", "ff02::1", "ffff::1", "200::"]
)
def test_addresses_that_nobody_was_assigned_are_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("text", ["", "1", "256.1.1.1", "1.1.1", "::g", "1.1.1.1/32", "\0", "8.8.8.8 ", "٨.8.8.8"])
def test_text_that_is_no_address_is_not_public(text: str) -> None:
    assert not public(text)


def test_the_table_knows_whatever_the_interpreter_calls_private() -> None:
    from random import Random

    chance = Random(5)
    for _ in range(20_000):
        four = IPv4Address(chance.getrandbits(32))
        six = IPv6Address(chance.getrandbits(128))
        assert (four.is_global and not four.is_multicast) or not public(str(four))
        assert (six.is_global and not six.is_multicast) or not public(str(six))
