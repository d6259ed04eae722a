"""The work lists in words: what each holds, what a state means, what to do. Pure."""

from dataclasses import dataclass

from support.viewer import Viewer

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
AGES = {"15m": 15 * MINUTE, "1h": HOUR, "1d": DAY, "7d": 7 * DAY}
AGE_WORDS = {"15m": "15 minutes", "1h": "1 hour", "1d": "1 day", "7d": "7 days"}
TOO_LONG = "15m"  # the age that the front page counts from
SETTLING = 2 * MINUTE  # a status may be ahead of the answer to its own send


@dataclass(frozen=True, slots=True)
class List:
    """`nobody` is what an empty list says. `alone`: not for somebody limited to numbers."""

    name: str
    glyph: str
    title: str
    means: str
    do: str
    nobody: str
    alone: bool = False
    admin: bool = False

    def open_to(self, viewer: Viewer) -> bool:
        if self.admin:
            return viewer.may_see(None)
        return not (self.alone and viewer.numbers)


LISTS = {
    one.name: one
    for one in (
        List(
            "unknown",
            "unknown",
            "Unknown sends",
            "The connection broke while these were being sent: Meta may or may not have them.",
            "Do not send them again by hand. A status from Meta settles them by itself; what is still here"
            " after an hour a person settles on the message's page, as sent or as failed.",
            "No send is unknown.",
        ),
        List(
            "waiting",
            "waiting",
            "Waiting too long",
            "Accepted by Meta, and neither delivered nor failed since.",
            "Accepted without sent for more than some minutes: look at Webhook health, a status may not reach"
            " us. Sent without delivered: the phone is off or offline; Meta keeps trying for up to 30 days."
            " If it matters, reach the person another way.",
            "No message has waited that long.",
        ),
        List(
            "conflicts",
            "conflict",
            "Conflicts",
            "Meta reported both a delivery and a failure for one person.",
            "Do not send it again: it most likely arrived. Ask the recipient if it matters.",
            "No message contradicts itself.",
        ),
        List(
            "unmatched",
            "unmatched",
            "Unmatched statuses",
            "Meta reports these messages, but they were not sent from here.",
            "If another program sends from the same number, nothing is wrong. If none does, find out who has"
            " the access token.",
            "Every status belongs to a message of ours.",
        ),
        List(
            "failures",
            "failed",
            "Failures by code",
            "What failed or was refused lately, by error code.",
            "Begin with the code that grows. Its line says what it means and what to do.",
            "Nothing failed in this time.",
        ),
        List(
            "suppressed",
            "cancelled",
            "Suppressed recipients",
            "These people told Meta, or us, that they want no more marketing messages.",
            "Nothing. What they did ask for still goes out. `wamtrail suppression` changes an entry.",
            "Nobody has opted out.",
            alone=True,
        ),
        List(
            "quarantine",
            "quarantine",
            "Quarantine",
            "Parts of webhooks from Meta that could not be understood; they are kept.",
            "Look at the part and its reason. After an update of Wamtrail, replay it: what is understood then"
            " leaves this list.",
            "Everything was understood.",
            admin=True,
        ),
    )
}
STATES = {
    "accepted": "Meta took it and has said nothing since; usually sent follows within seconds.",
    "sent": "It is on Meta's servers; the phone has not taken it yet.",
}
AGAIN = {"never": "not as it is", "later": "later", "now": "at once"}
