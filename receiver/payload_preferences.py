"""Who stopped or resumed which kind of message, out of the field `user_preferences`.

The event itself is kept whole besides, so an item that cannot be read here is not lost.
"""

from collections.abc import Iterable
from typing import Any

from receiver.payload_parts import Place, listed, moment, name, word
from store.records import Preference

_WORDS = {"stop": True, "resume": False}


def read_preferences(value: dict[str, Any], place: Place) -> Iterable[Preference]:
    """One record for each id of the person: phone and business-scoped user id are learnt together."""
    contacts = [one for one in listed(value.get("contacts"))[0] if isinstance(one, dict)]
    for item in listed(value.get("user_preferences"))[0]:
        if not isinstance(item, dict):
            continue
        said, category = item.get("value"), word(item.get("category"))
        at = moment(item.get("timestamp"), place.latest)
        if not isinstance(said, str) or said not in _WORDS or category is None or at is None:
            continue
        for identity in sorted(_identities(item, contacts)):
            yield Preference(identity, category, _WORDS[said], at)


def _identities(item: dict[str, Any], contacts: list[dict[str, Any]]) -> set[str]:
    own = _ids(item)
    if not own and len(contacts) == 1:
        return _ids(contacts[0])
    return own.union(*(_ids(contact) for contact in contacts if own & _ids(contact)))


def _ids(of: dict[str, Any]) -> set[str]:
    return {one for one in (name(of.get("wa_id")), name(of.get("user_id"))) if one is not None}
