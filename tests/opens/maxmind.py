"""A writer of small MaxMind DB files, by the format's public specification (version 2.0)."""

import ipaddress
import struct
from collections.abc import Mapping
from typing import Any

KINDS = {"record_size": 5, "ip_version": 5, "binary_format_major_version": 5, "binary_format_minor_version": 5,
         "build_epoch": 9}  # fmt: skip
"""The kinds of whole numbers that are not of 32 bits."""
MARK = b"\xab\xcd\xefMaxMind.com"
TEXT, DOUBLE, UNSIGNED_32, MAP, ARRAY, BOOLEAN = 2, 3, 6, 7, 11, 14


def database(networks: Mapping[str, Any], ip_version: int = 6) -> bytes:
    """Return a file that has these records for these networks, which must not overlap. Records are 24 bits wide."""
    nodes: list[list[Any]] = [[None, None]]
    data = b""
    for network, record in networks.items():
        where = len(data)
        data += _encoded(record)
        bits = _bits(network, ip_version)
        node = 0
        for bit in bits[:-1]:
            if nodes[node][bit] is None:
                nodes.append([None, None])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][bits[-1]] = ("data", where)
    tree = b"".join(_width_24(side, len(nodes)) for node in nodes for side in node)
    about = {"node_count": len(nodes), "record_size": 24, "ip_version": ip_version, "database_type": "Test",
             "languages": ["en"], "binary_format_major_version": 2, "binary_format_minor_version": 0,
             "build_epoch": 1_795_000_000, "description": {"en": "a test"}}  # fmt: skip
    return tree + bytes(16) + data + MARK + _encoded(about)


def _bits(network: str, ip_version: int) -> list[int]:
    asked = ipaddress.ip_network(network)
    prefix = asked.prefixlen
    if ip_version == 6 and asked.version == 4:
        prefix += 96  # IPv4 is at ::/96
    width = 128 if ip_version == 6 else 32
    value = int(asked.network_address)
    return [value >> (width - 1 - place) & 1 for place in range(prefix)]


def _width_24(side: Any, count: int) -> bytes:
    if side is None:
        number = count
    elif isinstance(side, tuple):
        number = count + 16 + side[1]
    else:
        number = side
    return int(number).to_bytes(3, "big")


def _encoded(value: Any, kind: int = UNSIGNED_32) -> bytes:
    if isinstance(value, dict):
        pairs = (_encoded(key) + _encoded(each, KINDS.get(key, UNSIGNED_32)) for key, each in value.items())
        return _control(MAP, len(value)) + b"".join(pairs)
    if isinstance(value, list):
        return _control(ARRAY, len(value)) + b"".join(_encoded(each) for each in value)
    if isinstance(value, str):
        raw = value.encode()
        return _control(TEXT, len(raw)) + raw
    if isinstance(value, bool):
        return _control(BOOLEAN, int(value))
    if isinstance(value, float):
        return _control(DOUBLE, 8) + struct.pack(">d", value)
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    """The control byte, its extension for kinds above 7, and the size above 28 in a byte or two of its own."""
    short, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if size >= 29 + 256:
        short, more = 30, (size - 285).to_bytes(2, "big")
    extended = kind > 7
    return bytes([(0 if extended else kind) << 5 | short]) + (bytes([kind - 7]) if extended else b"") + more
