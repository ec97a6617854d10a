"""Latency: how long each endpoint takes, asked by one connection and by sixteen at once that never pause.

One server process on one core, the client on the other. Sixteen connections without a pause keep the server's core busy
all the time, so their times are those of a server that is as busy as it can be. The deadline is that of an open.
"""

import random
import shutil
from collections.abc import Callable

import msgspec

from bench import opens
from bench.figure import Figure
from bench.load import Outcome, press, request
from bench.messages import START, message, product, shopper
from bench.server import CORES, key_of, serving
from wetink import settings as setting

PROFILES, SECONDS, FEW, MANY, DISTINCT, BATCH = 10_000, 3.0, 1, 16, 40_000, 100


def measure() -> list[Figure]:
    """Return a figure for each endpoint: an open's deadline to its 99th percentile under sixteen connections."""
    built = opens.built(PROFILES)
    data = built.with_name("latency")
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(built, data)
    try:
        key = key_of(data)
        asked: dict[str, tuple[list[bytes], list[bytes]]] = {
            "a track": _posts("/v1/track", key, lambda n, chance: _track(n, chance)),
            "an identify": _posts("/v1/identify", key, lambda n, chance: _identify(n)),
            f"a batch of {BATCH}": _posts("/v1/batch", key, _batch, DISTINCT // BATCH),
            "JSON": _halves(opens.asks(data, opens.shuffled(PROFILES))),
            "a picture that was drawn before": _same(opens.asks(data, range(16), "picture")),
            "a new picture": _halves(opens.asks(data, opens.shuffled(PROFILES), "picture")),
            "a click": _halves(opens.asks(data, opens.shuffled(PROFILES), "click")),
        }
        found: dict[str, tuple[Outcome, Outcome]] = {}
        with serving(data, given={"link_hosts": "photos.invalid"}) as settings:
            for name, (first, second) in asked.items():
                _press(settings.port, first, FEW, 0.5)
                found[name] = _press(settings.port, first[len(first) // 2 :], FEW), _press(settings.port, second, MANY)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    deadline = setting.read({}, data=data).deadline
    return [_figure(name, deadline, *outcomes) for name, outcomes in found.items()]


def _figure(name: str, deadline: int, alone: Outcome, busy: Outcome) -> Figure:
    told, cells = [], {"request": name}
    for count, each in ((FEW, alone), (MANY, busy)):
        p50, p99 = (f"{each.quantile(part):.1f} ms" for part in (0.5, 0.99))
        told.append(f"{count} at once: p50 {p50}, p99 {p99}, {each.rate:,.0f}/s")
        cells |= {f"p50, {count} at once": p50, f"p99, {count} at once": p99}
    cells["requests/s of one core"] = f"{busy.rate:,.0f}"
    title = f"latency: {name}, an open's deadline to its p99"
    return Figure(title, deadline / busy.quantile(0.99), 1.0, "; ".join(told), cells)


def _press(port: int, requests: list[bytes], connections: int, seconds: float = SECONDS) -> Outcome:
    return press(port, requests, connections=connections, seconds=seconds, core=CORES[-1])


def _halves(requests: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    return requests[: len(requests) // 2], requests[len(requests) // 2 :]


def _same(requests: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    return requests, requests


def _posts(
    path: str, key: str, make: Callable[[int, random.Random], object], count: int = DISTINCT
) -> tuple[list[bytes], list[bytes]]:
    chance = random.Random(path)
    bodies = [msgspec.json.encode(make(number, chance)) for number in range(count)]
    return _halves([request("POST", path, body, authorization=key) for body in bodies])


def _track(number: int, chance: random.Random) -> dict[str, object]:
    viewed = {"type": "track", "event": "Product Viewed", "properties": product(chance.randrange(5_000))}
    return message(number, shopper(number, chance), chance) | viewed


def _identify(number: int) -> dict[str, object]:
    traits = {"email": f"person{number}@shop.example", "first_name": "Jane", "plan": "gold"}
    return {"userId": f"new-{number}", "anonymousId": f"device-{number}", "traits": traits, "timestamp": START + number}


def _batch(number: int, chance: random.Random) -> dict[str, object]:
    first = (number + DISTINCT) * BATCH
    return {"batch": [message(n, shopper(n, chance), chance) for n in range(first, first + BATCH)]}
