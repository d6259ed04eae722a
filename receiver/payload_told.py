"""Account events for people: what happened in one plain sentence, and the number that it is about.

Meta's pages: webhooks/reference/<field>. The value stands beside the sentence whole, so a sentence that
cannot be made of an odd value is only the general one of its field.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from receiver.payload_json import Unreadable, read

LONGEST: Final = 200  # characters of one of Meta's words
_KINDS: Final = MappingProxyType(
    {
        "test": "Meta's dashboard sent a sample; nothing happened.",
        "call": "Something happened to a call.",
        "payment": "Something happened to a payment.",
        "echo": "A message was sent from the phone or another program, not from here.",
        "user_actions": "A person did something with a message, such as opening a link.",
    }
)
_GENERAL: Final = MappingProxyType(
    {
        "account_alerts": "Meta has an alert about the account",
        "account_settings_update": "The settings of a sending number changed",
        "business_capability_update": "What the account may do changed",
        "business_status_update": "The state of the business portfolio changed",
        "calls": "Something happened to a call",
        "flows": "The state of a flow changed",
        "group_lifecycle_update": "A group was made or removed",
        "group_participants_update": "The members of a group changed",
        "group_settings_update": "The settings of a group changed",
        "group_status_update": "The state of a group changed",
        "history": "A part of a phone's chat history came in",
        "message_echoes": "A message was sent from another program, not from here",
        "messaging_handovers": "The control over conversations moved to another program",
        "partner_solutions": "A solution with a partner changed",
        "payment_configuration_update": "The configuration of payments changed",
        "smb_app_state_sync": "The contacts of a phone came in",
        "smb_message_echoes": "A message was sent from the phone, not from here",
        "standby": "A copy came in while another program has control over the conversation",
        "user_preferences": "A person changed what they want to get",
    }
)


def told(field: str, kind: str, value: str) -> tuple[str, str]:
    """(a sentence, the phone_number_id that it is about or ''). Pure; any value gives a sentence."""
    tree = _tree(value)
    metadata = tree.get("metadata")
    number = _word(metadata, "phone_number_id") or _word(tree, "phone_number_id")
    if kind in _KINDS:
        return _KINDS[kind], number
    if kind == "errors" or isinstance(tree.get("errors"), list):
        return _errors(tree), number
    special = _SPECIAL.get(field)
    general = _GENERAL.get(field, "Meta sent this")
    return f"{special(tree) if special else _with(general, _event(tree))}.", number


def _status(tree: Mapping[str, Any]) -> str:
    reason = _word(tree, "reason")
    why = f" ({reason})" if reason and reason.upper() != "NONE" else ""
    return f"{_template(tree)} is now {_event(tree) or 'in another state'}{why}"


def _quality(tree: Mapping[str, Any]) -> str:
    return _moved(f"The quality of {_template(tree, 'template')}", tree, "quality_score")


def _category(tree: Mapping[str, Any]) -> str:
    notice = _word(tree, "correct_category")
    if notice:
        return f"{_template(tree)} will be counted as {notice}, which can change its price"
    return (
        _moved(f"The category of {_template(tree, 'template')}", tree, "category") + "; its price may change"
    )


def _components(tree: Mapping[str, Any]) -> str:
    return f"The text of {_template(tree, 'template')} changed"


def _account(tree: Mapping[str, Any]) -> str:
    restrictions = tree.get("restriction_info")
    kinds = [_word(one, "restriction_type") for one in restrictions] if isinstance(restrictions, list) else []
    details = [*kinds, _word(tree.get("ban_info"), "waba_ban_state")]
    details.append(_word(tree.get("violation_info"), "violation_type"))
    said = ", ".join(one for one in details if one)
    return _with("The account changed", _event(tree)) + (f" ({said})" if said else "")


def _review(tree: Mapping[str, Any]) -> str:
    return f"The review of the account ended as {_word(tree, 'decision') or 'something else'}"


def _number_quality(tree: Mapping[str, Any]) -> str:
    limit = _word(tree, "current_limit")
    return _with("The quality or the limit of a sending number changed", _event(tree)) + (
        f"; its limit is {limit}" if limit else ""
    )


def _number_name(tree: Mapping[str, Any]) -> str:
    asked, decision = _word(tree, "requested_verified_name"), _word(tree, "decision")
    return f"The display name {f'“{asked}” ' if asked else ''}of a number was {decision or 'looked at'}"


def _security(tree: Mapping[str, Any]) -> str:
    return _with("The two-step PIN of a number was changed or asked for", _event(tree))


def _errors(tree: Mapping[str, Any]) -> str:
    listed = tree.get("errors")
    first = listed[0] if isinstance(listed, list) and listed else None
    said = " ".join(one for one in (_word(first, "code"), _word(first, "title")) if one)
    return f"Meta reported an error that belongs to no message{f': {said}' if said else ''}."


_SPECIAL: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = MappingProxyType(
    {
        "message_template_status_update": _status,
        "message_template_quality_update": _quality,
        "message_template_components_update": _components,
        "template_category_update": _category,
        "account_update": _account,
        "account_review_update": _review,
        "phone_number_quality_update": _number_quality,
        "phone_number_name_update": _number_name,
        "security": _security,
    }
)


def _template(tree: Mapping[str, Any], word: str = "Template") -> str:
    name, language = _word(tree, "message_template_name"), _word(tree, "message_template_language")
    if not name:
        return "A template" if word == "Template" else "a template"
    return f"{word} {name}{f' ({language})' if language else ''}"


def _moved(what: str, tree: Mapping[str, Any], key: str) -> str:
    before, after = _word(tree, f"previous_{key}"), _word(tree, f"new_{key}")
    return f"{what} changed{f' from {before}' if before else ''}{f' to {after}' if after else ''}"


def _with(sentence: str, event: str) -> str:
    return f"{sentence}: {event}" if event else sentence


def _event(tree: Mapping[str, Any]) -> str:
    return _word(tree, "event") or _word(tree.get("alert_info"), "alert_type")


def _word(tree: Any, key: str) -> str:
    """A short value as a word; '' when there is none."""
    value = tree.get(key) if isinstance(tree, dict) else None
    return str(value)[:LONGEST] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _tree(value: str) -> Mapping[str, Any]:
    try:
        found = read(value.encode(errors="replace"))
    except Unreadable:
        return {}
    return found if isinstance(found, dict) else {}
