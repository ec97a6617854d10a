"""The API's page names every door of it, and no others."""

import re
from pathlib import Path

from starlette.routing import Route

from wetink.web.app import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_every_door_of_the_api_is_documented_and_every_documented_one_is_there() -> None:
    there = {
        (method, re.sub(r":\w+}", "}", route.path))
        for route in ROUTES
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    told = set(re.findall(r"^\| `([A-Z]+) (/api/[^`]+)` \|", PAGE.read_text(), re.MULTILINE))
    assert told == there
