"""`wetink keys`: a key's life on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wetink.cli import main
from wetink.core.identity.user_hash import hash_of


def run(data: Path, *arguments: str, status: int = 0, typed: str = "") -> str:
    answer = CliRunner().invoke(main, ["keys", *arguments, "--data", str(data)], input=typed)
    assert answer.exit_code == status, answer.output
    return answer.output


def test_a_key_is_made_set_rotated_switched_and_deleted(tmp_path: Path) -> None:
    made = json.loads(run(tmp_path, "create", "page", "--level", "browser", "--host", "Shop.example", "--json"))
    secret = made["identitySecret"]
    assert len(hash_of("42", secret)) == 64
    renewed = run(tmp_path, "renew-secret", "page").strip()
    assert len(renewed) >= len(secret)
    assert renewed != secret
    said = run(tmp_path, "set", "page", "--verify", "--orders", "wait", "--per-second", "5")
    assert "user ids need a proof; orders wait for a server's; 5 events a second, 10 at once" in said
    assert "stay valid" in run(tmp_path, "rotate", "page")
    assert "old key valid (not used since)" in run(tmp_path, "list")
    assert "not valid any more" in run(tmp_path, "rotate", "page", "--end")
    run(tmp_path, "disable", "page")
    assert "disabled" in run(tmp_path, "list")
    run(tmp_path, "enable", "page")
    listed = run(tmp_path, "list", "--json")
    assert json.loads(listed)[0]["hosts"] == ["shop.example"]
    assert secret not in listed
    run(tmp_path, "delete", "page", status=1, typed="n\n")
    run(tmp_path, "delete", "page", "--yes")
    assert run(tmp_path, "list") == ""


@pytest.mark.parametrize("host", ["com", "a..b", "*", "https://shop.example", "shop.example/x", "co.uk"])
def test_a_host_that_is_nobodys_own_makes_no_key(tmp_path: Path, host: str) -> None:
    assert host in run(tmp_path, "create", "page", "--host", host, status=1)
