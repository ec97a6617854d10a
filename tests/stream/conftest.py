"""A cluster of three nodes for all tests of a file, and a stream of its own for each test."""

from collections.abc import Iterator

import pytest

from tests.jetstream import Cluster, cluster


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def address(nodes: Cluster, request: pytest.FixtureRequest) -> str:
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)[-60:]
    return f"{nodes.address}?name=s{abs(hash(name))}&monitoring=http://127.0.0.1:{nodes.nodes[0].monitor}"
