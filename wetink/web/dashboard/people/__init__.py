"""People: profiles, and the timeline of one person."""
