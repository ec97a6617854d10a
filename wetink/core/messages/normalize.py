"""Normalize: turns one message into an event, in one ordered list of small steps. Each sees the results before it."""

from typing import Any, Final, get_args

import msgspec

from wetink.core.events.clock import happened
from wetink.core.events.ecommerce import (
    EVENTS,
    MANY_PRODUCTS,
    ONE_PRODUCT,
    ORDER_AMOUNTS,
    ORDER_IDS,
    ORDERS,
    PRODUCT_NAMES,
    SEARCHED,
    canonical,
    hint_of,
    order,
    product,
    unread,
)
from wetink.core.events.event import Event, Level, MessageType, Order, Problem, Product, placeholder, problem
from wetink.core.events.message import REMEMBERED, Message, Piece, context_traits, digest, message_id, page_of
from wetink.core.events.products import REQUIRED, listed, many, one
from wetink.core.identity import identifier, user_hash
from wetink.core.identity.identifier import Identifier
from wetink.core.identity.user_hash import IdentityVerification
from wetink.core.messages.integrations import switched_off
from wetink.core.messages.record import Record
from wetink.core.text.characters import unescaped
from wetink.core.text.placeholder import USUAL, Placeholders
from wetink.core.units import zone
from wetink.core.units.quantity import storable, text

TYPES: Final = frozenset(get_args(MessageType))
_ZONES = frozenset(zone.TRAITS)
_pack = msgspec.msgpack.Encoder().encode
_NO_PROBLEMS: tuple[Problem, ...] = ()
_products: dict[int, tuple[dict[str, Any], Placeholders, tuple[Product, dict[str, Any]]]] = {}


class _Draft(msgspec.Struct, gc=False):
    """An event under construction. `complete` means that it has the one product that its name needs."""

    piece: Piece
    message: Message
    source: str
    level: Level
    received: int
    relayed: bool
    at: int
    known: Placeholders = USUAL
    verification: IdentityVerification | None = None
    type: str = ""
    name: str = ""
    message_id: str = ""
    own_time: int | None = None
    user: Identifier | None = None
    email: Identifier | None = None
    anonymous: Identifier | None = None
    traits: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    products: tuple[Product, ...] = ()
    order: Order | None = None
    query: str = ""
    complete: bool = False
    zone: str = ""
    parked: list[Problem] = []
    lacking: list[Problem] = []
    noted: list[Problem] = []


def normalize(
    piece: Piece,
    source: str,
    level: Level,
    received: int,
    relayed: bool = False,
    known: Placeholders = USUAL,
    verification: IdentityVerification | None = None,
) -> Record:
    """Return one message as a record. Never raises: an unusable message is parked, with its problem.

    `received` is Unix ms. `relayed` means that a relay has corrected the clock. `known` are the placeholders.
    `verification` is the check of user IDs from a browser's source, None if it has none.
    """
    message = piece.message
    if message is None:
        fault = piece.fault or problem("unreadable", detail="unknown")
        return Record(source, digest(piece.raw), received, 0, piece.raw, "parked", (fault,))
    draft = _Draft(piece, message, source, level, received, relayed, received, known, verification)
    _type(draft)
    if message.integrations:  # nearly always empty
        _meant_for_here(draft)
    draft.at, draft.own_time = happened(message, received, draft.noted, relayed)
    _message_id(draft)
    _traits(draft)
    _identifiers(draft)
    if level != "server":
        _page(draft)
    _zone(draft)
    _name(draft)
    _properties(draft)
    _take_products(draft)
    _storable(draft)
    _requirements(draft)
    own = draft.own_time or 0
    if draft.parked:
        problems = (*draft.parked, *draft.noted)
        return Record(source, draft.message_id, received, own, piece.raw, "parked", problems)
    type_, at, id_, level, lacking = draft.type, draft.at, draft.message_id, draft.level, draft.lacking
    user, email, anonymous = draft.user, draft.email, draft.anonymous
    claims, joins = identifier.claims(
        type_, user, email, anonymous, _previous(message) if type_ == "alias" else None, at, source, id_, level, known
    )
    return Record(
        source,
        id_,
        received,
        own,
        piece.raw,
        "unusable" if lacking else "usable",
        (*lacking, *draft.noted) if lacking or draft.noted else _NO_PROBLEMS,
        identifier.strongest(user, email, anonymous),
        Event(  # positional arguments: this is the hottest call
            type_,  # type: ignore[arg-type]  # one of TYPES, or it were parked
            at,
            id_,
            source,
            draft.name,
            level,
            not lacking,
            user.value if user is not None else "",
            email.value if email is not None else "",
            anonymous.value if anonymous is not None else "",
            draft.products,
            draft.order,
            draft.query,
            draft.properties,
            draft.traits,
            draft.zone,
        ),
        claims,
        joins,
    )


