"""Opens: a decision as JSON out of a file of 1,000,000 profiles, beside constant bytes from the same server.

Each person has 50 events, the newest a day old. Cold: every request is another person's, in no order, more of them
than are asked for in a round, of a server that has been asked for others before. Back: the same with people of whom an
event has come in since the server last had time for them. Warm: a few people over and over. Files are built once, under
.build, and kept, but for what was opened.
"""

import asyncio
import random
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.figure import Figure
from bench.load import Outcome, press, request
from bench.messages import batch, message, product
from bench.server import CORES, key_of, serving
from wetink import settings as setting
from wetink.core.events.message import Endpoint, pieces
from wetink.core.identity.identifier import user
from wetink.core.messages.normalize import normalize
from wetink.opens.lookup import RULES
from wetink.opens.recipient import Purpose
from wetink.ports import Record
from wetink.wiring import Wetink

PEOPLE, EVENTS, LARGE, SMALL = 20_000, 50, 1_000_000, 10_000
SECONDS, ROUNDS, CONNECTIONS = 3.0, 3, 16
BLOCK = "last-viewed"
BACK = 8_000
"""People who have just come back."""
QUIET_MS = 86_400_000
OLD_MS = 20 * 86_400_000
"""A file older than this is built anew: the block shows what was seen in the last 30 days."""
_ANY = Endpoint(body_bytes=1 << 20)


def measure() -> list[Figure]:
    """Return the figures of the open path."""
    large, small = built(LARGE), built(SMALL)
    for data in (large, small):
        forget_opens(data)
    cold, back, warm = (asks(large, shuffled(*some)) for some in ((PEOPLE,), (BACK, PEOPLE), (64,)))
    rates: dict[str, float] = {}
    for _ in range(ROUNDS):
        with serving(large, app="bench.server:constant") as settings:
            _keep(rates, "constant", _press(settings.port, warm))
        with serving(large) as settings:
            _keep(rates, "warm", _press(settings.port, warm))
            _keep(rates, "back", _press(settings.port, back))
            _keep(rates, "cold", _press(settings.port, cold))
    few = asks(large, range(16), "picture")
    for _ in range(ROUNDS):
        with serving(large, app="bench.server:picture") as settings:
            _keep(rates, "bytes", _press(settings.port, few))
        with serving(large, given={"link_hosts": "photos.invalid"}) as settings:  # without photos: there is no network
            _press(settings.port, few)
            _keep(rates, "picture", _press(settings.port, few))
    slow, quick = _latency(large, LARGE), _latency(small, SMALL)
    idle, busy = _tail(large)
    constant = rates["constant"]
    return [
        Figure(
            "open: a picture that was drawn before to constant bytes of that size",
            rates["picture"] / rates["bytes"], 0.6,
            f"{rates['picture']:,.0f}/s, constant bytes {rates['bytes']:,.0f}/s",
        ),
        Figure(
            "open: JSON of a person of 50 events among 1,000,000 profiles to constant bytes",
            rates["cold"] / constant, 0.15,
            f"{rates['cold']:,.0f}/s ({rates['back']:,.0f}/s just back), constant bytes {constant:,.0f}/s",
        ),
        Figure(
            "open: the same with a warm person to constant bytes",
            rates["warm"] / constant, 0.4, f"{rates['warm']:,.0f}/s, constant bytes {constant:,.0f}/s",
        ),
        Figure(
            "open: latency among 10,000 profiles to latency among 1,000,000",
            quick / slow, 1 / 1.3, f"{quick:.2f} ms to {slow:.2f} ms",
        ),
        Figure(
            "open: p99 when idle to p99 while ingest is saturated",
            idle / busy, 0.1, f"{idle:.2f} ms to {busy:.2f} ms",
        ),
    ]  # fmt: skip


def _keep(rates: dict[str, float], name: str, outcome: Outcome) -> None:
    rates[name] = max(rates.get(name, 0.0), outcome.rate)


def _press(port: int, requests: list[bytes], connections: int = CONNECTIONS) -> Outcome:
    return press(port, requests, connections=connections, seconds=SECONDS, core=CORES[-1])


