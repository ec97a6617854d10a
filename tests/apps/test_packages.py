"""Apps of other people's packages: found by entry point, and left out with a reason when they cannot be used."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MODULE = """
from msgspec import Struct
from wetink.core.app.app import App, Shown

class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    word: str = "Hello"

def show(person, settings, moment, shop):
    return Shown(facts={"said": settings.word})

APP = App("greeting", "Greeting", Settings, show, package="shop_apps", template="greeting.liquid", about="Says a word.")
NAMED_AS_OURS = App("last-viewed", "Last", Settings, show, package="shop_apps", template="greeting.liquid")
NO_TEMPLATE = App("absent", "Absent", Settings, show, package="shop_apps", template="absent.liquid")
BAD_NAME = App("Not A Name", "Bad", Settings, show)
NO_APP = 7

class Needy(Struct):
    word: str

NEEDY = App("needy", "Needy", Needy, show)
"""


def install(place: Path, **entries: str) -> None:
    """Put a package with entry points into a folder, as an installer would."""
    package, info = place / "shop_apps", place / "shop_apps-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text(MODULE)
    (package / "greeting.liquid").write_text("<b>{{ facts.said }}</b>")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-apps\nVersion: 1.0\n")
    lines = "\n".join(f"{name} = {value}" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[wetink.apps]\n{lines}\n")


def run(place: Path, code: str) -> Any:
    home = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=home, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_app_of_a_package_is_one_of_the_apps(tmp_path: Path) -> None:
    install(tmp_path / "site", greeting="shop_apps:APP")
    block = tmp_path / "data" / "content" / "blocks" / "hello.yaml"
    block.parent.mkdir(parents=True)
    block.write_text(
        'variants: [{name: hi, app: greeting, settings: {word: Moin}}]\nfallback: {link: "https://shop.example/"}'
    )
    code = f"""
import asyncio, json
from wetink.settings import read
from wetink.wiring import Wetink
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
async def main():
    async with Wetink(read({{}}, data={str(tmp_path / "data")!r})) as wetink:
        content, jane = wetink.content, Identifier("user", "jane")
        decision = await wetink.opens.preview(content, content.block("hello"), jane, Moment(1))
        picture = await wetink.opens.picture(content, decision, 1, Moment(1))
        print(json.dumps([decision.facts, wetink.content.problems, picture.content_type, "greeting" in wetink.apps]))
asyncio.run(main())
"""
    facts, problems, content_type, there = run(tmp_path / "site", code)
    assert (facts, problems, content_type, there) == ({"said": "Moin"}, [], "image/jpeg", True)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("shop_apps:NAMED_AS_OURS", "there is an app called last-viewed already"),
        ("shop_apps:NO_TEMPLATE", "absent.liquid"),
        ("shop_apps:BAD_NAME", "not a name in lowercase letters"),
        ("shop_apps:NO_APP", "not a wetink.core.app.app.App"),
        ("shop_apps:NEEDY", "a setting has no default"),
        ("shop_apps:NOWHERE", "AttributeError"),
        ("nowhere:APP", "ModuleNotFoundError"),
    ],
)
def test_an_app_that_cannot_be_used_is_left_out_with_the_reason(tmp_path: Path, value: str, said: str) -> None:
    install(tmp_path, theirs=value)
    apps, problems = run(
        tmp_path, "import json; from wetink.apps import found; a, p = found(); print(json.dumps([len(a), p]))"
    )
    own = run(tmp_path, "import json; from wetink.apps import BUILTIN; print(json.dumps(len(BUILTIN)))")
    assert apps == own
    [problem] = problems
    assert problem.startswith(f"app theirs ({value}): ")
    assert said in problem
