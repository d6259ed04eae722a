"""The one error that explains where a message stands, with what it means and what to do about it.

Chosen so that nobody is misled: an error stands beside a status only when it is the reason of that status.
What an earlier attempt met, before the message was accepted or while it waits for the next one, is told by
the attempts; a failure of one member of a group by that participant.
"""

from dataclasses import dataclass, replace

from store.stories import Story
from store.timeline import Step, first_error
from whatsapp.catalogue import ErrorCode, catalogue

SETTLE = (
    "Do not send it again by hand: Meta may have the message. A status from Meta settles it; when none "
    "comes, a person settles it as sent or failed."
)
BOTH_REPORTED = (
    "Do not send it again: a delivery was reported as well as this failure. Ask the recipient if it matters."
)
CORRECT_IT = "Nothing has left. Correct what is named and send it as a new message."


@dataclass(frozen=True, slots=True)
class Explained:
    """What the provider said, word by word, and the catalogue's entry for it."""

    code: int | str | None
    title: str | None
    details: str | None
    fbtrace_id: str | None
    entry: ErrorCode

    @property
    def said(self) -> str:
        """The provider's own words with the code, each once."""
        words = [str(one) for one in (self.code, self.title, self.details) if one not in (None, "")]
        return " · ".join(dict.fromkeys(words))


def explain(stored: str | None, http_status: int | None = None) -> Explained | None:
    """A stored error (one, or Meta's list of which the first counts); None when there is none."""
    first = first_error(stored)
    if first is None:
        return None
    code = first["code"] if isinstance(first["code"], (int, str)) else None
    entry = catalogue().lookup(code, http_status, subcode=first["subcode"])
    if code is None and not entry.known and first["title"]:
        entry = replace(entry, meaning=str(first["title"]))
    title = None if first["title"] is None else str(first["title"])
    trace = None if first["fbtrace_id"] is None else str(first["fbtrace_id"])
    return Explained(code, title, first["details"], trace, entry)


def deciding(
    status: str,
    *,
    conflict: bool,
    send_error: str | None,
    message_error: str | None,
    refused_by: str | None,
    http_status: int | None = None,
) -> Explained | None:
    """The reason of `status`, or of a conflict; None when the status needs none.

    Its advice follows the status: where a copy may have arrived, it never says to try again.
    """
    if conflict:
        return _advised(explain(message_error), BOTH_REPORTED)
    if status == "failed":  # as Meta reported; one that a person declared failed has no provider's error
        return explain(message_error)
    if status == "unknown":
        return _advised(explain(send_error, http_status), SETTLE)
    if status == "refused":
        found = explain(send_error, http_status)
        if found and refused_by == "wamtrail" and not found.entry.known:
            return replace(found, entry=replace(found.entry, owner="sender", action=CORRECT_IT))
        return found
    return None


def error_of(story: Story) -> Explained | None:
    """The deciding error of a whole story."""
    send, message = story.send or {}, story.message or {}
    ended = [one["http_status"] for one in story.attempts if one["outcome"] is not None]
    return deciding(
        story.status,
        conflict=story.conflict and not story.participants,
        send_error=send.get("error"),
        message_error=message.get("error"),
        refused_by=send.get("refused_by"),
        http_status=ended[-1] if ended else None,
    )


def why(step: Step, story: Story) -> list[str]:
    """The lines under a step that carries an error: its meaning, what to do, the provider's own words.

    What the deciding error says at the top is not said again, and a contradicted failure advises nothing.
    """
    if step.error is None:
        return []
    top, told = error_of(story), []
    if step.error.known and (top is None or top.entry.code != step.error.code):
        told.append(step.error.meaning)
        if not story.conflict:
            told.append(f"Do: {step.error.action}")
    if said := " · ".join(word for word in (step.error.code, step.meta_said) if word):
        told.append(f"Said: {said}")
    return told


def _advised(found: Explained | None, action: str) -> Explained | None:
    return found and replace(found, entry=replace(found.entry, retryable="never", action=action))
