"""The tracking pixel: one message in the address of a picture, for places that can show a picture and nothing else.

    GET /v1/pixel/{track,identify,page,screen,group,alias}?data=BASE64

Source: Segment's Pixel Tracking API.
"""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl

import msgspec

PREFIX = "/v1/pixel/"

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def message_in(query: bytes) -> bytes:
    """Return the JSON of a message that stands in `data` of a query, in either alphabet of base64, padded or not.

    What is no JSON object comes as a JSON string: a message of that kind is set aside, and can be read. Its bytes are
    empty where there is no `data`.

    >>> message_in(b"data=eyJ1c2VySWQiOiAidSJ9"), message_in(b"data=no%21"), message_in(b"")
    (b'{"userId": "u"}', b'"no!"', b'')
    """
    data = dict(parse_qsl(query.decode("latin-1"))).get("data", "")
    if not data:
        return b""
    try:
        coded = data.translate(_ALPHABET).rstrip("=")
        raw = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
        _object(raw)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        return msgspec.json.encode(data)
    return raw


_ALPHABET = str.maketrans({"-": "+", "_": "/", " ": "+", "\n": "", "\r": "", "\t": ""})  # a plus is a blank in a query


def as_batch(raw: bytes, type_: str) -> bytes:
    """Return the body of a batch with the one message, which is of the type its path says unless it says another."""
    try:
        fields: dict[str, Any] = _object(raw)
    except (msgspec.DecodeError, RecursionError):
        return b'{"batch":[%b]}' % raw
    fields.pop("writeKey", None)
    if "type" not in fields:
        fields["type"] = type_
    return msgspec.json.encode({"batch": [fields]})
