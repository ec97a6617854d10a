"""Columns: what all people did, laid out for questions about all of them at once, and kept up with the log.

A segment is a DuckDB file that never changes: some profiles, each with all of its events, traits and identifiers, as
they were at a place of the log. A newer segment takes the place of the profiles it names in older ones. Whoever has
done something since stands in no segment: such a profile is read from the log itself. So identity, late claims, aliases
and corrected times are worked out in one place only, by the code that answers an open.
"""

from wetink.store.columns.engine import DuckDBColumns

__all__ = ["DuckDBColumns"]
