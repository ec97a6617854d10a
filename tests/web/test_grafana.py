"""Every query of the Grafana dashboard and every alert of the docs is about metrics that a server exposes."""

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.jetstream import cluster
from tests.postgresql import Server as Postgres
from tests.web.scraped import TOKEN, House, serving

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "wetink.json").read_text())
DOCUMENT = (ROOT / "docs" / "operating.md").read_text()
BY_PROMETHEUS = {"instance", "job", "le"}
"""Labels that Prometheus adds, and that of buckets."""
VARIABLES = {"$__rate_interval": "5m", "$instance": ".+"}

Samples = dict[str, list[dict[str, str]]]


def targets() -> Iterator[tuple[str, str, str]]:
    """Yield the title of each panel with its queries and their legends."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"], target["legendFormat"]


def alerts() -> Iterator[tuple[str, str, str]]:
    table = DOCUMENT.partition("| alert | expression |")[2].partition("\n\n")[0]
    for name, expression in re.findall(r"^\| ([^|]+) \| `(.+)` \|$", table, re.MULTILINE):
        yield name, expression, ""


QUERIES = [*targets(), *alerts()]


@contextmanager
def replicated() -> Iterator[str]:
    """Yield the address of a database with a replica."""
    primary = Postgres()
    try:
        primary.sql("CREATE DATABASE wetink")
        replica = Postgres(of=primary)
        try:
            yield f"{primary.address('wetink')}?replicas=127.0.0.1:{replica.port}"
        finally:
            replica.remove()
    finally:
        primary.remove()


def served(folders: pytest.TempPathFactory, stream: str, store: str) -> AbstractContextManager[House]:
    return serving(folders.mktemp("grafana") / "data", {"log": f"{stream}?replicas=1", "store": store})


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """The labels of each sample of a real server with a stream and a replica of its database, by name.

    A feed was read, and a lease was taken.
    """
    with cluster(1) as nodes, replicated() as store, served(tmp_path_factory, nodes.address, store) as house:
        house.wait(lambda numbers: any(name.startswith("wetink_replica_behind_seconds{") for name in numbers))
        house.wait(lambda numbers: "wetink_feed_age_seconds{feed=stores}" in numbers)
        house.wait(lambda numbers: any(name.startswith("wetink_lease_held") for name in numbers))
        house.wait(lambda numbers: "wetink_stream_waiting{partition=0,topic=opens}" in numbers)
        # a process that has not read the feed yet may answer once more
        text = next(
            body
            for _ in range(600)
            if "wetink_feed_age_seconds{" in (body := house.scrape(authorization=f"Bearer {TOKEN}")[1].decode())
        )
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def parsed(query: str) -> Any:
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return promql_parser.parse(query)


def nodes(expression: Any) -> Iterator[Any]:
    """Yield an expression and all expressions inside it."""
    yield expression
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        inner = getattr(expression, name, None)
        if inner is not None:
            yield from nodes(inner)
    for each in getattr(expression, "args", None) or ():
        yield from nodes(each)


def selectors(query: str) -> list[Any]:
    return [each for each in nodes(parsed(query)) if isinstance(each, promql_parser.VectorSelector)]


def grouping(query: str) -> set[str]:
    aggregates = [each for each in nodes(parsed(query)) if isinstance(each, promql_parser.AggregateExpr)]
    return {label for each in aggregates if each.modifier is not None for label in each.modifier.labels}


def matches(matcher: Any, value: str) -> bool:
    if matcher.op == promql_parser.MatchOp.Equal:
        return bool(value == matcher.value)
    assert matcher.op == promql_parser.MatchOp.Re
    return re.fullmatch(matcher.value, value) is not None


@pytest.mark.parametrize(
    ("title", "query", "legend"), QUERIES, ids=[f"{title}-{index}" for index, (title, *_) in enumerate(QUERIES)]
)
def test_a_query_selects_samples_that_a_server_exposes(exposed: Samples, title: str, query: str, legend: str) -> None:
    found = selectors(query)
    assert found, "a query without a metric"
    labels: set[str] = set()
    for selector in found:
        assert selector.name in exposed, f"{title}: there is no metric {selector.name}"
        samples = exposed[selector.name]
        labels |= {name for each in samples for name in each}
        for matcher in selector.matchers.matchers:
            if matcher.name in BY_PROMETHEUS - {"le"}:
                continue
            for value in matcher.value.split("|"):
                one = type("One", (), {"op": matcher.op, "value": value})
                assert any(matches(one, each.get(matcher.name, "")) for each in samples), f"{title}: {matcher}"
    for name in grouping(query) | set(re.findall(r"{{(\w+)}}", legend)):
        assert name in labels | BY_PROMETHEUS, f"{title}: no label {name}"


def test_a_query_with_a_wrong_metric_label_or_value_is_noticed(exposed: Samples) -> None:
    for query in (
        "rate(wetink_nothing_total[5m])",
        "sum by (colour) (wetink_opens_total)",
        'wetink_opens_total{kind="window"}',
        "wetink_request_seconds",
    ):
        with pytest.raises(AssertionError):
            test_a_query_selects_samples_that_a_server_exposes(exposed, "wrong", query, "")


def test_every_metric_of_a_server_is_described_in_the_docs(exposed: Samples) -> None:
    table = DOCUMENT.partition("## Metrics")[2].partition("\n## ")[0]
    for name in exposed:
        stem = re.sub(r"_(bucket|count|sum|created)$", "", name)
        assert stem in table or (stem.startswith("process_") and "`process_" in table), name


def test_panels_do_not_overlap_and_each_has_its_own_id() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
