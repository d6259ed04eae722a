"""A repeat that a person asked for: made of what is kept of the first, checked and gated like any other."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

from sender.desk import Desk
from sender.intake import Taken
from store import again
from store.again import Original
from store.database import WriteTx, is_transient
from store.errors import Refused
from store.sends import Submitted


async def send_again(desk: Desk, message_id: str, number: int, noted: Callable[[WriteTx, str], None]) -> str:
    """The message_id of the repeat, which `run sender` posts. Raises store.errors.Refused, DatabaseAway.

    `noted` writes into the audit log in the same transaction: there is no repeat without its entry.
    """

    def look() -> tuple[Original | None, str | None]:
        with desk.database.read() as tx:
            known = [one.message_id for one in again.repeats(tx, message_id) if one.number == number]
            return again.original(tx, message_id), known[0] if known else None

    first, known = await asyncio.to_thread(look)
    if known is not None:
        return known
    if first is None or first.payload is None:
        raise Refused(f"Its content is gone: it is not kept once a message is final. {again.KEEP_IT}")
    taken = await _taken(desk, first, number)
    new = replace(taken.new, again_of=message_id, recipient_typed=first.recipient_typed)

    def submit() -> Submitted:
        with desk.database.write() as tx:
            found = again.submit(tx, new, number, desk.clock())
            if found.created:
                noted(tx, found.message_id)
            return found

    for tries in range(5):
        try:
            found = await asyncio.to_thread(submit)
            break
        except Exception as problem:
            if tries == 4 or not is_transient(problem):
                raise
    if found.created:
        desk.queued()
    return found.message_id


async def _taken(desk: Desk, first: Original, number: int) -> Taken:
    """Its own id goes with it, the caller's part of the callback data stays."""
    assert first.payload is not None
    body = json.loads(first.payload)
    body.pop("biz_opaque_callback_data", None)
    if first.callback_data is not None:
        body["biz_opaque_callback_data"] = first.callback_data
    return await desk.taken(
        body,
        first.phone_number_id,
        reference=first.reference,
        idempotency_key=again.key(first.message_id, number),
        valid_for=first.valid_for,
        priority=0,
    )
