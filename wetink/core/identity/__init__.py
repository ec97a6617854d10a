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

House rule of this file: nothing here depends on the order in which messages arrive.
"""

from wetink.core.identity.claim import RANK as RANK
from wetink.core.identity.claim import Carrier as Carrier
from wetink.core.identity.claim import Claim as Claim
from wetink.core.identity.claim import claims as claims
from wetink.core.identity.claim import claims_of as claims_of
from wetink.core.identity.claim import strongest as strongest
from wetink.core.identity.claim import tells_of as tells_of
from wetink.core.identity.holding import FOREVER as FOREVER
from wetink.core.identity.holding import MAX_CLAIMERS as MAX_CLAIMERS
from wetink.core.identity.holding import MOST_A_DAY as MOST_A_DAY
from wetink.core.identity.holding import Contested as Contested
from wetink.core.identity.holding import Holding as Holding
from wetink.core.identity.holding import Moves as Moves
from wetink.core.identity.holding import changes_nothing as changes_nothing
from wetink.core.identity.holding import contested as contested
from wetink.core.identity.holding import holder as holder
from wetink.core.identity.holding import holdings as holdings
from wetink.core.identity.holding import led_to as led_to
from wetink.core.identity.holding import root_of as root_of
from wetink.core.identity.name import anonymous as anonymous
from wetink.core.identity.name import email as email
from wetink.core.identity.name import means_nobody as means_nobody
from wetink.core.identity.name import user as user
