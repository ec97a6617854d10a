"""`wetink` that waits a fifth as long for locks and slow clients, so that a test need not wait for it to give up.

    python -m tests.impatient serve --data FOLDER

The process that is started is so, and those that it forks.
"""

import sys

SHARE = 0.2
DEADLINES = (
    *("BUSY_MS", "THREAD_BUSY_MS", "CLOSE_SECONDS", "PATIENCE_SECONDS", "STOP_SECONDS"),
    *("HEAD_SECONDS", "BODY_SECONDS"),
)
"""Constants of wetink that say how long to wait for others."""


def hurry() -> None:
    """Lower the deadlines of all modules that are imported."""
    for module in [each for name, each in sys.modules.items() if name.startswith("wetink.")]:
        for name in DEADLINES:
            if isinstance(found := getattr(module, name, None), int | float):
                setattr(module, name, type(found)(found * SHARE))


if __name__ == "__main__":
    import wetink.web.server  # noqa: F401 (all that serves)
    from wetink.store.sqlite.connection import LockedFile
    from wetink.store.sqlite.projections import SQLiteProjections

    hurry()
    for function in (LockedFile.run, SQLiteProjections.step, SQLiteProjections.write):
        [patience] = function.__defaults__ or ()
        function.__defaults__ = (patience * SHARE,)

    from wetink.cli import main

    main()
