"""Takes a message in as far as a row: checked against itself and against what the database knows of its
template, its number and its recipient, with what looks wrong but does not stop it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sender.payload_envelope import recipient_key
from sender.payload_problem import Problem, member
from sender.payload_template_check import translation_of
from sender.payload_warnings import closed_window, free_form, warnings
from sender.prepare import Refused, prepare
from store import gates, numbers, sends, templates, windows
from store.database import ReadTx
from store.records import NewSend
from store.templates import Translation


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that may be handed to `Single.send` or `sends.submit`, and the warnings about it."""

    new: NewSend
    warnings: tuple[Problem, ...] = ()


def take(
    tx: ReadTx,
    body: object,
    *,
    phone_number_id: str,
    message_id: str,
    now: float,
    reference: str | None = None,
    idempotency_key: str | None = None,
    valid_for: float | None = None,
    priority: int = 0,
    default_country: str | None = None,
) -> Taken:
    """`prepare` with the template's definition, the number's own default country, the gates, and warnings.

    Raises sender.prepare.Refused with every problem at once. The gates are asked again where the row is
    written (`store.sends.submit`). What repeats an idempotency key is not asked: it hears the first result.
    """
    number = phone_number_id if storable(phone_number_id) else ""
    repeat = storable(idempotency_key) and sends.same_key(tx, number, idempotency_key) is not None
    name = member(member(body, "template"), "name")
    known = templates.translations(tx, number, name) if storable(name) and not repeat else ()
    new = prepare(
        body,
        phone_number_id=phone_number_id,
        message_id=message_id,
        now=now,
        reference=reference,
        idempotency_key=idempotency_key,
        valid_for=valid_for,
        priority=priority,
        default_country=numbers.standing(tx, [number])[number].default_country or default_country,
        known=known,
    )
    assert isinstance(body, dict)  # prepare refuses anything else
    return Taken(new) if repeat else Taken(new, tuple(_looked_at(tx, body, new, known, now)))


def _looked_at(
    tx: ReadTx, body: dict[str, Any], new: NewSend, known: Sequence[Translation], now: float
) -> Iterator[Problem]:
    """Raises Refused when a gate is shut; the warnings when none is."""
    verdict = gates.verdicts(tx, [new])[0]
    if verdict.error is not None:
        place = "template" if verdict.about == "template" else recipient_key(body)
        raise Refused((Problem(f"/{place}", gates.sentence(verdict.error)),))
    yield from warnings(body, translation_of(body, known))
    if free_form(body) and windows.seems_closed(tx, new.phone_number_id, new.recipient, now):
        yield closed_window()


def storable(value: object) -> TypeGuard[str]:
    """A text that a database can be asked for."""
    return (
        isinstance(value, str)
        and "\0" not in value
        and not any("\ud800" <= sign < "\ue000" for sign in value)
    )
