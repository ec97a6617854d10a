"""The voting page: a link in an email leads here. Only the button counts, since scanners follow every link."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wetink.core.blocks.block import Block
from wetink.core.errors import BadRequest, NotFound
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.ingest.receive import Endpoint
from wetink.opens.polls import Ballot, answered
from wetink.ports import Source
from wetink.web.dashboard.page.form import open_form_of
from wetink.web.dashboard.page.query import wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.request import now_ms

LONGEST_CAMPAIGN = 100
OURSELVES = Source("wetink", "server")
"""The source of events that happen on this server's own pages."""


async def ballot(request: Request) -> Response:
    """Show the poll with the clicked answer selected. Counts nothing."""
    block, who, moment = _question(request)
    found = await _ballot(request, block, who, moment)
    if found is None:
        return page(request, "ballot/voted.html", status=410, ballot=None, thanks=False)
    voted = request.query_params.get("voted") == "1" and found.voted > 0
    if voted or not found.open:
        return page(request, "ballot/voted.html", ballot=found, thanks=voted)
    slot = request.path_params["slot"]
    chosen = slot if block.slots > 1 and slot <= len(found.options) else found.voted
    return page(request, "ballot/vote.html", ballot=found, chosen=chosen, wrong="")


async def cast(request: Request) -> Response:
    """Count the form's vote, ingest it as an event of the voter, and show the results."""
    wetink, (block, who, moment) = wetink_of(request), _question(request)
    form = await open_form_of(request)
    option = whole(form.get("option", ""))
    try:
        decision = await wetink.opens.preview(wetink.content, block, who, moment)
        vote = await wetink.polls.vote(decision, who, option or 0, moment.now)
        await wetink.ingest.receive(answered(who, vote, moment.now), OURSELVES, Endpoint(type="track"), moment.now)
    except BadRequest as error:
        found = await _ballot(request, block, who, moment)
        if found is None or not found.open:
            return page(request, "ballot/voted.html", status=410, ballot=found, thanks=False)
        return page(request, "ballot/vote.html", status=422, ballot=found, chosen=found.voted, wrong=str(error))
    query = f"?c={request.query_params['c']}&voted=1" if "c" in request.query_params else "?voted=1"
    return RedirectResponse(f"{request.url.path}{query}", 303)


async def _ballot(request: Request, block: Block, who: Identifier, moment: Moment) -> Ballot | None:
    wetink = wetink_of(request)
    return wetink.polls.ballot(await wetink.opens.preview(wetink.content, block, who, moment))


def _question(request: Request) -> tuple[Block, Identifier, Moment]:
    """Return the block, the voter, and the moment. Raises NotFound for a link that was not made here."""
    wetink, name = wetink_of(request), request.path_params["block"]
    who = wetink.seals.unseal(request.path_params["token"], name, "vote")
    if who is None:
        raise NotFound("this link does not vote", hint="open it from your email, in one piece")
    campaign = request.query_params.get("c", "")[:LONGEST_CAMPAIGN]
    return wetink.content.block(name), who, Moment(now_ms(), campaign=campaign)
