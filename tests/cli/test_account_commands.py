"""`wetink accounts`: the first owner, invitations, and help for somebody who cannot sign in."""

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner

from wetink.cli import main
from wetink.core.access.account import Credential
from wetink.settings import read
from wetink.wiring import Wetink

PASSWORD = "copper lantern walks north"


def run(data: Path, *arguments: str, status: int = 0, typed: str = "") -> str:
    answer = CliRunner().invoke(main, ["accounts", *arguments, "--data", str(data)], input=typed)
    assert answer.exit_code == status, answer.output
    return answer.output


def test_the_first_owner_is_made_with_a_password_that_is_asked_for(tmp_path: Path) -> None:
    first = "add", "Ida@shop.example", "--role", "owner", "--name", "Ida"
    assert "easy to guess" in run(tmp_path, *first, status=1, typed="password1\npassword1\n")
    said = run(tmp_path, *first, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "ida@shop.example can sign in as owner" in said
    assert PASSWORD not in said
    listed = json.loads(run(tmp_path, "list", "--json"))
    assert [(each["email"], each["role"], "password" in each) for each in listed] == [
        ("ida@shop.example", "owner", False)
    ]
    assert "last owner" in run(tmp_path, "remove", "ida@shop.example", "--yes", status=1)
    assert "last owner" in run(tmp_path, "set", "ida@shop.example", "--role", "viewer", status=1)
    assert "has an account already" in run(tmp_path, *first, status=1, typed=f"{PASSWORD}\n{PASSWORD}\n")


def test_invitations_and_password_links_are_printed(tmp_path: Path) -> None:
    run(tmp_path, "add", "ida@shop.example", "--role", "owner", "--name", "I", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "/dashboard/join?link=" in run(tmp_path, "add", "bob@shop.example")
    assert "/dashboard/join?link=" in run(tmp_path, "link", "ida@shop.example")
    assert "has no account" in run(tmp_path, "link", "bob@shop.example", status=1)
    assert "is in the team already" in run(tmp_path, "add", "ida@shop.example", status=1)
    assert "is not an email address" in run(tmp_path, "add", "nobody", status=1)


def test_an_account_is_changed_and_removed(tmp_path: Path) -> None:
    for name, role in (("ida", "owner"), ("bob", "editor")):
        email = f"{name}@shop.example"
        run(tmp_path, "add", email, "--role", role, "--name", name, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "is developer" in run(tmp_path, "set", "bob@shop.example", "--role", "developer")
    assert "is disabled" in run(tmp_path, "set", "BOB@shop.example", "--disable")
    assert "disabled" in run(tmp_path, "list")
    assert "nothing to change" in run(tmp_path, "set", "bob@shop.example", status=1)
    run(tmp_path, "remove", "bob@shop.example", status=1, typed="n\n")
    assert "is removed" in run(tmp_path, "remove", "bob@shop.example", "--yes")
    assert "bob" not in run(tmp_path, "list")


def test_the_second_factors_of_a_lost_device_are_reset(tmp_path: Path) -> None:
    run(tmp_path, "add", "ida@shop.example", "--role", "owner", "--name", "I", typed=f"{PASSWORD}\n{PASSWORD}\n")

    async def second(add: bool) -> bool:
        async with Wetink(read({}, data=tmp_path), draws=False) as wetink:
            account = await wetink.team.named("ida@shop.example")
            if add:
                await wetink.store.accounts.add_credential(Credential("totp", account.id, account.id))
            return (await wetink.factors.of(account.id)).second

    assert asyncio.run(second(True))
    run(tmp_path, "reset", "ida@shop.example", status=1, typed="n\n")
    assert asyncio.run(second(False))
    assert "with the password alone" in run(tmp_path, "reset", "ida@shop.example", "--yes")
    assert not asyncio.run(second(False))
    assert "has no account" in run(tmp_path, "reset", "bob@shop.example", "--yes", status=1)
