"""Trouble: errors as they are logged. What was foreseen is told in words; all else with its trace, and is counted."""

import logging

from wetink.core.errors import WetinkError


def tell(logger: logging.Logger, error: BaseException, message: str, *details: object, foreseen: bool = False) -> None:
    """Log an error that somebody goes on from. `foreseen` says that its words are enough whatever it is."""
    if foreseen or isinstance(error, WetinkError | TimeoutError):
        logger.warning(f"{message}: %s", *details, str(error) or type(error).__name__)
    else:
        logger.error(message, *details, exc_info=error)


def counts(level: int, *, traced: bool) -> bool:
    """Whether what was logged at a level, with a trace or without, is a trouble to be counted.

    >>> counts(logging.ERROR, traced=False), counts(logging.WARNING, traced=False), counts(logging.WARNING, traced=True)
    (True, False, True)
    """
    return level >= logging.ERROR or (traced and level >= logging.WARNING)