def _type(draft: _Draft) -> None:
    given = draft.message.type
    if type(given) is str and given in TYPES:
        draft.type = given
        return
    if given is None and isinstance(draft.message.event, str):
        given = "track"  # Movable Ink's native events may leave it out
    if isinstance(given, str) and given.strip().lower() in TYPES:
        draft.type = given.strip().lower()
    else:
        draft.parked.append(problem("unknown_type", "type"))


def _meant_for_here(draft: _Draft) -> None:
    name = switched_off(draft.message.integrations, relayed=draft.relayed)
    if name:
        draft.parked.append(problem("not_meant_for_here", f"integrations.{name}", f" with `{name}: false`"))


def _message_id(draft: _Draft) -> None:
    draft.message_id, replaced = message_id(draft.piece, draft.message, draft.own_time, draft.received)
    if replaced:
        draft.noted.append(problem("message_id_too_long", "messageId"))


def _traits(draft: _Draft) -> None:
    """Take the traits. RudderStack sends an identify's only in its context. A group's own are not the person's."""
    draft.traits = context_traits(draft.message)
    own = draft.message.traits
    if isinstance(own, dict) and draft.type != "group":
        draft.traits = {**draft.traits, **own} if draft.traits else own


def _identifiers(draft: _Draft) -> None:
    message = draft.message
    user = message.userId if message.userId is not None else message.user_id
    anonymous = message.anonymousId if message.anonymousId is not None else message.anonymous_id
    known = draft.known
    draft.user = identifier.user(user, known) if user is not None else None
    draft.anonymous = identifier.anonymous(anonymous, known) if anonymous is not None else None
    address = draft.traits.get("email")
    draft.email = identifier.email(address, known) if address is not None else None
    if (user and draft.user is None) or (anonymous and draft.anonymous is None) or (address and draft.email is None):
        _note_nobodies(draft, user, anonymous, address)
    if draft.type == "alias" and (previous := text(_previous(message))) and known.nobody(previous):
        draft.noted.append(placeholder("previousId", previous))
    if draft.user is None and draft.anonymous is None and draft.email is None:
        given = [
            f"`{name}`" for name, value in (("userId", user), ("anonymousId", anonymous), ("email", address)) if value
        ]
        property = given[0].strip("`") if given else "userId"
        draft.parked.append(problem("no_identifier", property, f"; {', '.join(given)} cannot be used" if given else ""))


def _page(draft: _Draft) -> None:
    """Limit the identity that a page's key may state. With its proof, a user ID has a server's trust."""
    message = draft.message
    if draft.verification is not None:
        sent = message.userId if message.userId is not None else message.user_id
        proven, wrong = user_hash.verified(draft.verification, draft.piece.raw, draft.user, sent, draft.email)
        if proven:
            draft.level = "verified"
        if wrong is not None:
            draft.user, draft.email, draft.traits = None, None, {}
            unusable = draft.lacking if draft.type == "identify" else draft.noted
            (draft.parked if draft.anonymous is None else unusable).append(wrong)
    if (
        draft.type == "alias"
        and draft.user is not None
        and user_hash.joins(_previous(message), draft.user, draft.anonymous)
    ):
        draft.noted.append(problem("page_alias", "previousId"))


def _previous(message: Message) -> Any:
    return message.previousId if message.previousId is not None else message.previous_id


def _note_nobodies(draft: _Draft, user: Any, anonymous: Any, address: Any) -> None:
    for name, value, found in (
        ("userId", user, draft.user),
        ("anonymousId", anonymous, draft.anonymous),
        (_place_of_address(draft), address, draft.email),
    ):
        if found is None and (given := text(value)) and _means_nobody(name, given, draft.known):
            draft.noted.append(placeholder(name, value))
    if draft.email is None and address and not identifier.means_nobody(address, draft.known):
        draft.noted.append(problem("not_an_email", _place_of_address(draft)))


def _means_nobody(name: str, given: str, known: Placeholders) -> bool:
    return identifier.means_nobody(given, known) if name == "userId" else known.nobody(given)


def _place_of_address(draft: _Draft) -> str:
    message = draft.message
    own = message.traits if isinstance(message.traits, dict) and draft.type != "group" else {}
    return "traits.email" if "email" in own else "context.traits.email"


def _zone(draft: _Draft) -> None:
    """Take the zone of the device, or of the message. An unknown zone is a problem, also in a trait."""
    message = draft.message
    context = message.context
    if context is not None and context.timezone is not None:
        draft.zone = zone.named(context.timezone) or _read_zone(draft, "context.timezone", context.timezone)
    if message.timezone is not None and not draft.zone:
        draft.zone = _read_zone(draft, "timezone", message.timezone)
    if draft.traits and not _ZONES.isdisjoint(draft.traits):
        for name in _ZONES & draft.traits.keys():
            _read_zone(draft, f"traits.{name}", draft.traits[name])


