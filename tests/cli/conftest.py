"""A data folder with one shopper in it, filled once by a real server and copied for each test."""

import shutil
from pathlib import Path

import pytest

from tests.cli.run import VIEW, keys, post
from tests.serving import Server


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("filled") / "data"
    key = keys(data)["writeKey"]
    with Server(data, workers=1) as server:
        post(server, key, VIEW)
        post(server, key, {"type": "identify", "userId": "42", "anonymousId": "a", "messageId": "m2",
                           "traits": {"email": "Jane@Shop.Example", "plan": "gold"}})  # fmt: skip
    return data


@pytest.fixture
def shop(filled: Path, tmp_path: Path) -> Path:
    """A data folder in which user 42 has looked at a mug."""
    return shutil.copytree(filled, tmp_path / "data")
