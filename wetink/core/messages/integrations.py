"""Integrations: whether a message is meant for wetink, by Segment's `integrations` object.

Source: Segment spec, common fields: `All` applies to destinations that are not named, and is true by default.
"""

from collections.abc import Mapping
from typing import Any


def switched_off(integrations: Any, *, relayed: bool = False) -> str:
    """Return the name that switches wetink off in `integrations`; empty if it is on.

    wetink replaces Movable Ink's destination, so it accepts that destination's names, such as `Movable Ink`, `Movable
    Ink (Actions)` and `movable-ink`, and its own. A name goes before `All`. For a `relayed` message, `All` does not
    count: the relay has applied it under the destination's name there.

    >>> switched_off({"All": False}), switched_off({"All": False, "Movable Ink": True}), switched_off({"wetink": False})
    ('All', '', 'wetink')
    """
    if not isinstance(integrations, Mapping):
        return ""
    switches: dict[str, bool | None] = {str(name): _switch(value) for name, value in integrations.items()}
    ours = {name: on for name, on in switches.items() if on is not None and _names_us(name)}
    for name, on in ours.items():
        if not on:
            return name
    if ours or relayed:
        return ""
    return next((name for name, on in switches.items() if on is False and name.lower() == "all"), "")


def _names_us(name: str) -> bool:
    plain = "".join(filter(str.isalnum, name[:100])).lower()
    return plain.startswith("movableink") or plain.endswith("movableink") or plain == "wetink"


def _switch(value: Any) -> bool | None:
    """Return whether a value switches a destination on, as settings do; None for any other value."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    if isinstance(value, Mapping):
        return True
    return bool(value) if isinstance(value, bool | int) else None
