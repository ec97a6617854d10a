"""HTTP endpoints: parse the request, call a use case, answer. They read the clock and pass `now` on."""

from starlette.convertors import IntegerConvertor, register_url_convertor


class SlotConvertor(IntegerConvertor):
    """`{slot:slot}` in the paths of routes: a whole number of up to four digits, since no block has more slots."""

    regex = "[0-9]{1,4}"


register_url_convertor("slot", SlotConvertor())
