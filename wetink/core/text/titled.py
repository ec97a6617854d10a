"""Titled: parts of the content have a name for files and URLs, and may have a title for people."""


class Titled:
    """Base of a struct with these two fields."""

    __slots__ = ()

    name: str
    title: str

    @property
    def called(self) -> str:
        """Its title, or else its name."""
        return self.title or self.name