def _read_zone(draft: _Draft, place: str, value: Any) -> str:
    found = zone.named(value)
    if not found and value is not None and value != "":
        draft.noted.append(problem("unknown_zone", place))
    return found


def _name(draft: _Draft) -> None:
    if draft.type == "track":
        name = draft.message.event
        if not isinstance(name, str) or not name.strip():
            draft.parked.append(problem("no_event_name", "event"))
            return
        draft.name = canonical(name) or name.strip()
        if draft.name not in EVENTS and draft.known.no_name(draft.name):
            draft.parked.append(placeholder("event", name))
    elif draft.type in ("page", "screen"):
        draft.name = text(draft.message.name) or ""
        if draft.name and draft.known.no_name(draft.name):
            draft.noted.append(placeholder("name", draft.name))
            draft.name = ""


def _properties(draft: _Draft) -> None:
    properties = draft.message.properties
    if not isinstance(properties, dict):
        return
    if draft.name in MANY_PRODUCTS and "products" in properties:
        products = listed(properties["products"])
        if products is not None:
            properties = draft.message.properties = {**properties, "products": products}
        elif properties["products"] is not None and properties["products"] != "":
            draft.noted.append(problem("not_products", "products"))
    draft.properties = properties


def _take_products(draft: _Draft) -> None:
    name, properties = draft.name, draft.properties
    if name in ONE_PRODUCT:
        found, draft.properties = _product(properties, draft.known)
        draft.products = (found,)
        named = found.sku or found.product_id
        if not named or (draft.properties and not PRODUCT_NAMES.isdisjoint(draft.properties)):
            _odd_product(draft, found)
        else:
            draft.complete = bool(found.url)
        return
    if name in MANY_PRODUCTS and "products" in properties:
        listed = many(
            properties["products"], "products", lambda: page_of(draft.piece), draft.known, hint_of(properties)
        )
        if listed is not None:
            draft.products, draft.noted = listed.products, [*draft.noted, *listed.problems]
    if name in ORDERS:
        _money(draft)
    if draft.products and len(draft.products) == len(properties["products"]):
        draft.properties = {key: value for key, value in draft.properties.items() if key != "products"}
    if name == "Products Searched":
        draft.query = unescaped(next((given for each in SEARCHED if (given := text(properties.get(each)))), ""))
        if draft.query and "query" in properties:
            draft.properties = {key: value for key, value in properties.items() if key != "query"}


def _product(properties: dict[str, Any], known: Placeholders) -> tuple[Product, dict[str, Any]]:
    """Return the result of `product`, cached by the identity of the properties."""
    kept = _products.get(id(properties))
    if kept is None or kept[0] is not properties or kept[1] is not known:
        if len(_products) >= REMEMBERED:
            _products.clear()
        kept = _products[id(properties)] = (properties, known, product(properties, known))
    return kept[2]


def _money(draft: _Draft) -> None:
    draft.order, rest = order(draft.properties, draft.known)
    if not draft.order.order_id:
        for name in [name for name in ORDER_IDS if name in rest]:
            given = rest.pop(name) if text(rest[name]) else None
            draft.noted.append(problem("not_a_text", name) if given is None else placeholder(name, given))
    if rest and not ORDER_AMOUNTS.isdisjoint(rest):
        draft.noted = [*draft.noted, *unread(rest, ORDER_AMOUNTS, "", hint_of(draft.properties))]
    native = draft.message.user_id is not None or draft.message.anonymous_id is not None
    if native and draft.order.total is None and draft.order.revenue is not None:
        draft.order = msgspec.structs.replace(draft.order, total=draft.order.revenue)
    draft.properties = rest


def _odd_product(draft: _Draft, found: Product) -> None:
    read = one(draft.message.properties or {}, found, draft.properties, lambda: page_of(draft.piece), draft.known)
    draft.products, draft.properties = read.products, read.rest
    draft.noted += read.problems


def _storable(draft: _Draft) -> None:
    """Replace whole numbers that are too large to store. Fields of `Event` are limited when they are read."""
    if not draft.properties and not draft.traits:
        return
    try:
        _pack((draft.properties, draft.traits))
    except OverflowError:
        draft.properties = storable(draft.properties)
        draft.traits = storable(draft.traits)


def _requirements(draft: _Draft) -> None:
    if draft.type == "track" and not draft.complete:
        needs = REQUIRED.get(draft.name)
        if needs is not None:
            for lacking in needs(draft):
                _lack(draft, lacking)


def _lack(draft: _Draft, lacking: Problem) -> None:
    """Add a missing value as a problem, unless the value was sent and is unreadable, which is then the problem."""
    unread = [each for each in draft.noted if each.property == lacking.property]
    place = lacking.property.rpartition(".")[0]
    draft.noted = [each for each in draft.noted if each.code != "not_a_product" or each.property != place]
    draft.noted = [each for each in draft.noted if each not in unread] if unread else draft.noted
    draft.lacking += unread or [lacking]
