"""An experiment by the web's door: exposure, order, result; sticky whoever one turns out to be."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.test_what_counts import order
from tests.web.test_open import JANE, NOW, SHOP, House
from wetink.core.blocks.experiment import HOLDOUT
from wetink.core.identity.identifier import Identifier
from wetink.core.profile.person import Moment
from wetink.core.signals.experiment_result import ArmResult
from wetink.core.signals.report import DAY_MS
from wetink.opens.assignment import Shared

APPLE = "Mozilla/5.0"
TEST = """
variants:
  - {name: seen, app: last-viewed}
  - {name: hello, app: custom, template: hello.liquid, link: "https://shop.example/hello"}
experiment:
  name: test
  holdout: 20%
  arms:
    - {name: looked at, variants: [seen]}
    - {name: greeted, variants: [hello]}
fallback: {link: "https://shop.example/", title: Come in}
width: 300
height: 150
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data", draws=False)
    says(made, TEST)
    yield made
    asyncio.run(made.wetink.close())


def says(house: House, text: str, name: str = "blocks/hero.yaml") -> None:
    (house.wetink.settings.content / name).write_text(text)
    asyncio.run(house.wetink.look_again())


def user(number: int) -> Identifier:
    return Identifier("user", f"u{number}")


def opened(house: House, who: Identifier, agent: str = "Mozilla/5.0 (Macintosh) Firefox/120.0") -> bytes:
    return house.get(house.url("picture", "hero", who=who), agent=agent).body


def arms(house: House, name: str = "test") -> dict[str, ArmResult]:
    house.wetink.store.ledger.flush()
    house.wetink.experiments._clock = lambda: house.now
    return {each.arm: each for each in asyncio.run(house.wetink.experiments.result(house.wetink.content, name)).arms}


def arm_of(house: House, who: Identifier, name: str = "test") -> str:
    found = asyncio.run(house.wetink.store.exposures.of(name, [str(who)]))
    return found[str(who)].arm if found else ""


def test_each_arm_shows_its_variant_and_the_holdout_sees_the_fallback(house: House) -> None:
    for number in range(20):
        house.saw("mug", who=f"u{number}")
    shown: dict[str, set[str]] = {}
    for number in range(20):
        answer = house.get(house.url("data", "hero", who=user(number))).json
        shown.setdefault(arm_of(house, user(number)), set()).add(answer["variant"])
    assert shown == {"looked at": {"seen"}, "greeted": {"hello"}, HOLDOUT: {""}}
    held = next(user(number) for number in range(20) if arm_of(house, user(number)) == HOLDOUT)
    decision = asyncio.run(
        house.wetink.opens.preview(
            house.wetink.content, house.wetink.content.block("hero"), held, Moment(now=house.now)
        )
    )
    assert decision.arms == {"test": HOLDOUT}
    assert decision.trace[0].variant == "experiment test"
    assert "in the holdout: no personalization (20% of people)" in decision.trace[0].why


def test_from_exposure_to_order_to_result_and_an_order_before_it_never_counts(house: House) -> None:
    for number in range(12):
        house.saw("mug", who=f"u{number}")
    order(house, "before", userId="u0")
    for number in range(12):
        opened(house, user(number))
        opened(house, user(number))
    house.get(house.url("click", "hero", who=user(0)))
    order(house, "after", userId="u0")
    order(house, "after", userId="u0")
    order(house, "again", userId="u0", total=5)
    order(house, "given back", userId="u1")
    house.take({"type": "track", "event": "Order Refunded", "userId": "u1", "messageId": "r",
                "timestamp": house.now, "properties": {"order_id": "given back"}})  # fmt: skip
    found = arms(house)
    mine = found[arm_of(house, user(0))]
    assert sum(each.people for each in found.values()) == 12
    assert (mine.clicked, mine.ordered, mine.revenue) == (1, 1, 25)
    assert sum(each.ordered for each in found.values()) == 1


def test_a_prefetch_alone_is_told_apart_until_somebody_looks(house: House) -> None:
    house.saw("mug", who="u1")
    opened(house, user(1), APPLE)
    arm = arm_of(house, user(1))
    assert (arms(house)[arm].people, arms(house)[arm].unseen) == (0, 1)
    order(house, "O", userId="u1")
    assert arms(house)[arm].ordered == 0
    house.now += 1000
    opened(house, user(1))
    assert (arms(house)[arm].people, arms(house)[arm].unseen) == (1, 0)
    assert arms(house)[arm].ordered == 0, "the order came before anybody looked"


def test_a_scanner_exposes_nobody(house: House) -> None:
    opened(house, user(1), "Barracuda Sentinel")
    assert arm_of(house, user(1)) == ""


def test_a_recipient_keeps_the_arm_whoever_they_turn_out_to_be(house: House) -> None:
    for number in range(12):
        address = Identifier("email", f"p{number}@shop.example")
        opened(house, address)
        arm = arm_of(house, address)
        house.now += 1000
        house.take({"type": "identify", "userId": f"u{number}", "messageId": f"i{number}", "timestamp": house.now,
                    "traits": {"email": address.value}})  # fmt: skip
        opened(house, address)
        opened(house, user(number))
        assert arm_of(house, address) == arm_of(house, user(number)) == arm
    assert sum(each.people for each in arms(house).values()) == 12, "one person each"


