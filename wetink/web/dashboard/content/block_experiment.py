"""Block experiment: an experiment of a block made, started, stopped and won on one page, with how long it will take.

Each change is a draft of the block: publishing it starts or ends the experiment.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from wetink.content.block_drafts import Opened
from wetink.core.blocks.experiment import HOLDOUT
from wetink.core.blocks.experiment_form import (
    SPLITS,
    WORTHS,
    ExperimentForm,
    form_of,
    plan_of,
    posted,
    started,
    stopped,
    usual_name,
    variants_of,
    wrong_with,
)  # fmt: skip
from wetink.core.errors import BadContent, BadRequest, Conflict
from wetink.core.signals.date_range import last_days
from wetink.core.signals.forecast import Forecast, Traffic, forecast
from wetink.core.text.naming import slug
from wetink.web import session
from wetink.web.dashboard.content.review import with_titles
from wetink.web.dashboard.page.form import form_of as fields_in
from wetink.web.dashboard.page.formats import experiment_title
from wetink.web.dashboard.page.query import wetink_of, whole
from wetink.web.dashboard.page.render import page
from wetink.web.dashboard.page.toasts import redirect
from wetink.web.request import now_ms, status_of
from wetink.wiring import Wetink

DAYS = 7
"""Days whose traffic is today's."""


async def experiment(request: Request) -> Response:
    """Show a block's experiment, or the form that makes one."""
    opened = await wetink_of(request).block_drafts.open(request.path_params["name"])
    return await _page(request, opened, form_of(opened.raw, _title(opened)), {})


async def estimated(request: Request) -> Response:
    """Return how long the experiment of the query's fields will take, as a part of the page."""
    wetink, name = wetink_of(request), request.path_params["name"]
    opened = await wetink.block_drafts.open(name)
    form = posted(dict(request.query_params), variants_of(opened.raw))
    return page(request, "content/block_experiment_time.html", time=_forecast(form, await _traffic(wetink, name)))


async def change(request: Request) -> Response:
    """Save an experiment as a draft of the block, or one that ends it."""
    fields = await fields_in(request)
    wetink, name = wetink_of(request), request.path_params["name"]
    opened = await wetink.block_drafts.open(name)
    names = variants_of(opened.raw)
    form = posted(fields, names)
    match fields.get("do", ""):
        case "save":
            if wrong := wrong_with(form, names):
                return await _page(request, opened, form, wrong, 400)
            raw = started(opened.raw, form, await _free(wetink, slug(form.title, name), opened))
            said = "The experiment is a draft. Publish it to start."
        case "stop":
            arms = ("", HOLDOUT, *_arms(opened.raw))
            if (winner := fields.get("winner", "")) not in arms:
                raise BadRequest("winner: there is no such arm", hint="reload the page", where="winner")
            raw = stopped(opened.raw, winner)
            said = "The end of the experiment is a draft. Publish it to stop."
        case _:
            raise BadRequest("do: this is an unknown change", hint="save or stop", where="do")
    base = opened.draft.base if opened.draft is not None else opened.base
    seen = whole(fields.get("revision"))
    try:
        if fields.get("base", base) != base:
            raise Conflict("the block was published since you opened this page", hint="look at it, then save again")
        revision = opened.revision if seen is None else seen
        await wetink.block_drafts.save(name, raw, base, revision, session.actor(request))
    except (BadContent, Conflict) as error:
        return await _page(request, opened, form, {"": with_titles(error)}, status_of(error))
    session.changed(
        request,
        "drafted an experiment in" if fields["do"] == "save" else "drafted the end of an experiment in",
        f"block {name}",
    )
    return redirect(request, f"/dashboard/review?{urlencode({'path': opened.path})}", said)


async def _page(
    request: Request, opened: Opened, form: ExperimentForm, wrong: Mapping[str, str], status: int = 200
) -> Response:
    wetink, name = wetink_of(request), opened.name
    block, result = wetink.content.blocks.get(name), None
    running = block is not None and block.experiment is not None
    if block is not None and block.experiment is not None:
        result = await wetink.experiments.result(wetink.content, block.experiment.name or name)
    return page(
        request,
        "content/block_experiment.html",
        status=status,
        block_name=name,
        title=_title(opened),
        path=opened.path,
        base=opened.draft.base if opened.draft is not None else opened.base,
        revision=opened.revision,
        form=form,
        names=variants_of(opened.raw),
        usual_name=usual_name,
        wrong=wrong,
        splits=SPLITS,
        worths=WORTHS if form.worth in WORTHS else (*WORTHS, form.worth),
        drafted="experiment" in opened.raw,
        running=running,
        ending=running and "experiment" not in opened.raw,
        changed=opened.draft is not None,
        result=result,
        result_title=experiment_title(result.experiment, block) if result is not None else "",
        result_path=f"/dashboard/experiments/{quote(result.experiment, safe='')}" if result is not None else "",
        arms=_arms(opened.raw),
        holds=bool(form.holdout),
        time=_forecast(form, await _traffic(wetink, name)),
        pictures=f"/dashboard/blocks/{quote(name)}/variants" if block is not None else "",
    )


def _title(opened: Opened) -> str:
    title = opened.raw.get("title")
    return title if isinstance(title, str) and title else opened.name


def _arms(raw: Mapping[str, Any]) -> list[str]:
    """Return the names of the arms in a block's file."""
    found = raw.get("experiment")
    arms = found.get("arms") or () if isinstance(found, dict) else ()
    return [str(each.get("name", "")) for each in arms if isinstance(each, dict)]


async def _traffic(wetink: Wetink, name: str) -> Traffic:
    """Return a block's traffic of the last days: recipients who opened it, and those who clicked."""
    lines = await wetink.reports.lines(wetink.content, *last_days(DAYS, now_ms(), wetink.content.signals.zone).span)
    line = next((each for each in lines if each.key["block"] == name), None)
    if line is None or not line.unique_opens:
        return Traffic(0.0, 0.0)
    return Traffic(line.unique_opens / DAYS, line.unique_clicks / line.unique_opens)


def _forecast(form: ExperimentForm, traffic: Traffic) -> Forecast | None:
    """Return how long an experiment will take; None while the form says too little."""
    plan = plan_of(form)
    if plan is None or len(plan.arms) < 2:
        return None
    return forecast(plan.expected(), traffic, plan.worth, adaptive=plan.bandit is not None)


async def _free(wetink: Wetink, name: str, opened: Opened) -> str:
    """Return a name that no other experiment has or had: the people of an old one would be those of the new one."""
    mine = opened.raw.get("experiment")
    if isinstance(mine, dict) and mine.get("name") == name:
        return name
    plans = wetink.experiments.plans(wetink.content)
    for at in range(1, 100):
        tried = name if at == 1 else f"{name}-{at}"
        if tried not in plans and not await wetink.store.exposures.days(tried):
            return tried
    raise BadContent(f"there were too many experiments called {name}", hint="choose another name", where="title")
