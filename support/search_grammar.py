"""What people type into the search box, read into conditions. Pure: time and the zone are arguments.

A query is pasted words, or terms such as `status:failed since:2d`, all of which hold. What is wrong raises
`Wrong`, one sentence that shows the right spelling. Which kind of id a pasted word is, only the store can
tell; `kinds` says in which order to try.
"""

import difflib
import re
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from store.search_wanted import WORKS
from store.status import STATUSES
from support.search_times import Unreadable, moment
from whatsapp.catalogue import catalogue
from whatsapp.masking import BSUID, digits, scrub

LONGEST = 1000  # characters: a wamid has up to 512
TERMS = ("to", "from", "status", "error", "template", "ref", "since", "until", "is")
EXAMPLES = {
    "to": 'to:"+91 98123 45678"',
    "from": "from:106540352242922",
    "status": "status:failed",
    "error": "error:131049",
    "template": "template:order_update",
    "ref": "ref:order-77",
    "since": "since:2h",
    "until": "until:2026-11-22",
    "is": "is:waiting",
}
_TOKEN = re.compile(r'(?:(?P<name>[A-Za-z_]{1,20}):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+)|(?=\s|$))')
_NUMBER_PART = re.compile(r"[\d+().\-–—]+")
_PHONE = re.compile(r"\(?\+?[\d\s().\-–—\u00a0\u2010-\u2015]+")
_HARMLESS = re.compile(r"(?<!\S)(?:since|until|status|is|error):[A-Za-z0-9:.-]{1,20}(?!\S)", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class Wrong(ValueError):
    """What is wrong with the query, in one sentence for whoever typed it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that makes sense. `word`: what was pasted without a term; `terms`: the others as typed."""

    word: str | None = None
    terms: dict[str, str] = field(default_factory=dict)
    since: float | None = None
    until: float | None = None

    @property
    def empty(self) -> bool:
        return self.word is None and not self.terms


def read(query: str, now: float, zone: ZoneInfo) -> Asked:
    """The conditions of a query; raises Wrong."""
    if len(query) > LONGEST:
        raise Wrong(f"The search has {len(query)} characters; paste one id of a message, at most {LONGEST}.")
    words, terms = _parts(_readable(query))
    times: dict[str, float | None] = {"since": None, "until": None}
    for name in times.keys() & terms.keys():
        try:
            times[name] = moment(terms[name], now, zone, end=name == "until")
        except Unreadable as problem:
            raise Wrong(f"{name}: {problem}") from None
    since, until = times["since"], times["until"]
    if since is not None and until is not None and since >= until:
        raise Wrong("since: is not before until:, so nothing can lie between them; exchange them.")
    return Asked(" ".join(words) or None, terms, since, until)


def kinds(word: str) -> tuple[str, ...]:
    """What a pasted word may be, likeliest first: wamid message_id to error ref template."""
    if word.startswith("wamid."):
        return ("wamid",)
    if _UUID.fullmatch(word):
        return ("message_id", "ref")
    if BSUID.fullmatch(word):
        return ("to", "ref")
    if is_code(word):
        return ("error", "ref", "template")
    if phone_like(word):
        return ("to", "ref", "template")
    return ("ref", "template", "to")


def phone_like(word: str) -> bool:
    return bool(_PHONE.fullmatch(word)) and len(digits(word)) >= 5


def is_code(word: str) -> bool:
    """A code that the catalogue explains; of numbers at most 7 digits, more are somebody's phone."""
    plausible = (word.isascii() and word.isdigit() and len(word) <= 7) or word.upper().startswith("RBC")
    return plausible and len(word) <= 10 and word.isalnum() and catalogue().lookup(word).known


def names_a_person(query: str) -> bool:
    """Whether it may hold a number, a user id or a wamid, and so must not stand in an address."""
    without_ids = _HARMLESS.sub("", _UUID.sub("", query))
    to = re.search(r"\bto:", query, re.IGNORECASE) is not None
    long = any(len(digits(word)) >= 7 for word in without_ids.split())
    phone = phone_like(without_ids.strip()) and not is_code(without_ids.strip())
    return to or long or phone or "wamid" in query or scrub(without_ids) != without_ids


def _readable(query: str) -> str:
    """Typographic quotes as plain ones; signs that nobody sees go."""
    plain = re.sub("[“”„«»]", '"', query).replace("\x00", " ")
    return "".join(sign for sign in plain if sign.isprintable() or sign.isspace()).strip()


def _parts(query: str) -> tuple[list[str], dict[str, str]]:
    if query.count('"') % 2:
        raise Wrong('A quotation mark is not closed: write "…" around a value that has blanks in it.')
    words: list[str] = []
    terms: dict[str, str] = {}
    number_of: str | None = None  # the term whose number may go on after a blank
    for match in filter(lambda match: match[0], _TOKEN.finditer(query)):
        typed, quoted = match["name"], match["quoted"]
        value = quoted if quoted is not None else (match["plain"] or "")
        name = _term(typed) if typed else None
        if typed and name is None:
            value, typed = f"{typed}:{value}", None
        if name is None and number_of and quoted is None and _NUMBER_PART.fullmatch(value):
            terms[number_of] += f" {value}"
        elif name is None:
            words += [value] if value else []
            number_of = None
        else:
            if name in terms:
                raise Wrong(f"{name}: stands twice; all terms hold together, so give it once.")
            terms[name] = _value(name, value.strip())
            number_of = name if name in ("to", "from") and quoted is None else None
    return words, terms


def _term(typed: str) -> str | None:
    """The term of this name; None when it is no term but a part of an id, such as `order:77`."""
    name = typed.lower()
    aliases = {"reference": "ref", "recipient": "to", "code": "error", "state": "status", "before": "until"}
    name = {**aliases, "after": "since"}.get(name, name)
    if name in TERMS:
        return name
    near = difflib.get_close_matches(name, TERMS, 1, 0.75)
    if near:
        raise Wrong(f"There is no term “{typed}:”; did you mean {near[0]}:, as in {EXAMPLES[near[0]]}?")
    return None


def _value(name: str, value: str) -> str:
    if not value:
        raise Wrong(f"{name}: needs a value right after the colon, for instance {EXAMPLES[name]}.")
    if name == "status":
        if value.lower() in WORKS and value.lower() not in STATUSES:
            raise Wrong(f"“{value}” is no status; write is:{value.lower()}.")
        return _one_of("status", value, STATUSES)
    if name == "is":
        if value.lower() in STATUSES and value.lower() not in WORKS:
            raise Wrong(f"“{value}” is a status; write status:{value.lower()}.")
        return _one_of("is:", value, WORKS)
    if name == "error":
        word = value.upper().lstrip("#").strip("()#")
        if not (word.isascii() and word.isalnum() and len(word) <= 10):
            raise Wrong(f"error: takes a code, for instance {EXAMPLES['error']}.")
        return word.lstrip("0") or "0" if word.isdigit() else word
    return value


def _one_of(what: str, value: str, known: tuple[str, ...]) -> str:
    word = value.lower()
    if word in known:
        return word
    near = difflib.get_close_matches(word, known, 1, 0.6)
    advice = f"; did you mean {near[0]}?" if near else f". There are {', '.join(known)}."
    raise Wrong(f"There is no {what} “{value[:40]}”{advice}")
