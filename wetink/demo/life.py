"""Life: two weeks of the shop, generated from a seed. The same seed, moment and address give the same messages.

A few shoppers have full stories (`CAST`); the others wander. Each shopper begins as an anonymous
visitor on one device, and some identify themselves later.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from wetink.demo.shop import BRAND, BY_SKU, CATEGORIES, CURRENCY, ITEMS, Item, account, found, product

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SPAN = 14 * DAY
WANDERERS = 144

Kind = Literal["track", "identify", "page"]


class Message(msgspec.Struct, frozen=True):
    """One call of an SDK. `at` is the time of the event and `sent` its arrival, both Unix ms: some arrive late."""

    kind: Kind
    at: int
    sent: int
    message_id: str
    anonymous: str
    user: str
    name: str
    properties: dict[str, Any]
    context: dict[str, Any]


class Role(msgspec.Struct, frozen=True):
    """A shopper with a story. `hero` has the skus in the big picture of their email once all their messages are in.

    `recipient` is the recipient of an email to them (`kind:value`).
    """

    first: str
    name: str
    email: str
    story: str
    recipient: str
    hero: tuple[str, ...]


def _role(name: str, email: str, story: str, *hero: str) -> Role:
    return Role(name.split()[0], name, email, story, f"email:{email}", hero)


CAST: tuple[Role, ...] = (
    _role("Jane Mercer", "jane@mercer.example", "left two things in her cart last night", "TW-603", "TW-601"),
    _role("Bob Adeyemi", "bob@adeyemi.example", "looks at lamps, puts nothing in the cart", "TW-202"),
    _role("Carla Nunes", "carla@nunes.example", "ordered this morning, so her old cart is forgotten", "TW-303"),
    _role("Theo Lind", "theo@lind.example", "browsed on two devices before he logged in on both", "TW-604"),
    _role("Ines Okafor", "ines@okafor.example", "keeps a wishlist; one event of hers came in two days late", "TW-404"),
    Role("", "A visitor", "", "never said who they are, likes plants", "anonymous:visitor-among-plants", ("TW-501",)),
)

# fmt: off
FIRST = (
    "Ada", "Amir", "Anya", "Arlo", "Beth", "Boris", "Cleo", "Dana", "Dev", "Eli", "Elsa", "Emre", "Fay", "Finn", "Gia",
    "Hana", "Hugo", "Ida", "Igor", "Jon", "Jun", "Kai", "Kofi", "Lena", "Leo", "Lila", "Luca", "Mara", "Max", "Mei",
    "Milo", "Mina", "Nadia", "Nils", "Noor", "Olga", "Omar", "Otto", "Pia", "Quinn", "Ravi", "Remy", "Rosa", "Sami",
)
LAST = (
    "Abara", "Berg", "Castro", "Diallo", "Eaton", "Farah", "Gupta", "Hale", "Ito", "Jensen", "Kaya", "Lopez", "Marsh",
    "Novak", "Osei", "Park", "Quist", "Reyes", "Sato", "Toma", "Ueda", "Vance", "Wolff", "Xu", "Young", "Zeller",
)
SEARCHES = (
    "mug", "lamp", "blanket", "tent", "bottle", "chair", "candle", "plant", "linen", "backpack", "oak", "wool",
    "teapot",
)
# fmt: on
DEVICES = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36",
)


def life(seed: int, now: int, base_url: str) -> list[Message]:
    """Return two weeks up to `now` (Unix ms) of the shop at `base_url`, in the order the messages arrive."""
    messages: list[Message] = []
    for number in range(WANDERERS):
        messages += _wander(random.Random(f"{seed}/{number}"), number, now, base_url)  # noqa: S311 (no secret)

    def begin(name: str, device: int) -> _Visit:
        return _Visit(random.Random(f"{seed}/{name}"), name, base_url, DEVICES[device])  # noqa: S311 (no secret)

    for role, story in zip(CAST, STORIES, strict=True):
        messages += [message for visit in story(begin, role, now) for message in visit.messages]
    return sorted(
        [replace(message, sent=min(message.sent, now)) for message in messages],
        key=lambda message: (message.sent, message.at, message.message_id),
    )


class _Visit:
    """A visitor on one device, with a clock that advances from call to call."""

    def __init__(self, chance: random.Random, anonymous: str, base_url: str, device: str = "") -> None:
        self.messages: list[Message] = []
        self.cart: list[Item] = []
        self.at = 0
        self.user = ""
        self._chance, self._anonymous, self._base = chance, anonymous, base_url
        self._device = device or chance.choice(DEVICES)

    def arrive(self, at: int) -> None:
        self.at = at
        self._send("page", "Home", {"path": "/demo/shop"})

    def lists(self, category: str) -> list[Item]:
        items = [item for item in ITEMS if item.category == category]
        self._send("page", CATEGORIES[category], {"path": f"/demo/shop/{category}"})
        self._track(
            "Product List Viewed", list_id=category, category=CATEGORIES[category], products=self._many(items[:6])
        )
        return items

    def search(self, query: str) -> list[Item]:
        self._track("Products Searched", query=query)
        return found(query)

    def view(self, sku: str) -> None:
        item = BY_SKU[sku]
        self._send("page", item.name, {"path": item.path})
        self._track("Product Viewed", **product(item, self._base))

    def add(self, sku: str, *, late: int = 0) -> None:
        """Put a product in the cart; `late` is the delay of the message in ms."""
        self.cart.append(BY_SKU[sku])
        self._track("Product Added", late=late, **product(BY_SKU[sku], self._base))

    def remove(self, sku: str) -> None:
        self.cart.remove(BY_SKU[sku])
        self._track("Product Removed", **product(BY_SKU[sku], self._base))

    def wish(self, sku: str) -> None:
        self._track("Product Added to Wishlist", wishlist_name="Someday", **product(BY_SKU[sku], self._base))

    def look_at_cart(self) -> None:
        self._track("Cart Viewed", products=self._many(self.cart))

    def check_out(self, order: str) -> None:
        self._track("Checkout Started", order_id=order, **self._money(), products=self._many(self.cart))

    def complete(self, order: str) -> None:
        money = {"order_id": order, "affiliation": BRAND, "total": self._money()["value"], "shipping": 0.0}
        self._track("Order Completed", **money, **self._money(), products=self._many(self.cart))
        self.cart = []

    def log_in(self, name: str, email: str) -> None:
        self.user = account(email)
        first, last = name.split(" ", 1)
        self._send("identify", "", {"email": email, "firstName": first, "lastName": last})

    def _money(self) -> dict[str, Any]:
        total = round(sum(item.price for item in self.cart), 2)
        return {"value": total, "revenue": total, "currency": CURRENCY}

    def _many(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        counts = {item.sku: sum(item is other for other in items) for item in items}
        return [product(BY_SKU[sku], self._base, count) for sku, count in counts.items()]

    def _track(self, event: str, *, late: int = 0, **properties: Any) -> None:
        self._send("track", event, properties, late)

    def _send(self, kind: Kind, name: str, properties: dict[str, Any], late: int = 0) -> None:
        number = f"{self._chance.getrandbits(64):016x}"
        if kind == "page":
            properties = {**properties, "url": self._base + properties["path"], "title": f"{name} - {BRAND}"}
        context = {"userAgent": self._device, "locale": "en-US"}
        sent = self.at + late + self._chance.randrange(40, 900)
        self.messages.append(
            Message(kind, self.at, sent, f"life-{number}", self._anonymous, self.user, name, properties, context)
        )
        self.at += self._chance.randrange(2, 60) * 1000 + self._chance.randrange(1000)


Story = Callable[[Callable[[str, int], _Visit], Role, int], list[_Visit]]
"""Returns the visits of a role up to now (Unix ms); its first argument begins a visit by its name and device."""


def _jane(visit: Callable[[str, int], _Visit], role: Role, now: int) -> list[_Visit]:
    phone = visit("jane-phone", 0)
    phone.arrive(now - 6 * DAY)
    phone.lists("trail")
    for sku in ("TW-607", "TW-603", "TW-601"):
        phone.view(sku)
    phone.arrive(now - 13 * HOUR)
    phone.view("TW-601")
    phone.add("TW-601")
    phone.log_in(role.name, role.email)
    phone.view("TW-403")
    phone.view("TW-603")
    phone.add("TW-603")
    phone.look_at_cart()
    return [phone]


def _bob(visit: Callable[[str, int], _Visit], role: Role, now: int) -> list[_Visit]:
    desk = visit("bob-desk", 1)
    desk.arrive(now - 3 * DAY)
    desk.search("lamp")
    desk.view("TW-201")
    desk.log_in(role.name, role.email)
    desk.arrive(now - 5 * HOUR)
    desk.lists("light")
    for sku in ("TW-205", "TW-203", "TW-202"):
        desk.view(sku)
    return [desk]


def _carla(visit: Callable[[str, int], _Visit], role: Role, now: int) -> list[_Visit]:
    desk = visit("carla-desk", 2)
    desk.arrive(now - 4 * DAY)
    desk.lists("cloth")
    desk.view("TW-402")
    desk.log_in(role.name, role.email)
    desk.add("TW-402")
    desk.add("TW-405")
    desk.arrive(now - 4 * HOUR)
    desk.look_at_cart()
    desk.remove("TW-405")
    desk.check_out("T-20417")
    desk.complete("T-20417")
    desk.view("TW-506")
    desk.view("TW-303")
    return [desk]


def _theo(visit: Callable[[str, int], _Visit], role: Role, now: int) -> list[_Visit]:
    phone, laptop = visit("theo-phone", 3), visit("theo-laptop", 1)
    phone.arrive(now - 9 * DAY)
    phone.search("tent")
    phone.view("TW-606")
    laptop.arrive(now - 2 * DAY)
    laptop.lists("trail")
    laptop.view("TW-602")
    laptop.log_in(role.name, role.email)
    phone.arrive(now - 7 * HOUR)
    phone.log_in(role.name, role.email)
    phone.view("TW-604")
    return [phone, laptop]


def _ines(visit: Callable[[str, int], _Visit], role: Role, now: int) -> list[_Visit]:
    tablet = visit("ines-tablet", 0)
    tablet.arrive(now - 8 * DAY)
    tablet.log_in(role.name, role.email)
    tablet.lists("rest")
    tablet.view("TW-303")
    tablet.wish("TW-303")
    tablet.arrive(now - 3 * DAY)
    tablet.view("TW-404")
    tablet.add("TW-404", late=2 * DAY)
    tablet.wish("TW-201")
    return [tablet]


def _stranger(visit: Callable[[str, int], _Visit], role: Role, now: int) -> list[_Visit]:
    phone = visit(role.recipient.partition(":")[2], 3)
    phone.arrive(now - 26 * HOUR)
    phone.lists("green")
    for sku in ("TW-506", "TW-502", "TW-503", "TW-501"):
        phone.view(sku)
    return [phone]


STORIES: tuple[Story, ...] = (_jane, _bob, _carla, _theo, _ines, _stranger)
"""The stories of the cast, in the order of the cast."""


def _wander(chance: random.Random, number: int, now: int, base_url: str) -> list[Message]:
    """Return an ordinary shopper, who looks often, searches sometimes and seldom buys."""
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    email = f"{name.replace(' ', '.').lower()}{number}@mail.example"
    tells, loyal = chance.random() < 0.62, chance.choice(list(CATEGORIES))
    devices = [_Visit(chance, f"visitor-{number:03d}-{part}", base_url) for part in range(chance.choice((1, 1, 1, 2)))]
    times = sorted(chance.randrange(now - SPAN, now - 20 * MINUTE) for _ in range(chance.randint(1, 5)))
    for turn, at in enumerate(times):
        visit = chance.choice(devices)
        if at <= visit.at:
            continue
        visit.arrive(at)
        _browse(chance, visit, loyal, f"T-{number:03d}{turn}")
        if tells and not visit.user and chance.random() < 0.5:
            visit.log_in(name, email)
    return [message for visit in devices for message in visit.messages if message.at < now]


def _browse(chance: random.Random, visit: _Visit, loyal: str, order: str) -> None:
    for _ in range(chance.randint(1, 3)):
        if chance.random() < 0.2:
            shown = visit.search(chance.choice(SEARCHES))
        else:
            shown = visit.lists(loyal if chance.random() < 0.5 else chance.choice(list(CATEGORIES)))
        for item in chance.sample(shown, min(len(shown), chance.randint(1, 4))):
            visit.view(item.sku)
            if chance.random() < 0.2:
                visit.add(item.sku, late=DAY if chance.random() < 0.04 else 0)
            elif chance.random() < 0.05:
                visit.wish(item.sku)
    if visit.cart:
        _decide(chance, visit, order)


def _decide(chance: random.Random, visit: _Visit, order: str) -> None:
    if chance.random() < 0.6:
        visit.look_at_cart()
    if len(visit.cart) > 1 and chance.random() < 0.2:
        visit.remove(visit.cart[0].sku)
    if chance.random() < 0.45:
        visit.check_out(order)
        if chance.random() < 0.75:
            visit.complete(order)
