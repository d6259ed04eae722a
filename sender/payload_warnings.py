"""What looks wrong in a payload and may leave all the same. Each warning is one sentence with its place."""

from collections.abc import Iterator
from typing import Any

from sender.payload_media import MEDIA
from sender.payload_problem import Path, Problem, problem
from store.templates import Translation

_UNSURE = ("PENDING", "IN_APPEAL", "FLAGGED", "LIMIT_EXCEEDED", "ARCHIVED")


def free_form(body: dict[str, Any]) -> bool:
    """Is it a message to one person that Meta delivers only within 24 hours of that person's last one?"""
    return body.get("type", "text") != "template" and body.get("recipient_type") != "group"


def warnings(body: dict[str, Any], translation: Translation | None = None) -> Iterator[Problem]:
    """`body`: a payload without problems. `translation`: what is known of its template."""
    for path in _plain_links(body):
        yield problem(path, "the link is not https; whoever is on the way can read or change the file")
    if translation is not None and translation.status in _UNSURE:
        word = translation.status.lower().replace("_", " ")
        yield problem(("template",), f"it is {word} at Meta, so Meta may refuse it")


def closed_window() -> Problem:
    return Problem(
        "",
        "The recipient has not written to this number within the last 24 hours, as far as the webhooks here"
        " tell; outside of them Meta delivers templates only and fails this message with 131047.",
    )


def _plain_links(body: dict[str, Any]) -> Iterator[Path]:
    """Links of media, wherever they stand; without recursion, and in the order of the payload."""
    waiting: list[tuple[Any, Path]] = [(body, ())]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, dict):
            link = value.get("link")
            if path and path[-1] in MEDIA and isinstance(link, str) and link.lower().startswith("http://"):
                yield (*path, "link")
            waiting.extend((value[key], (*path, str(key))) for key in reversed(value))
        elif isinstance(value, list):
            waiting.extend((value[index], (*path, index)) for index in reversed(range(len(value))))
