"""`wetink apps` lists what there is."""

import json

from click.testing import CliRunner

from wetink.apps import load
from wetink.cli import main


def test_apps_are_listed_with_their_settings_as_json_schema() -> None:
    answer = CliRunner().invoke(main, ["apps", "--json"])
    assert answer.exit_code == 0
    apps = {app["name"]: app for app in json.loads(answer.stdout)}
    assert set(apps) == set(load())
    assert all(set(app) == {"name", "title", "settings"} for app in apps.values())
    trending = apps["trending"]["settings"]
    properties = trending["$defs"]["Settings"]["properties"]
    assert properties["least"]["minimum"] == 1
    assert "viewed" in properties["measure"]["enum"]


def test_apps_are_listed_for_people_too() -> None:
    answer = CliRunner().invoke(main, ["apps"])
    assert "price-drop           Products from views" in answer.stdout
