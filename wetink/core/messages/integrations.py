"""Integrations: whether a message is meant for wetink, by what Segment's `integrations` object says of destinations.

Source: Segment spec, common fields: `All` is what holds for destinations that are not named, and is true by default.
"""

from collections.abc import Mapping
from typing import Any


def switched_off(integrations: Any, *, relayed: bool = False) -> str:
    """Return the name by which a message is kept from wetink, empty when it is not.

    wetink stands where Movable Ink's destination does, so it goes by each name of it: `Movable Ink`, `Movable Ink
    (Actions)`, `movable-ink`; and by its own. A name of its own says more than `All`. What comes `relayed` was sent
    here by whoever read `All`, knowing the name that the destination has there.

    >>> switched_off({"All": False}), switched_off({"All": False, "Movable Ink": True}), switched_off({"wetink": False})
    ('All', '', 'wetink')
    """
    if not isinstance(integrations, Mapping):
        return ""
    said: dict[str, bool | None] = {str(name): _switch(value) for name, value in integrations.items()}
    ours = {name: on for name, on in said.items() if on is not None and _names_us(name)}
    for name, on in ours.items():
        if not on:
            return name
    if ours or relayed:
        return ""
    return next((name for name, on in said.items() if on is False and name.lower() == "all"), "")


def _names_us(name: str) -> bool:
    plain = "".join(filter(str.isalnum, name[:100])).lower()
    return plain.startswith("movableink") or plain.endswith("movableink") or plain == "wetink"


def _switch(value: Any) -> bool | None:
    """Return whether a value switches on: settings of a destination do; None for what says nothing."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    if isinstance(value, Mapping):
        return True
    return bool(value) if isinstance(value, bool | int) else None
