"""Experiments: the list, and one experiment with its arms, lift and course."""

from starlette.requests import Request
from starlette.responses import Response

from wetink.core.signals.experiment_result import METRICS
from wetink.web.dashboard import charts
from wetink.web.dashboard.query import wetink_of
from wetink.web.dashboard.render import page


async def experiments(request: Request) -> Response:
    """List all experiments with their results."""
    wetink = wetink_of(request)
    found = [await wetink.experiments.result(wetink.content, name) for name in wetink.experiments.plans(wetink.content)]
    return page(request, "experiments.html", found=found)


async def experiment(request: Request) -> Response:
    """Show one experiment."""
    wetink, name = wetink_of(request), request.path_params["name"]
    found = await wetink.experiments.result(wetink.content, name)
    plan, block = wetink.experiments.plans(wetink.content)[name]
    metric = request.query_params.get("metric", "orders")
    metric = metric if metric in METRICS else "orders"
    limit = {each: charts.limit_of(found.lifts[each], plan.worth) for each in METRICS}
    return page(
        request,
        "experiment.html",
        found=found,
        plan=plan,
        block=wetink.content.blocks.get(block),
        metric=metric,
        metrics=METRICS,
        limits=limit,
        whiskers={each: [(lift, charts.whisker(lift, limit[each])) for lift in found.lifts[each]] for each in METRICS},
        course=charts.course(found.course[metric], METRICS[metric].capitalize()),
    )
