"""Identity: who owns an event. Events never move, ownership does.

Theory of operation. A message with several identifiers makes claims: from its time on, each weaker identifier belongs
to the strongest. In their total order, the claims on an identifier divide time into periods, each with one holder. The
time before the first claim belongs to the first claimer. To find the owner of an event, follow the holder of its
identifier at the event's own time: from anonymous to email to user. Only an alias from a server key joins users, for
all time.

The key in a page is public. Its claims move what pages sent for an anonymous ID, and never show anybody what a server
sent about somebody else:

- An event that a server sent with an anonymous ID follows servers' claims only. An event from a page follows all
  claims.
- A lookup follows a page's claim only if no server has sent either of its identifiers.
- For an address, a page's claim counts only under the same condition, and if no claim of a higher level exists.

A page's claim with a user ID that the source's secret proves counts as a server's, except for an address that a server
itself claims: the proof covers the user ID only.

House rule of this package: nothing depends on the order in which messages arrive.
"""
