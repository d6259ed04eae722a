"""Decides which webhooks a message brings, when and in which order; pure, chance is an argument.

Moments are counted in the scenario's status_delays after Meta took the message.
"""

from dataclasses import dataclass
from random import Random

from simulator.fates import Fate, Step, drawn_fate
from simulator.request import Send
from simulator.scenario import Scenario

BY_MEMBER = ("delivered", "read", "played")  # in groups these come for each member, the rest for the group


@dataclass(frozen=True, slots=True)
class Planned:
    """One status to report: when it happens, when it is posted, for which members of a group."""

    step: Step
    happens: int
    posted: int
    priced: bool = False
    members: tuple[str, ...] = ()
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is reported of one message, in the order of posting."""

    reports: tuple[Planned, ...]
    early: bool  # the first report goes out before the send is answered
    stranger: bool  # one more report, of a message that nobody here sent


def plan(
    send: Send, fate: Fate, fixed: bool, members: tuple[str, ...], scenario: Scenario, chance: Random
) -> Plan:
    """The reports of a message with this fate; in a group without a fixed fate each member draws one."""
    shuffled = chance.random() < scenario.shuffle
    early = fate.early or chance.random() < scenario.before_answer
    stranger = chance.random() < scenario.strangers
    steps = [(step, members if step.status in BY_MEMBER else ()) for step in fate.steps]
    if members and not fixed:
        steps = _member_by_member(send, steps, scenario, chance)
    priced = _priced([step for step, _ in steps])
    reports = []
    for number, (step, reached) in enumerate(steps):
        happens = fate.held + number
        copies = fate.copies + (chance.random() < scenario.repeat)
        reports.append(Planned(step, happens, happens + fate.late, number in priced, reached, copies))
    if fate.order == "backward" or shuffled:
        reports = _out_of_order(reports, fate, chance)
    return Plan(tuple(reports), early and bool(reports), stranger)


def _member_by_member(
    send: Send, steps: list[tuple[Step, tuple[str, ...]]], scenario: Scenario, chance: Random
) -> list[tuple[Step, tuple[str, ...]]]:
    members = max((reached for _, reached in steps), key=len, default=())
    fates = {member: drawn_fate(scenario, send.type, chance).steps for member in members}
    narrowed = []
    for step, reached in steps:
        still = tuple(member for member in reached if step in fates[member])
        if still or not reached:
            narrowed.append((step, still))
    return narrowed


def _priced(steps: list[Step]) -> set[int]:
    """Meta prices `sent` and one of delivered and read."""
    words = [step.status for step in steps]
    chosen = {words.index("sent")} if "sent" in words else set()
    later = [number for number, word in enumerate(words) if word in ("delivered", "read")]
    return chosen | set(later[:1])


def _out_of_order(reports: list[Planned], fate: Fate, chance: Random) -> list[Planned]:
    """All of them at the last moment, so that none arrives before it happened."""
    order = list(reversed(reports))
    if fate.order == "forward" and len(reports) > 1:
        order = list(reports)
        while order == reports:
            chance.shuffle(order)
    last = max((report.posted for report in reports), default=0)
    return [Planned(r.step, r.happens, last, r.priced, r.members, r.copies) for r in order]
