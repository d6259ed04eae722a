"""What becomes of a message, as data: fixed fates for magic recipients, drawn ones for all others.

A recipient whose number ends in four digits listed in FATES always meets that fate; so a demonstration
or a test chooses what happens by choosing the number. Steps are named in the order in which they happen;
`order` says in which they arrive.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Literal

from simulator.scenario import Scenario

Answer = Literal[
    "accept", "refuse", "error_in_200", "empty", "html", "unauthorised", "reset", "cut", "half", "hang"
]


@dataclass(frozen=True, slots=True)
class Step:
    """One status that Meta reports, with the codes of its errors."""

    status: str
    errors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """How the send is answered, whether Meta took the message, and what it reports afterwards."""

    about: str  # one plain line for people
    answer: Answer = "accept"
    taken: bool = True  # did Meta take the message? Only then statuses follow
    code: int = 0  # Meta's code of a refusal
    http: int = 200  # HTTP status of an answer that is not an acceptance
    refusals: int | None = None  # so many tries of the same body are answered so, then it is accepted
    steps: tuple[Step, ...] = ()
    order: Literal["forward", "backward"] = "forward"
    held: int = 0  # so many status_delays until anything happens
    late: int = 0  # so many status_delays between what happens and its arrival
    copies: int = 1  # how often each webhook is posted
    early: bool = False  # the first status arrives before the answer
    message_status: str | None = None  # Meta's word in the answer
    user_id_only: bool = False  # statuses name the recipient by user id alone
    rewritten: bool = False  # Meta writes the number differently than we did


SENT, DELIVERED, READ, PLAYED = Step("sent"), Step("delivered"), Step("read"), Step("played")
ALL_THREE = (SENT, DELIVERED, READ)


def _failed(code: int) -> Step:
    return Step("failed", (code,))


FATES: Mapping[str, Fate] = MappingProxyType(
    {
        "0001": Fate("sent, delivered, read", steps=ALL_THREE),
        "0002": Fate("sent, and nothing more", steps=(SENT,)),
        "0003": Fate("sent, delivered, not read", steps=(SENT, DELIVERED)),
        "0004": Fate("failed 131026: undeliverable", steps=(_failed(131026),)),
        "0005": Fate("failed 131047: the 24 hours are over", steps=(_failed(131047),)),
        "0006": Fate("sent, then failed 131049: marketing cap", steps=(SENT, _failed(131049))),
        "0007": Fate("sent, read; delivered never comes", steps=(SENT, READ)),
        "0008": Fate("delivered, then failed: a conflict", steps=(SENT, DELIVERED, _failed(131026))),
        "0009": Fate("sent arrives before the answer", steps=ALL_THREE, early=True),
        "0010": Fate("taken, but the connection is cut without an answer", "cut", steps=ALL_THREE),
        "0011": Fate("taken, but the answer hangs", "hang", steps=ALL_THREE),
        "0012": Fate("502 with a page; not taken", "html", taken=False, http=502),
        "0013": Fate("502 with a page, although taken", "html", http=502, steps=ALL_THREE),
        "0014": Fate("500 with code 131000; not taken", "refuse", taken=False, code=131000, http=500),
        "0015": Fate("400 with code 100", "refuse", taken=False, code=100, http=400),
        "0016": Fate(
            "429 with code 130429 twice, then accepted",
            "refuse",
            code=130429,
            http=429,
            refusals=2,
            steps=ALL_THREE,
        ),
        "0017": Fate(
            "400 with code 131056 twice, then accepted",
            "refuse",
            code=131056,
            http=400,
            refusals=2,
            steps=ALL_THREE,
        ),
        "0018": Fate("200 with error 131042 in it; not taken", "error_in_200", taken=False, code=131042),
        "0019": Fate("200 with an empty body, although taken", "empty", steps=ALL_THREE),
        "0020": Fate("the connection is reset; never reached Meta", "reset", taken=False),
        "0021": Fate("404 with code 132001: no such template", "refuse", taken=False, code=132001, http=404),
        "0022": Fate(
            "held for quality assessment, then delivered",
            steps=(SENT, DELIVERED),
            held=3,
            message_status="held_for_quality_assessment",
        ),
        "0023": Fate(
            "late, in reverse order, each three times", steps=ALL_THREE, order="backward", late=4, copies=3
        ),
        "0024": Fate("played, as a voice message can be", steps=(*ALL_THREE, PLAYED)),
        "0025": Fate("401 RBC201: wrong SID or key", "unauthorised", taken=False, http=401),
        "0026": Fate("taken, but the answer breaks off half-way", "half", steps=ALL_THREE),
        "0027": Fate("delivered, and a status word nobody knows", steps=(SENT, Step("in_orbit"), DELIVERED)),
        "0028": Fate("statuses name the user id only, no number", steps=ALL_THREE, user_id_only=True),
        "0029": Fate("Meta rewrites the number (as in Brazil or Mexico)", steps=ALL_THREE, rewritten=True),
        "0030": Fate("sent, then failed with two errors", steps=(SENT, Step("failed", (131053, 131026)))),
        "0031": Fate(
            "held for quality assessment, then dropped: failed 132015",
            steps=(_failed(132015),),
            held=3,
            message_status="held_for_quality_assessment",
        ),
    }
)

FAILURES = (131026, 131026, 131047, 131049, 131053)


def fixed_fate(recipient: str) -> Fate | None:
    """The fate of a magic recipient, by its last four digits, or None. Signs between digits do not count."""
    tail = "".join(c for c in recipient if c not in " -().")[-4:]
    return FATES.get(tail)


def drawn_fate(scenario: Scenario, message_type: str, chance: Random, to_group: bool = False) -> Fate:
    """A fate by the scenario's shares. Always takes two numbers, so that one draw does not shift the next."""
    kind, finer = chance.random(), chance.random()
    if message_type == "reaction":
        return Fate("a reaction: sent is all that ever comes", steps=(SENT,))
    if kind < scenario.fail_share:
        return Fate("drawn: failed", steps=(_failed(FAILURES[int(finer * len(FAILURES))]),))
    if to_group:
        return Fate("drawn: a group, each member as they are", steps=ALL_THREE)
    if kind < scenario.fail_share + scenario.sent_only_share:
        return Fate("drawn: sent only", steps=(SENT,))
    if finer < scenario.read_share:
        return Fate("drawn: read", steps=ALL_THREE)
    return Fate("drawn: delivered", steps=(SENT, DELIVERED))


def describe() -> str:
    """The table of magic recipients for people, a line each."""
    lines = [f"  …{digits}  {fate.about}" for digits, fate in sorted(FATES.items())]
    return "\n".join(
        ["Recipients by their last four digits:", *lines, "  any other: drawn by the scenario's shares"]
    )
