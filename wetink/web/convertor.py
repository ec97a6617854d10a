"""Convertor: how a slot is read from a path. One that no block can have is no address of ours."""

from starlette.convertors import Convertor, register_url_convertor


class SlotConvertor(Convertor[int]):
    """A whole number of at most four digits."""

    regex = "[0-9]{1,4}"

    def convert(self, value: str) -> int:
        """Return the number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return how it is written."""
        return str(value)


def register() -> None:
    """Make `{slot:slot}` mean something in the paths of routes."""
    register_url_convertor("slot", SlotConvertor())
