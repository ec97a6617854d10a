"""Money: the filter of templates for an amount, in the language of the moment's reader."""

from typing import Any

from liquid.filter import with_context

from wetink.core.units.money import money


@with_context
def money_filter(amount: object, currency: object = "", *, context: Any) -> str:
    """Return a price as the reader of the moment writes it."""
    moment = context.resolve("moment", default=None)
    return money(amount, currency, moment.get("language", "") if isinstance(moment, dict) else "")
