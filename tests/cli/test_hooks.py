"""`wetink audience hooks`: what an audience tells outside, from the command line."""

import asyncio
import json
from pathlib import Path

from tests.cli.run import wetink
from tests.storage import all_at_once
from wetink.core.identity.identifier import Identifier
from wetink.core.outbound.webhook import Outcome
from wetink.store.sqlite.memberships import SQLiteMemberships

NOW = 1_790_000_000_000
ANNA = Identifier("user", "anna")


def test_failed_webhooks_are_listed_with_their_reason_and_can_be_retried(tmp_path: Path) -> None:
    file = tmp_path / "content" / "audiences" / "vip.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("rule: {trait: plan, equals: gold}\nhook: {url: 'https://esp.example/'}\n")

    async def past() -> None:
        kept = SQLiteMemberships(tmp_path)
        await kept.take("vip", all_at_once(ANNA), NOW, lambda change, first: True)
        [waiting] = await kept.due("vip", NOW, 9)
        await kept.settle([(waiting.change.id, Outcome("dead", NOW, "it answered 410"))])
        await kept.close()

    asyncio.run(past())
    wetink("keys", "create", "shop", "--data", tmp_path)
    told = json.loads(wetink("audience", "hooks", "vip", "--data", tmp_path, "--json"))
    assert told["counts"] == {"waiting": 0, "delivered": 0, "dead": 1}
    assert [(each["member"], each["why"], each["tries"]) for each in told["dead"]] == [
        ("user:anna", "it answered 410", 1)
    ]
    assert "it answered 410 (1 tries)" in wetink("audience", "hooks", "vip", "--data", tmp_path)
    again = json.loads(wetink("audience", "hooks", "vip", "--again", "--data", tmp_path, "--json"))
    assert (again["again"], again["counts"]["waiting"]) == (1, 1)
    assert "there is no audience called 'x' (audiences: vip)" in wetink(
        "audience", "hooks", "x", "--data", tmp_path, status=1
    )