def _latency(data: Path, profiles: int) -> float:
    """Return the median of opens one after the other (ms), each of another person."""
    with serving(data) as settings:
        requests = asks(data, shuffled(min(PEOPLE, profiles)))
        return min(_press(settings.port, requests, 1).quantile(0.5) for _ in range(ROUNDS))


def _tail(data: Path) -> tuple[float, float]:
    """Return the 99th percentile of opens (ms) when idle, and while every core is busy taking messages in."""
    place = data.with_name("opens-busy")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(data, place)
    chance = random.Random(3)
    key = key_of(place)
    bodies = [batch(n * 700, 500_000, chance) for n in range(120)]
    batches = [request("POST", "/v1/batch", body, authorization=key) for body in bodies]
    requests = asks(place, shuffled(PEOPLE))
    try:
        with serving(place, workers=len(CORES), cores=CORES) as settings:
            idle = _press(settings.port, requests, 2).quantile(0.99)
            ingesting = threading.Thread(
                target=press, args=(settings.port, batches),
                kwargs={"connections": 8, "seconds": SECONDS + 2, "core": CORES[-1]},
            )  # fmt: skip
            ingesting.start()
            busy = _press(settings.port, requests, 2).quantile(0.99)
            ingesting.join()
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return idle, busy


def asks(data: Path, people: Sequence[int], purpose: Purpose = "data", block: str = BLOCK) -> list[bytes]:
    """Return the requests of these people, who open a block."""
    paths = {"data": "/d/{}/{}.json", "picture": "/o/{}/1/{}.jpg", "click": "/c/{}/1/{}"}

    async def make() -> list[bytes]:
        async with Wetink(setting.read({}, data=data)) as wetink:
            named = [user(f"person-{number}") for number in people]
            tokens = [wetink.seals.seal(who, block, purpose) for who in named if who]
            return [request("GET", paths[purpose].format(block, token)) for token in tokens]

    return asyncio.run(make())


def shuffled(people: int, first: int = 0) -> list[int]:
    """Return so many people's numbers, in no order."""
    return random.Random(1).sample(range(first, first + people), people)


def built(profiles: int) -> Path:
    """Return a data folder with so many profiles, of whom those asked for have 50 events.

    Made anew when it is old, or when persons are folded by other rules than then.
    """
    data = Path(".build") / f"opened-{profiles}"
    complete = data / "complete"
    now = time.time_ns() // 1_000_000
    made, _, rules = complete.read_text().partition(" ") if complete.exists() else ("0", "", "")
    if now - int(made) > OLD_MS or rules != str(RULES):
        shutil.rmtree(data, ignore_errors=True)
        asyncio.run(_build(data, profiles, now))
        complete.write_text(f"{now} {RULES}")
    return data


def forget_opens(data: Path) -> None:
    """Begin without what earlier runs opened: files grow by every one of them."""
    for path in (*data.glob("archive.db*"), *data.glob("opens.db*")):
        path.unlink()


async def _build(data: Path, profiles: int, now: int) -> None:
    chance = random.Random(5)

    def view(number: int, event: int, at: int) -> Record:
        made = message(number * EVENTS + event, number, chance)
        made |= {"type": "track", "event": "Product Viewed", "userId": f"person-{number}", "timestamp": at}
        made |= {"properties": product(chance.randrange(5_000))}
        del made["context"]
        return normalize(pieces(msgspec.json.encode(made), _ANY)[0][0], "bench", "server", at)

    async with Wetink(setting.read({}, data=data)) as wetink:
        waiting = []
        for number in range(profiles):
            for event in range(EVENTS if number < PEOPLE + BACK else 1):
                waiting.append(view(number, event, now - QUIET_MS - event * 3_600_000))
                if len(waiting) == 20_000:
                    await wetink.store.log.append(waiting)
                    waiting = []
        await wetink.store.log.append(waiting)
        while await wetink.store.projections.settle() or await wetink.summaries.step(20_000):
            pass  # what a server does while nobody asks for anything
        if profiles > PEOPLE:
            await wetink.store.log.append([view(number, EVENTS, now) for number in range(PEOPLE, PEOPLE + BACK)])
