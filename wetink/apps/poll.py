"""Live Poll: a question with two to five answers. People who have voted see the current results at each open."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from wetink.core.app.app import App, Sample, Shop, Shown, Tally, shares
from wetink.core.app.setting import Color, LocalTime
from wetink.core.events.clock import parse
from wetink.core.profile.person import Moment, Person

Option = Annotated[str, Meta(min_length=1, max_length=60)]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    question: Annotated[str, Meta(min_length=1, max_length=120, description="Question.")] = "What comes next?"
    options: Annotated[
        tuple[Option, ...],
        Meta(min_length=2, max_length=5, description="Answers. With one slot per answer, each is a picture to click."),
    ] = ("Something for the table", "Something for the garden", "Something to wear")
    poll: Annotated[
        str, Meta(min_length=1, max_length=40, description="Name of this poll. A new name starts at zero.")
    ] = "first"
    results: Annotated[
        Literal["voted", "always"], Meta(description="Who sees results: people who voted, or everybody.")
    ] = "voted"
    ends: Annotated[
        LocalTime,
        Meta(title="Voting ends", description="End of voting, such as 2026-12-24T18:00:00Z. Empty for no end."),
    ] = ""
    thanks: Annotated[str, Meta(max_length=80, description="Thanks to people who voted.")] = "Thanks for voting"
    accent: Annotated[Color, Meta(description="Color of the bars.")] = "#3451d1"


def show(person: Person, settings: Settings, moment: Moment, shop: Shop) -> Shown | None:
    """Show the question with its answers, and the results to people who have voted.

    A click opens a page where one tap votes, because scanners follow every link. Voting again changes the vote.
    """
    ends = parse(settings.ends) if settings.ends else None
    still = ends is None or moment.now < ends
    tally = shop.polls.get(settings.poll, Tally())
    votes = [tally.votes.get(number, 0) for number in range(1, len(settings.options) + 1)]
    own = tally.own if tally.own <= len(votes) else 0
    seen = bool(own) or settings.results == "always" or not still
    options: list[dict[str, Any]] = [
        {"text": text, "votes": count, "percent": share, "mine": number == own}
        for number, (text, count, share) in enumerate(zip(settings.options, votes, shares(votes), strict=True), 1)
    ]
    if (
        not seen
    ):  # results that are not shown are not given either, so that nothing changes for people who have not voted
        options = [{**option, "votes": 0, "percent": 0} for option in options]
    facts = {
        "question": settings.question,
        "options": options,
        "total": sum(votes) if seen else 0,
        "voted": own,
        "open": still,
        "results": seen,
    }
    said = f"voted for {settings.options[own - 1]}" if own else "has not voted"
    return Shown(facts=facts, why=said if still else f"{said}; the poll is over")


def check(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield answers that are there twice."""
    for index, option in enumerate(settings.options):
        if settings.options.index(option) != index:
            yield f"options[{index}]", f"{option!r} is there twice"


APP = App(
    name="poll",
    title="Live Poll",
    about="A question to vote on, with live results for people who have voted.",
    settings=Settings,
    show=show,
    poll=lambda settings: settings.poll,
    template="poll.liquid",
    check=check,
    sample=Sample(polls={"first": Tally({1: 412, 2: 655, 3: 233}, 2)}),
)