def test_of_two_that_turn_out_to_be_one_the_first_exposures_arm_holds_for_both(house: House) -> None:
    number, address = next(
        (number, address)
        for number in range(50)
        if (address := Identifier("email", f"p{number}@shop.example"))
        and opened(house, address)
        and opened(house, user(number))
        and arm_of(house, address) != arm_of(house, user(number))
    )
    arm = arm_of(house, address)
    house.now += 1000
    house.take({"type": "identify", "userId": f"u{number}", "messageId": "i", "timestamp": house.now,
                "traits": {"email": address.value}})  # fmt: skip
    before = sum(each.people for each in arms(house).values())
    opened(house, user(number))
    assert arm_of(house, user(number)) == arm
    assert sum(each.people for each in arms(house).values()) == before - 1


def test_whoever_is_held_out_of_everything_takes_part_in_nothing_else(house: House) -> None:
    says(house, "holdout: {share: 50%}", "signals.yaml")
    for number in range(12):
        house.saw("mug", who=f"u{number}")
        opened(house, user(number))
    everywhere = [arm_of(house, user(number), "everywhere") for number in range(12)]
    assert set(everywhere) == {HOLDOUT, "personalized"}
    for number, arm in enumerate(everywhere):
        assert (arm_of(house, user(number)) == "") is (arm == HOLDOUT)
        if arm == HOLDOUT:
            assert house.get(house.url("click", "hero", who=user(number))).headers["location"] == f"{SHOP}/"
    assert sum(each.people for each in arms(house, "everywhere").values()) == 12


def test_the_same_answer_once_more_is_one_exposure_and_another_picture(house: House) -> None:
    house.saw("mug")
    for _ in range(4):
        opened(house, JANE)
    assert sum(each.people for each in arms(house).values()) == 1
    [line] = [
        each
        for each in asyncio.run(house.wetink.reports.lines(house.wetink.content, 0, NOW + DAY_MS))
        if each.key["block"] == "hero"
    ]
    assert (line.pictures, line.opens, line.unique_opens) == (4, 1, 1)


BANDIT = TEST.replace("  holdout: 20%\n", "  bandit: {reward: clicks, every: 1h}\n")


def test_a_bandit_sends_newcomers_where_people_click_and_moves_nobody_else(house: House) -> None:
    says(house, BANDIT)
    for number in range(60):
        house.saw("mug", who=f"u{number}")
        opened(house, user(number))
        if arm_of(house, user(number)) == "greeted":
            house.get(house.url("click", "hero", who=user(number)), agent="Mozilla/5.0 (Macintosh) Firefox/120.0")
    before = [arm_of(house, user(number)) for number in range(60)]
    assert 15 < before.count("greeted") < 45, "all arms are alike at first"
    house.wetink.store.ledger.flush()
    house.now += 3_600_000
    house.wetink.experiments._clock = lambda: house.now
    asyncio.run(house.wetink.experiments.refresh(house.wetink.content))
    for number in range(120):
        opened(house, user(number))
    after = [arm_of(house, user(number)) for number in range(120)]
    assert after[:60] == before
    assert after[60:].count("greeted") > 50
    other = Shared()
    house.wetink.experiments._shared = other
    asyncio.run(house.wetink.experiments.refresh(house.wetink.content))
    plan = house.wetink.experiments.plans(house.wetink.content)["test"][0]
    epoch, given = other.of(plan) or (0, {})
    assert (epoch, dict(given)) == (house.now // 3_600_000, pytest.approx({"looked at": 0.05, "greeted": 0.95}))


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (TEST.replace("holdout: 20%", "holdout: 20"), "Expected `str`, got `int` - at `$.experiment.holdout`"),
        (TEST.replace("[hello]", "[gone]"), "experiment.arms[1].variants: there is no variant called gone"),
        (TEST.replace("name: test", "name: everywhere"), "experiment.name: 'everywhere' is the holdout"),
        (TEST + "control: nothing\n", "control: there is no variant called nothing"),
    ],
)
def test_a_block_whose_experiment_means_nothing_is_refused_with_the_place(house: House, block: str, said: str) -> None:
    says(house, block)
    assert "hero" not in house.wetink.content.blocks
    assert any(said in problem and problem.startswith("blocks/hero.yaml") for problem in house.wetink.content.problems)


def test_two_experiments_of_one_name_are_refused(house: House) -> None:
    says(house, TEST, "blocks/zebra.yaml")
    assert any("an experiment called test already, in block hero" in each for each in house.wetink.content.problems)


def test_signals_that_mean_nothing_are_told_and_orders_go_on_counting(house: House) -> None:
    says(house, "model: newest", "signals.yaml")
    assert any(each.startswith("signals.yaml: model: there is no model") for each in house.wetink.content.problems)
    opened(house, JANE)
    order(house, "O")
    assert asyncio.run(house.wetink.reports.credits(house.wetink.content, 0, house.now + 1)).credited == 1


def test_who_looks_right_after_a_prefetch_of_the_same_picture_has_looked(house: House) -> None:
    house.saw("mug", who="u1")
    opened(house, user(1), APPLE)
    house.now += 1000
    opened(house, user(1))
    opened(house, user(1), APPLE)
    found = arms(house)[arm_of(house, user(1))]
    assert (found.people, found.unseen) == (1, 0)
    [hero] = [
        each
        for each in asyncio.run(house.wetink.reports.lines(house.wetink.content, 0, house.now + 1))
        if each.key["block"] == "hero"
    ]
    assert (hero.opens, hero.machine_opens) == (1, 1)
