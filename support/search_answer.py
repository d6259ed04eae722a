"""Finds what a query asks for: which kind of id a pasted word is, and a number in any spelling."""

from dataclasses import dataclass, replace

from store import numbers, search
from store.database import ReadTx
from store.listing import Cursor
from store.search import Found, Wanted
from support.search_grammar import Asked, kinds, phone_like
from support.viewer import Viewer
from whatsapp.masking import BSUID
from whatsapp.recipient import InvalidRecipient, digits, parse_recipient

PAGE = 50
NAMES = {
    "wamid": "a wamid",
    "message_id": "a message_id",
    "to": "a recipient",
    "ref": "a reference",
    "error": "an error code",
    "template": "a template",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """`taken`: what the word was found as; `also`: what else would find something; `tried`: all."""

    found: Found
    taken: str | None
    also: tuple[str, ...]
    tried: tuple[str, ...]
    recipient: str | None  # of a search by person, whether or not it found something


def answer(
    tx: ReadTx, asked: Asked, viewer: Viewer, country: str | None, after: Cursor | None = None
) -> Answer:
    """The page after the cursor; nothing in it that the viewer may not see. `country`: the default one."""
    known = numbers.every(tx)
    countries = tuple(dict.fromkeys(one for one in (country, *(row.default_country for row in known)) if one))
    wanted = _terms(asked, known, countries)
    wanted = replace(wanted, numbers=viewer.numbers, numbered=not viewer.may_see(None))
    if asked.word is None:
        recipient = wanted.recipients[0] if wanted.recipients else None
        return Answer(search.find(tx, wanted, PAGE, after), None, (), (), recipient)
    tried = tuple(kind for kind in kinds(asked.word) if _free(wanted, kind))
    named = {kind: _named(wanted, kind, asked.word, countries) for kind in tried}
    hits = [kind for kind in tried if search.find(tx, named[kind], 1).rows]
    taken = hits[0] if hits else None
    found = search.find(tx, named[taken], PAGE, after) if taken else Found([])
    person = named["to"] if "to" in named and _names_somebody(asked.word) else wanted
    return Answer(found, taken, tuple(hits[1:]), tried, person.recipients[0] if person.recipients else None)


def _names_somebody(word: str) -> bool:
    return phone_like(word) or BSUID.fullmatch(word) is not None


def _terms(asked: Asked, known: list[numbers.Standing], countries: tuple[str, ...]) -> Wanted:
    terms = asked.terms
    return Wanted(
        recipients=_recipients(terms["to"], countries) if "to" in terms else (),
        reference=terms.get("ref"),
        error=terms.get("error"),
        template=terms.get("template"),
        phone_number_id=_ours(terms["from"], known) if "from" in terms else None,
        status=terms.get("status"),
        work=terms.get("is"),
        since=asked.since,
        until=asked.until,
    )


def _free(wanted: Wanted, kind: str) -> bool:
    """A word is no second recipient beside a `to:`."""
    taken = {
        "to": bool(wanted.recipients),
        "ref": wanted.reference is not None,
        "error": wanted.error is not None,
        "template": wanted.template is not None,
    }
    return not taken.get(kind, False)


def _named(wanted: Wanted, kind: str, word: str, countries: tuple[str, ...]) -> Wanted:
    if kind == "wamid":
        return replace(wanted, wamid=word)
    if kind == "message_id":
        return replace(wanted, message_id=word.lower())
    if kind == "to":
        return replace(wanted, recipients=_recipients(word, countries))
    if kind == "error":
        return replace(wanted, error=word.upper().lstrip("0") or "0")
    return replace(wanted, reference=word) if kind == "ref" else replace(wanted, template=word)


def _recipients(typed: str, countries: tuple[str, ...]) -> tuple[str, ...]:
    """Every reading of what was typed, likeliest first: with each default country, and the bare digits."""
    read: list[str] = []
    for country in (*countries, None):
        try:
            recipient = parse_recipient(typed, country)
        except InvalidRecipient:
            continue
        read.append(recipient.value.removeprefix("+"))
    if phone_like(typed):
        read.append(digits(typed))
    return tuple(dict.fromkeys(read)) or (typed,)


def _ours(typed: str, known: list[numbers.Standing]) -> str:
    """The phone_number_id of one of our numbers, also when it is given as people dial it."""
    for one in known:
        if one.display_number and digits(one.display_number) == digits(typed).removeprefix("00") != "":
            return one.phone_number_id
    return typed
