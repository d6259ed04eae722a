"""How long each kind of thing is kept, and which ages do not go together."""

from collections.abc import Set
from dataclasses import dataclass, replace

DAY = 86_400.0
LEAST_MESSAGES = 35 * DAY  # Meta tries to deliver a message for 30 days, and posts its webhooks for 7 more


@dataclass(frozen=True, slots=True)
class MessageAge:
    """What is older makes no row. `at_once`: always; else from the first run of retention on, for as long as
    nothing went, nothing can come back."""

    seconds: float
    at_once: bool = True


@dataclass(frozen=True, slots=True)
class Ages:
    """Seconds; None is forever."""

    bodies: float | None  # of webhooks, of answers to sends; closed quarantine
    messages: float | None  # what was sent, what became of it, what people wrote
    events: float | None  # the feed's positions, account events, the receiver's minutes
    audit: float | None


def impossible(ages: Ages) -> str | None:
    """What is unsafe about these ages, in one sentence."""
    if ages.messages is not None and ages.messages < LEAST_MESSAGES:
        return (
            "WAMTRAIL_KEEP_MESSAGES is shorter than 35d, but Meta may still tell of a message 30 days and"
            " more after it was sent: make it 35d or longer."
        )
    if _longer(ages.bodies, ages.messages):
        return (
            "WAMTRAIL_KEEP_BODIES is longer than WAMTRAIL_KEEP_MESSAGES, so that webhooks would outlive the"
            " messages that they tell of: make it as long or shorter."
        )
    if _longer(ages.events, ages.messages):
        return (
            "WAMTRAIL_KEEP_EVENTS is longer than WAMTRAIL_KEEP_MESSAGES, so that the feed would name messages"
            " that are gone: make it as long or shorter."
        )
    if _longer(ages.messages, ages.audit):
        return (
            "WAMTRAIL_KEEP_AUDIT is shorter than WAMTRAIL_KEEP_MESSAGES, so that nobody could tell who looked"
            " at a message that is still there: make it as long or longer."
        )
    return None


def fitted(ages: Ages, free: Set[str]) -> Ages:
    """Ages that nobody set (`free`) give way to that of messages, so that setting one is enough."""
    shortest = {
        name: ages.messages
        for name in free & {"bodies", "events"}
        if ages.messages is not None and _longer(getattr(ages, name), ages.messages)
    }
    longest = {"audit": ages.messages} if "audit" in free and _longer(ages.messages, ages.audit) else {}
    return replace(ages, **shortest, **longest)


def _longer(one: float | None, than: float | None) -> bool:
    return than is not None and (one is None or one > than)
