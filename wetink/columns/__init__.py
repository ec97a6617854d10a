"""Columns: what all people did, laid out for questions about all of them at once, and kept up with the log.

The layout is one DuckDB file that never changes: every profile with all of its events, traits and identifiers, as they
were at a cursor of the log. Whoever has changed since is read from the log itself. So identity, late claims, aliases
and corrected times are worked out in one place only, by the code that answers an open. Once too many have changed, a
task writes the next file: the people of the last one without those who have changed, and these as they are now.
"""

from wetink.columns.engine import DuckDBColumns

__all__ = ["DuckDBColumns"]
