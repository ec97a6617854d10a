"""Troubles: how often something went wrong in this process that nobody had foreseen, by the place that told of it."""

import logging

ROOT = "wetink."


class Troubles(logging.Handler):
    """Counts what the log is told of. One for each process; it stays as long as that."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__(logging.WARNING)
        self.by_place: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record of an error, or of a warning with a traceback."""
        if record.levelno >= logging.ERROR or record.exc_info:
            place = record.name.removeprefix(ROOT)
            self.by_place[place] = self.by_place.get(place, 0) + 1
        last = logging.lastResort
        if last is not None and not logging.getLogger().handlers and record.levelno >= last.level:
            last.handle(record)  # Python does so only where nobody listens at all


_troubles = Troubles()


def counted() -> Troubles:
    """Return the counter of this process, which listens from now on."""
    logging.getLogger(ROOT.rstrip(".")).addHandler(_troubles)  # a handler that is there already is not added again
    return _troubles
