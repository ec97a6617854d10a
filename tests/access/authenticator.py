"""A passkey in software, which says whatever a test wants it to say."""

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


class Authenticator:
    """One passkey. `answer` is what the browser would send; `wrong` overrides its parts."""

    def __init__(self, counter: int = 0) -> None:
        self.key, self.id, self.counter = ec.generate_private_key(ec.SECP256R1()), os.urandom(16), counter

    def registered(self, options: str, origin: str, **wrong: Any) -> str:
        asked = json.loads(options)
        numbers = self.key.public_key().public_numbers()
        key = encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        data = self._data(asked["rp"]["id"], PRESENT | VERIFIED | ATTESTED, wrong) + attested
        response = {
            "clientDataJSON": _told("webauthn.create", asked["challenge"], origin, wrong),
            "attestationObject": bytes_to_base64url(encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal", "odd"],
        }
        return self._answer(response)

    def signed(self, options: str, origin: str, **wrong: Any) -> str:
        asked = json.loads(options)
        self.counter += 1 if self.counter else 0
        data = self._data(asked["rpId"], wrong.get("flags", PRESENT | VERIFIED), wrong)
        told = _told("webauthn.get", asked["challenge"], origin, wrong)
        signed = data + hashlib.sha256(base64url_to_bytes(told)).digest()
        signature = wrong.get("key", self.key).sign(signed, ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": told,
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signature),
        }
        return self._answer(response)

    def _data(self, host: str, flags: int, wrong: dict[str, Any]) -> bytes:
        place = hashlib.sha256(wrong.get("host", host).encode()).digest()
        return place + bytes([flags]) + wrong.get("counter", self.counter).to_bytes(4, "big")

    def _answer(self, response: dict[str, Any]) -> str:
        id_ = bytes_to_base64url(self.id)
        return json.dumps({"id": id_, "rawId": id_, "type": "public-key", "response": response})


def _told(kind: str, challenge: str, origin: str, wrong: dict[str, Any]) -> str:
    said = {"type": wrong.get("type", kind), "challenge": wrong.get("challenge", challenge), "origin": origin}
    return bytes_to_base64url(json.dumps(said).encode())
