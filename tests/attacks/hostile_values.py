"""Hostile values: texts and bodies that cost, break or confuse whoever reads them without a bound."""

import struct
import zlib

MEGABYTE = 1024 * 1024

TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "blank": " \t\n",
    "NUL": "\0",
    "NUL inside": "user:4\x002",
    "half a character": b"%ED%A0%80",
    "half a person": b"user%3A%ED%B0%80",
    "bad UTF-8": b"%FF%FE%80",
    "bad escapes": b"%zz%1",
    "control characters": "\x01\x1b[31m\r\nX: y\x7f",
    "bidi": "\u202e\u2066abc\u2069",
    "combining": "e" + "\u0301" * 3_000,
    "astral": "\U0010ffff\U0001f469\u200d\U0001f469",
    "long": "a" * 20_000,
    "many digits": "9" * 4_400,
    "ten thousand digits": "1" * 10_000,
    "negative": "-1",
    "very negative": "-" + "9" * 40,
    "zero": "0",
    "2^63": str(2**63),
    "18 digits": "9" * 18,
    "10^26": str(10**26),
    "a fraction": "1.5",
    "1e400": "1e400",
    "nan": "nan",
    "infinity": "-Infinity",
    "hexadecimal": "0x" + "f" * 300,
    "other digits": "\u0663\u0664\u00b2\u2460",
    "digits that are none": "\u00b9\u00b2\u00b3",
    "the first day": "0001-01-01",
    "the last day": "9999-12-31",
    "the last second": "9999-12-31T23:59:59.999999-23:59",
    "the first second": "0001-01-01T00:00:00+23:59",
    "no day": "2026-02-30",
    "a week": "2026-W01-1",
    "year 0": "0000-00-00",
    "year 10000": "10000-01-01",
    "a long time": "2026-01-01T00:00:00." + "0" * 5_000,
    "a path": "../../../../etc/passwd",
    "a path, escaped": b"..%2f..%2f..%2fetc%2fpasswd",
    "backslashes": "..\\..\\windows",
    "a template": "{{ 7 * 7 }}{% for x in (1..1000000000) %}x{% endfor %}",
    "SQL": "' OR '1'='1'; DROP TABLE message; --",
    "wildcards": "%_%" * 100,
    "a pattern": "(" * 200 + "a+" * 200,
    "a script": "<script>alert(1)</script>",
    "brackets": "[" * 5_000,
    "braces": '{"a":' * 3_000,
    "JSON, deep": "[" * 990 + "]" * 990,
    "JSON, a number": '{"event": "Product Viewed", "properties": {"price": 1' + "0" * 400 + "}}",
    "JSON, half a character": '{"event": "\\ud800", "userId": "\\ud800"}',
    "JSON, NUL": '{"event": "\\u0000", "properties": {"sku": "\\u0000"}}',
    "JSON, infinite": '{"event": "Product Viewed", "timestamp": 1e400}',
    "JSON, year 1": '{"event": "Product Viewed", "timestamp": "0001-01-01T00:00:00Z"}',
    "JSON, a day ahead": '{"event": "Product Viewed", "timestamp": "9999-12-31T23:59:59Z"}',
    "JSON, ago": '{"event": "Product Viewed", "ago": "' + "9" * 500 + 'd"}',
    "a list": ",".join(map(str, range(5_000))),
    "a person": "user:42",
    "nobody": "user:",
    "a person of many letters": "email:" + "x" * 10_000 + "@example.com",
    "a zone": "Europe/../../../etc/passwd",
    "YAML aliases": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
    "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
    "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nrule: [*g,*g,*g,*g,*g,*g,*g,*g,*g]",
    "YAML cycle": "rule: &a {not: *a}",
    "YAML cycle of lists": "rule: &a [*a, *a]",
    "YAML, deep": "rule:\n" + "".join("  " * n + "- not:\n" for n in range(1, 100)),
    "YAML, deep in flow": "rule: " + "{not: " * 400 + "x" + "}" * 400,
    "YAML, many rules": "rule: [" + "{done: Product Viewed}, " * 2_500 + "]",
    "YAML, a list of rules": b"rule%3A%20[" + b"x," * 15_000 + b"x]",
    "YAML, a list of properties": b"rule%3A%20{done%3A%20A,where%3A%20{"
    + b",".join(b"a%d" % n for n in range(7_000))
    + b"}}",
    "YAML, many kinds": "rule:\n- any:\n"
    + "  - {done: Product Viewed, where: {price: {above: 1}}, within: 7d}\n" * 480,
    "YAML, a number": "rule: {done: Product Viewed, at_least: 1" + "0" * 26 + "}",
    "YAML, half a character": 'rule: {trait: "\\ud800", equals: x}',
    "YAML, a pattern": "rule: {trait: plan, matches: '" + "(a+)+" * 500 + "'}",
    "YAML, a list of values": "rule: {trait: plan, one_of: [" + "x, " * 15_000 + "]}",
}
"""Name -> a value; bytes are escaped already."""

