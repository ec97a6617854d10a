"""Identity: whose event is it? Events never move, ownership does.

Theory of operation. Every message that carries several identifiers makes claims: from its time on, the weaker
identifier belongs to the strongest. An identifier's claims, in their total order, cut time into stretches, each held
by one claimer; what came before the first claim goes to the first claimer. Who owns an event is found by following
the holder of the identifier it is filed under, at the event's own time: anonymous, then email, then user. Users are
only ever joined by an alias of a server's key, for all time.

The key on a page is public, so what it claims moves what pages told of an anonymous id, and lets nobody see what a
server told of somebody else:

- An event that a server told under an anonymous id follows servers' claims alone; one that a page told follows all.
- Whoever looks an identifier up follows a page's claim only where no server has told of either side of it.
- For an address a page's claim counts only where that holds as well, and none of a higher level claims it.

A claim of a page whose user id was proven by the source's secret counts as a server's, but for an address that a
server itself claims: the proof is of the user id alone.

House rule of this package: nothing here depends on the order in which messages arrive.
"""
