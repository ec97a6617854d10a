"""Experiments: the list, and one experiment with its arms, lift and course."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.blocks.block import Block
from wetink.core.blocks.experiment import HOLDOUT, PERSONALIZED, Plan
from wetink.core.signals.experiment_result import METRICS
from wetink.web.dashboard.page import charts
from wetink.web.dashboard.page.formats import experiment_title
from wetink.web.dashboard.page.query import wetink_of
from wetink.web.dashboard.page.render import page

TITLES: Mapping[str, str] = {HOLDOUT: "Holdout", PERSONALIZED: "Personalized"}
"""The arms that every experiment may have."""


async def experiments(request: Request) -> Response:
    """List all experiments with their results."""
    wetink = wetink_of(request)
    found = []
    for name, (plan, place) in wetink.experiments.plans(wetink.content).items():
        result, block = await wetink.experiments.result(wetink.content, name), wetink.content.blocks.get(place)
        pictures = pictures_of(plan, block)
        arms = [(TITLES.get(each.arm, each.arm), each.people, pictures.get(each.arm, "")) for each in result.arms]
        found.append((result, experiment_title(name, block), block.called if block else "", arms))
    return page(request, "results/experiments.html", found=found)


async def experiment(request: Request) -> Response:
    """Show one experiment."""
    wetink, name = wetink_of(request), request.path_params["name"]
    found = await wetink.experiments.result(wetink.content, name)
    plan, place = wetink.experiments.plans(wetink.content)[name]
    block = wetink.content.blocks.get(place)
    metric = request.query_params.get("metric", "orders")
    metric = metric if metric in METRICS else "orders"
    limit = {each: charts.limit_of(found.lifts[each], plan.worth) for each in METRICS}
    return page(
        request,
        "results/experiment.html",
        found=found,
        plan=plan,
        block=block,
        title=experiment_title(name, block),
        titles=TITLES,
        variants=variants_of(plan),
        pictures=pictures_of(plan, block),
        metric=metric,
        metrics=METRICS,
        limits=limit,
        whiskers={each: [(lift, charts.whisker(lift, limit[each])) for lift in found.lifts[each]] for each in METRICS},
        course=charts.course(found.course[metric], METRICS[metric].capitalize()),
        as_table=request.query_params.get("view") == "table",
    )


def variants_of(plan: Plan) -> dict[str, list[str]]:
    """Return the variants that only an arm shows, by arm."""
    return {arm: sorted(names) for arm, names in plan.variants.items()}


def pictures_of(plan: Plan, block: Block | None) -> dict[str, str]:
    """Return the address of a small picture of each arm: its newest open with a variant of its own."""
    if block is None:
        return {}
    order = [each.name for each in block.variants]
    found = {}
    for arm in plan.arms:
        own = [name for name in order if name in plan.variants.get(arm, ())]
        variant = block.control if arm == HOLDOUT else next(iter(own or order), "")
        found[arm] = f"/dashboard/thumbnails/{quote(block.name)}.img?{urlencode({'variant': variant or '~'})}"
    return found
