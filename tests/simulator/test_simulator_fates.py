"""Fates and plans: what is decided about a message, without any server."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.fates import FATES, describe, drawn_fate, fixed_fate
from simulator.mistakes import MISTAKES
from simulator.plan import plan
from simulator.request import Send
from simulator.scenario import Scenario

SEND = Send("+919876540001", "919876540001", "person", "text", None, {})
FATE_NAMES = st.sampled_from(sorted(FATES))


def test_every_magic_recipient_is_described() -> None:
    lines = describe().splitlines()
    for digits, fate in FATES.items():
        assert f"  …{digits}  {fate.about}" in lines


def test_every_code_in_the_table_has_words() -> None:
    for fate in FATES.values():
        assert fate.code == 0 or fate.code in MISTAKES
        assert all(code in MISTAKES for step in fate.steps for code in step.errors)


def test_a_message_that_was_not_taken_has_no_statuses_and_one_that_was_taken_has_some() -> None:
    for fate in FATES.values():
        assert fate.taken == bool(fate.steps)


@pytest.mark.parametrize("to", ["919876540008", "+91 98765 40008", "(91) 98765-4 00 08", "GROUP-0008"])
def test_the_last_four_digits_fix_the_fate_however_they_are_typed(to: str) -> None:
    assert fixed_fate(to) is FATES["0008"]


def test_other_recipients_have_no_fixed_fate() -> None:
    assert fixed_fate("919876541234") is None
    assert fixed_fate("Y2FwaV9ncm91cDox") is None


def test_fates_are_drawn_by_the_shares() -> None:
    scenario = Scenario(fail_share=0.2, sent_only_share=0.1, read_share=0.5)
    chance = Random(7)
    seen = Counter(drawn_fate(scenario, "text", chance).about.split()[1] for _ in range(4000))
    assert 700 < seen["failed"] < 900
    assert 300 < seen["sent"] < 500
    assert 1200 < seen["read"] < 1600
    assert 1200 < seen["delivered"] < 1600


def test_a_reaction_is_sent_and_nothing_more() -> None:
    fate = drawn_fate(Scenario(fail_share=1, sent_only_share=0), "reaction", Random(1))
    assert [step.status for step in fate.steps] == ["sent"]


@given(name=FATE_NAMES, seed=st.integers(), shuffle=st.floats(0, 1), repeat=st.floats(0, 1))
def test_shuffling_and_repeating_lose_nothing_and_report_nothing_before_it_happened(
    name: str, seed: int, shuffle: float, repeat: float
) -> None:
    fate = FATES[name]
    scenario = Scenario(shuffle=shuffle, repeat=repeat)
    made = plan(SEND, fate, True, (), scenario, Random(seed))
    assert made == plan(SEND, fate, True, (), scenario, Random(seed))
    assert Counter(r.step for r in made.reports) == Counter(fate.steps)
    assert all(r.posted >= r.happens and r.copies >= fate.copies for r in made.reports)
    happened = sorted(made.reports, key=lambda r: r.happens)
    assert tuple(r.step for r in happened) == fate.steps
    assert [r.posted for r in made.reports] == sorted(r.posted for r in made.reports)


@given(seed=st.integers())
def test_a_shuffled_message_really_arrives_out_of_order(seed: int) -> None:
    made = plan(SEND, FATES["0001"], True, (), Scenario(shuffle=1), Random(seed))
    assert [r.happens for r in made.reports] != [0, 1, 2]


@given(name=FATE_NAMES)
def test_sent_and_one_of_delivered_and_read_carry_a_price(name: str) -> None:
    made = plan(SEND, FATES[name], True, (), Scenario(), Random(1))
    words = [r.step.status for r in made.reports if r.priced]
    assert words.count("sent") == sum(step.status == "sent" for step in FATES[name].steps)
    reached = {"delivered", "read"} & {step.status for step in FATES[name].steps}
    assert len([w for w in words if w in ("delivered", "read")]) == min(1, len(reached))
    assert set(words) <= {"sent", "delivered", "read"}


def test_in_a_group_each_member_draws_their_own_fate() -> None:
    group = Send("G", "G", "group", "text", None, {})
    members = tuple(str(n) for n in range(200))
    scenario = Scenario(fail_share=0.1, sent_only_share=0.1, read_share=0.5)
    fate = drawn_fate(Scenario(fail_share=0), "text", Random(1), to_group=True)
    sent, delivered, read = plan(group, fate, False, members, scenario, Random(3)).reports
    assert sent.members == ()
    assert 120 < len(delivered.members) < 190
    assert 40 < len(read.members) < 120
    assert set(read.members) < set(delivered.members)


@pytest.mark.parametrize(
    "wrong", [{"repeat": 1.1}, {"status_delay": -1}, {"batch": 0}, {"retry": -1}, {"fail_share": 0.99}]
)
def test_a_scenario_that_cannot_be_played_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="The scenario's"):
        Scenario(**wrong)  # type: ignore[arg-type]