BODIES: dict[str, tuple[str, bytes]] = {
    "nothing": ("application/json", b""),
    "no JSON": ("application/json", b"{nonsense"),
    "null": ("application/json", b"null"),
    "a list": ("application/json", b"[]"),
    "deep lists": ("application/json", b"[" * 100_000),
    "deep mappings": ("application/json", b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    "500 levels": ("application/json", b"[" * 500 + b"]" * 500),
    "500 levels of an item": ("application/json", b"[" + b'{"a":' * 500 + b"1" + b"}" * 500 + b"]"),
    "many digits": ("application/json", b'{"version": ' + b"9" * 10_000 + b', "base": ' + b"9" * 10_000 + b"}"),
    "large numbers": (
        "application/json",
        b'{"version": 1' + b"0" * 26 + b', "files": {}, "base": 1' + b"0" * 26 + b"}",
    ),
    "negative numbers": (
        "application/json",
        b'{"version": -1, "files": {}, "base": -1, "block": "hero", "who": "user:1"}',
    ),
    "half a character": (
        "application/json",
        b'{"files": {"blocks/\\ud800.yaml": ""}, "by": "\\ud800", "block": "\\ud800"}',
    ),
    "NUL": (
        "application/json",
        b'{"files": {"blocks/a\\u0000.yaml": ""}, "by": "\\u0000", "block": "\\u0000", "version": 1}',
    ),
    "bad UTF-8": ("application/json", b'{"block": "\xff\xfe", "by": "\xed\xa0\x80", "files": {}}'),
    "another encoding": ("application/json", '{"block": "hero"}'.encode("utf-16")),
    "infinite": ("application/json", b'{"block": "hero", "moment": {"now": 1e400}}'),
    "a moment far away": ("application/json", b'{"block": "hero", "moment": {"now": 99999999999999999999}}'),
    "a moment long ago": ("application/json", b'{"block": "hero", "moment": {"now": -99999999999999999}}'),
    "a moment in 10^18": ("application/json", b'{"block": "hero", "moment": {"now": 1000000000000000000}}'),
    "an odd moment": (
        "application/json",
        b'{"block": "hero", "who": "user:42", "moment": {"time_zone": "../../etc/passwd", "latitude": 1e308, '
        b'"longitude": -1e308, "ratio": 100000, "language": "\\u0000", "campaign": "\\u0000", "currency": "\\u0000"}}',
    ),
    "a large picture": ("application/json", b'{"block": "hero", "moment": {"ratio": 1000000000}}'),
    "odd events": (
        "application/json",
        b'{"block": "hero", "who": "user:42", "events": [{"event": "Product Viewed", "timestamp": '
        b'"0001-01-01T00:00:00Z"}, {"event": "Order Completed", "properties": {"total": 1e308, "products": '
        b'[{"price": 1e308, "quantity": 1e308, "sku": "a"}]}}]}',
    ),
    "many events": (
        "application/json",
        b'{"block": "hero", "events": [' + b",".join([b'{"event": "Product Viewed"}'] * 5_000) + b"]}",
    ),
    "an event of 10^26": (
        "application/json",
        b'{"block": "hero", "events": [{"event": "Product Viewed", "properties": {"sku": "a", "price": 1'
        + b"0" * 26
        + b', "quantity": 1'
        + b"0" * 26
        + b"}}]}",
    ),
    "CSV": ("text/csv", b"name,city\n" + b"a,b\n" * 20_000),
    "CSV of commas": ("text/csv", b"a" + b"," * 500_000 + b"\n" + b"," * 500_000),
    "CSV of quotes": ("text/csv", b'a,b\n"' + b'""' * 300_000),
    "CSV of NULs": ("text/csv", b"a,b\n\0,\0\n" + b"\0" * 300_000),
    "XML, deep": ("application/xml", b"<rss><channel><item>" + b"<a>" * 50_000),
    "XML, 500 levels": (
        "application/xml",
        b"<rss><channel><item>" + b"<a>" * 500 + b"</a>" * 500 + b"</item></channel></rss>",
    ),
    "XML entities": (
        "application/xml",
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
        + b"]><rss><channel><item><title>&j;</title></item></channel></rss>",
    ),
    "XML from a file": (
        "application/xml",
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&a;</title></item></channel></rss>',
    ),
    "XML attributes": ("application/xml", b"<rss " + b" ".join(b'a%d="x"' % n for n in range(50_000)) + b"/>"),
    "a gzip bomb": ("application/json", b""),
    "a form of many fields": ("application/x-www-form-urlencoded", b"&".join(b"a%d=b" % n for n in range(7_000))),
    "a form of one name": ("application/x-www-form-urlencoded", b"yaml=x&" * 9_000),
    "a form of equals": ("application/x-www-form-urlencoded", b"=" * 60_000),
    "a form of escapes": ("application/x-www-form-urlencoded", b"yaml=" + b"%00" * 20_000),
    "a form of deep names": (
        "application/x-www-form-urlencoded",
        b"&".join(b"rule" + b".of.0" * n + b".kind=all" for n in range(1, 60)),
    ),
    "a form of places": (
        "application/x-www-form-urlencoded",
        b"rule.kind=all&" + b"&".join(b"rule.of.%d.kind=done" % n for n in range(2_500)),
    ),
    "a form of long places": (
        "application/x-www-form-urlencoded",
        b"rule.kind=all&rule.of." + b"9" * 10_000 + b".kind=done&rule.of.\xc2\xb2.kind=done",
    ),
    "a form too large": ("application/x-www-form-urlencoded", b"yaml=" + b"a" * 200_000),
    "a form as text": ("text/plain", b"csrf=x&yaml=rule"),
    "parts": ("multipart/form-data; boundary=x", b"--x\r\n" * 10_000),
}


def _bomb() -> bytes:
    """Return 200 MB of zeros, of one packed block again and again: packing all of them takes a second of each run."""
    packing = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packing.compress(bytes(MEGABYTE)) + packing.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(200):
        checksum = zlib.crc32(bytes(MEGABYTE), checksum)
    trailer = struct.pack("<II", checksum, 200 * MEGABYTE)
    return b"\x1f\x8b\x08" + bytes(7) + 200 * block + packing.flush() + trailer


BODIES["a gzip bomb"] = ("application/json", _bomb())
