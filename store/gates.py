"""What stops a message that is well-formed, asked where it is taken in, before it has a row: a template that
Meta would not send, and marketing to somebody who wants none.

Nothing is recorded of what stops here, so it binds no idempotency key.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from store import suppressions, templates
from store.database import ReadTx
from store.outcomes import error_json
from store.records import NewSend
from store.templates import Translation
from store.times import rfc3339

# What to do about each status with which Meta sends a template to nobody. Other words pass: Meta will say.
_STOPPED = {
    "PAUSED": "Meta frees it after three or six hours, and a webhook opens it here; till then send another",
    "REJECTED": "change it in WhatsApp Manager, and send when it is approved",
    "DISABLED": "it cannot be sent any more; make another in WhatsApp Manager",
    "PENDING_DELETION": "it is being deleted; send another",
    "DELETED": "it does not exist any more; send another",
}
_NOT_MARKETING = ("UTILITY", "AUTHENTICATION")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`category`: the template's, in upper case, if known. `error`: JSON like that of a refused send, about
    the `template` or the `recipient`."""

    category: str | None = None
    error: str | None = None
    about: str | None = None


def refusal(tx: ReadTx, new: NewSend) -> str | None:
    """Why this message may not be sent, as JSON; None when it may."""
    return verdicts(tx, [new])[0].error


def verdicts(tx: ReadTx, sends: Sequence[NewSend]) -> list[Verdict]:
    """The same for many, in their order, with one look at each template and one at all recipients."""
    known: dict[tuple[str, str], tuple[Translation, ...]] = {}
    for one in sends:
        key = (one.phone_number_id, one.template or "")
        if one.template is not None and key not in known:
            known[key] = templates.translations(tx, *key)
    found = [_translation(known.get((one.phone_number_id, one.template or ""), ()), one) for one in sends]
    maybe = [one.recipient for one, of in zip(sends, found, strict=True) if _may_be_marketing(one, of)]
    opted_out = suppressions.stopped_of(tx, maybe)
    return [_verdict(one, of, opted_out) for one, of in zip(sends, found, strict=True)]


def sentence(error: str) -> str:
    """The error as people read it."""
    found = json.loads(error)
    return " ".join(found[part] for part in ("title", "details"))


def _translation(known: Iterable[Translation], new: NewSend) -> Translation | None:
    return next((one for one in known if one.language == new.language), None)


def _category(new: NewSend, found: Translation | None) -> str:
    return (found.category if found else "") or new.category or ""


def _may_be_marketing(new: NewSend, found: Translation | None) -> bool:
    return new.template is not None and _category(new, found) not in _NOT_MARKETING


def _verdict(new: NewSend, found: Translation | None, opted_out: frozenset[str]) -> Verdict:
    category = _category(new, found)
    stopped = _stopped(found) if found is not None else None
    if stopped is not None:
        return Verdict(category or None, stopped, "template")
    if _may_be_marketing(new, found) and new.recipient in opted_out:
        return Verdict(category or None, _unwanted(category), "recipient")
    return Verdict(category or None)


def _stopped(found: Translation) -> str | None:
    advice = _STOPPED.get(found.status)
    if advice is None:
        return None
    word = found.status.lower().replace("_", " ")
    title = f"The template {found.name} ({found.language}) is {word} at Meta."
    told = "a webhook" if found.source == "meta" else "the imported definition"
    reason = f"Meta's reason: {found.reason.rstrip('.')}. " if found.reason else ""
    return error_json(title, f"{reason}So says {told} of {rfc3339(found.status_at)}: {advice}.")


def _unwanted(category: str) -> str:
    title = "The recipient has opted out of marketing messages."
    if category == "MARKETING":
        return error_json(title, "The template is marketing, so it is not sent.")
    return error_json(
        title,
        "Nothing here tells the template's category, so it counts as marketing: import its definition with"
        " `wamtrail template import` if it is another.",
    )
