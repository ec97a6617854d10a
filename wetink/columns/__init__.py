"""Columns: the history of all people, laid out for questions about all of them at once, and kept up with the log.

The layout is one DuckDB file that never changes: every profile with all of its events, traits and identifiers, as they
were at a cursor of the log. Profiles that have changed since are read from the log itself. So the code that answers an
open is the only one that handles identity, late claims, aliases and corrected times. Once too many have changed, a
task writes the next file: the unchanged people of the last one, and the changed ones in their current state.
"""

from wetink.columns.engine import DuckDBColumns

__all__ = ["DuckDBColumns"]
