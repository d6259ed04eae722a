"""Read receipts: same address as messages, but no recipient, and no wamid in the answer."""

from sender.payload_problem import Problem, member, problem
from sender.payload_sound import unsound


def is_read_receipt(body: object) -> bool:
    """Is it a read receipt (maybe with a typing indicator) and no message?"""
    return isinstance(body, dict) and body.get("status") == "read" and "to" not in body and "type" not in body


def check_read_receipt(body: object) -> tuple[Problem, ...]:
    """What is wrong with a read receipt."""
    problems = []
    if member(body, "messaging_product") != "whatsapp":
        problems.append(problem(("messaging_product",), 'must be "whatsapp"'))
    message_id = member(body, "message_id")
    if not isinstance(message_id, str) or not message_id:
        problems.append(problem(("message_id",), "must be the id of the message that was read"))
    return (*problems, *unsound(body))
