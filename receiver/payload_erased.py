"""A webhook's body, or a kept part of one, without one person. Pure; everybody else's parts stay as they are.

What is about the person keeps its ids (replaced), its word, time, codes and price, and loses everything else:
profile, texts, media, what they chose. So hearing the body again gives the rows that stand already, and
nothing of the person. Anywhere else only their number, user id and wamids are replaced.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from receiver.payload_json import Unreadable, canonical, read
from store.erasure_state import Found
from whatsapp import callback_data
from whatsapp.masking import digits
from whatsapp.person import Person, is_name

_IDS: Final = frozenset(
    {
        *("id", "wa_id", "user_id", "from", "from_user_id", "to", "to_user_id", "message_id", "input"),
        *("recipient_id", "recipient_user_id", "recipient_participant_id", "participant_recipient_id"),
        *("recipient_participant_user_id", "parent_user_id", "recipient_parent_user_id"),
    }
)
_KEPT: Final = _IDS | {"timestamp", "status", "type", "recipient_type", "group_id", "event", "direction"}
_WHOLE: Final = frozenset({"errors", "pricing", "conversation"})  # codes, words and prices
_NESTED: Final = frozenset({"context", "reaction", "messages", "message_echoes", "statuses", "contacts"})
_NOT_THEIRS: Final = frozenset(
    {
        *("timestamp", "time", "expiration_timestamp", "phone_number_id", "display_phone_number", "object"),
        *("field", "status", "code", "error_subcode", "fbtrace_id", "start_time", "end_time"),
    }
)
_PAIRS: Final = (  # the two names of one person
    ("wa_id", "user_id"),
    ("recipient_id", "recipient_user_id"),
    ("from", "from_user_id"),
    ("to", "to_user_id"),
    ("recipient_participant_id", "recipient_participant_user_id"),
    ("participant_recipient_id", "recipient_participant_user_id"),
)
_OUR_DATA: Final = "biz_opaque_callback_data"


@dataclass(slots=True)
class Learnt:
    """What a body tells of the person that was not known: look again with it before anything is changed."""

    names: set[str] = field(default_factory=set)
    wamids: set[str] = field(default_factory=set)


def body_without(person: Person, body: bytes) -> Found:
    """The body without the person, as JSON, and what it tells of them that was not known."""
    if _surely_absent(person, body):
        return Found(None)
    try:
        tree = read(body)
    except Unreadable:
        found = body.decode("utf-8", "surrogateescape")
        changed = person.text(found)
        return Found(None if changed == found else changed.encode("utf-8", "surrogateescape"))
    learnt = Learnt()
    changed_tree = _without(person, tree, learnt, about=False)
    written = None if changed_tree == tree else _written(changed_tree)
    return Found(written, frozenset(learnt.names), frozenset(learnt.wamids))


def _written(tree: Any) -> bytes:
    """Keys stay in their order, so that what is found in the body stays in its order."""
    try:
        return json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        return canonical(tree).encode()


def part_without(person: Person, part: str) -> str:
    """A stored text, JSON in canonical form or not."""
    return _part(person, part, about=False)


def own_part_without(person: Person, part: str) -> str:
    """The same of something of the person's, which is not told by the part itself."""
    return _part(person, part, about=True)


def _part(person: Person, part: str, *, about: bool) -> str:
    if part[:1] not in ("{", "["):
        return person.text(part)
    try:
        tree = json.loads(part)
    except (ValueError, RecursionError):
        return person.text(part)
    changed = _without(person, tree, Learnt(), about=about)
    return part if changed == tree else canonical(changed)


def data_without(data: str) -> str:
    """The callback data of a message of theirs: our own id stays, the caller's part goes."""
    message_id, _ = callback_data.split(data)
    return message_id or ""


def _surely_absent(person: Person, body: bytes) -> bool:
    """Quick: most bodies name somebody else. A body with escapes is always read properly."""
    try:
        raw = body.decode().replace("\\/", "/")
    except UnicodeDecodeError:
        return False
    return "\\" not in raw and "\0" not in raw and person.text(raw) is raw


def _without(person: Person, found: Any, learnt: Learnt, *, about: bool, key: str = "") -> Any:
    if isinstance(found, str):
        return found if key in _NOT_THEIRS else person.text(found)
    if isinstance(found, list):
        return [_without(person, one, learnt, about=about, key=key) for one in found]
    if isinstance(found, dict):
        return _object(person, found, learnt, about=about)
    if isinstance(found, int) and str(found) in person.names and key not in _NOT_THEIRS:
        return person.name(str(found))
    return found


def _object(person: Person, found: Mapping[str, Any], learnt: Learnt, *, about: bool) -> dict[str, Any]:
    about = about or _is_about(person, found)
    theirs = _is_theirs(person, found, learnt) if about else False
    if about:
        _learn_names(person, found, learnt)
    kept: dict[str, Any] = {}
    for key, part in found.items():
        if key == _OUR_DATA and isinstance(part, str):
            kept[key] = data_without(part) if theirs else person.text(part)
        elif not about or key in _WHOLE:
            kept[person.text(key)] = _without(person, part, learnt, about=False, key=key)
        elif key in _NESTED if isinstance(part, dict | list) else key in _KEPT:
            kept[key] = _id(person, key, part, theirs=theirs, learnt=learnt)
    return kept


def _id(person: Person, key: str, part: Any, *, theirs: bool, learnt: Learnt) -> Any:
    if theirs and key == "id" and isinstance(part, str):
        return person.message(part)
    return _without(person, part, learnt, about=True, key=key)


def _is_about(person: Person, found: Mapping[str, Any]) -> bool:
    for key, part in found.items():
        if key in _NOT_THEIRS or isinstance(part, dict | list):
            continue
        value = str(part)
        if key in _IDS and person.text(value) is not value:
            return True
        if value in person.wamids or (not value.isalpha() and _bare(value) in person.names):
            return True
    return False


def _bare(value: str) -> str:
    """A user id as it is, and of what is a phone in any spelling its digits."""
    return value if len(value) > 40 or any(map(str.isalpha, value)) else digits(value)


def _is_theirs(person: Person, found: Mapping[str, Any], learnt: Learnt) -> bool:
    """Whether this is a message to or from them, or its status; a group's message is not a member's."""
    wamid = found.get("id")
    if not isinstance(wamid, str) or not wamid or "timestamp" not in found:
        return False
    if person.wrote_or_got(wamid):
        return True
    ends = [str(found.get(key, "")).removeprefix("+") for key in _ENDS]
    if not person.names.isdisjoint(ends) and not wamid.startswith("erased-"):
        learnt.wamids.add(wamid)
        return True
    return False


_ENDS: Final = ("recipient_id", "recipient_user_id", "from", "from_user_id", "to", "to_user_id")


def _learn_names(person: Person, found: Mapping[str, Any], learnt: Learnt) -> None:
    for pair in _PAIRS:
        names = {str(one) for key in pair if is_name(one := found.get(key))}
        if len(names) == 2 and len(names & person.names) == 1:
            learnt.names |= names - person.names
