"""Messages such as a shop's page and server send, by a seed."""

import random
import time
from typing import Any

import msgspec

START = time.time_ns() // 1_000_000 - 7_200_000
"""The first message's time (Unix ms): what comes in is news, never older than what is there."""

CONTEXT = {
    "library": {"name": "analytics.js", "version": "next-1.84.3"},
    "locale": "en-US",
    "page": {"path": "/products/mug", "referrer": "", "title": "Mug", "url": "https://shop.example/products/mug"},
    "timezone": "Europe/Berlin",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0 Safari/537.36",
}


def product(number: int) -> dict[str, Any]:
    """Return the properties of a product."""
    return {
        "product_id": f"P-{number}",
        "sku": f"SKU-{number}",
        "name": f"Product number {number}",
        "category": "Table",
        "price": 5 + number % 90,
        "currency": "USD",
        "url": f"https://shop.example/products/{number}",
        "image_url": f"https://shop.example/photos/{number}.jpg",
    }


PRODUCTS = 5_000
ACTIVE, EACH = 500, 12
"""Shoppers who are active at the same time, and messages each of them sends in a visit, on average."""


def shopper(index: int, chance: random.Random) -> int:
    """Return who sends the message of this index: people come, do about a dozen things, and go."""
    return index // EACH + chance.randrange(ACTIVE)


def message(index: int, person: int, chance: random.Random) -> dict[str, Any]:
    """Return one message of a person: mostly views, some carts, searches, pages and identifies."""
    kind = chance.random()
    common: dict[str, Any] = {
        "messageId": f"bench-{chance.getrandbits(64):016x}-{index}",
        "timestamp": START + index * 50,
        "anonymousId": f"{person:08d}-5b2e-4a55-9d8f-anonymous",
        "context": CONTEXT,
    }
    if person % 3:
        common["userId"] = f"user-{person}"
    if kind < 0.05:
        traits = {"email": f"person{person}@shop.example", "firstName": "Jane", "plan": "gold"}
        return {**common, "type": "identify", "userId": f"user-{person}", "traits": traits}
    if kind < 0.2:
        return {**common, "type": "page", "name": "Product", "properties": CONTEXT["page"]}
    if kind < 0.25:
        return {**common, "type": "track", "event": "Products Searched", "properties": {"query": "blue mug"}}
    event = "Product Added" if kind < 0.35 else "Product Viewed"
    return {**common, "type": "track", "event": event, "properties": product(chance.randrange(PRODUCTS))}


def batch(first: int, size: int, chance: random.Random) -> bytes:
    """Return a batch of messages of at most `size` bytes."""
    listed: list[bytes] = []
    total = 64
    index = first
    while True:
        raw = msgspec.json.encode(message(index, shopper(index, chance), chance))
        if total + len(raw) + 1 > size:
            return b'{"batch":[' + b",".join(listed) + b"]}"
        listed.append(raw)
        total += len(raw) + 1
        index += 1
