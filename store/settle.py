"""A status that carries our own id proves that Meta took the message, whatever we believed (law 4).

First in its transaction the processor locks the sends that the statuses name and that know no wamid yet, in
any state, and makes them accepted. A second wamid for one message_id is kept as "sent twice".
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import text

from store.database import WriteTx
from store.lists import given, pairs
from store.updates import Heard, Key
from whatsapp import callback_data
from whatsapp.erased import erased_on

_ACCEPT = text(
    "UPDATE sends SET state = 'accepted', wamid = :wamid, settled_by = 'status', settled_at = :now,"
    " accepted_at = :accepted_at, refused_by = NULL, error = NULL, claim_id = NULL, lease_until = NULL,"
    " payload = CASE WHEN :keep THEN payload END WHERE message_id = :id"
)


def claims_of(by_key: Mapping[Key, Heard]) -> dict[str, dict[str, float]]:
    """message_id -> wamid -> smallest received_at, as the callback data of these updates say."""
    claims: dict[str, dict[str, float]] = {}
    for one in by_key.values():
        if one.update.callback_data is None:
            continue
        message_id, _ = callback_data.split(one.update.callback_data)
        if message_id is not None:
            wamids = claims.setdefault(message_id, {})
            known = wamids.get(one.update.wamid)
            wamids[one.update.wamid] = one.received_at if known is None else min(known, one.received_at)
    return claims


def settle(
    tx: WriteTx, claims: Mapping[str, Mapping[str, float]], now: float, *, keep_payload: bool = False
) -> list[str]:
    """Give the named sends their wamid; the message_ids that were settled, for `senders_columns.copy`."""
    settled: list[str] = []
    taken: dict[str, str] = {}
    for message_id, wamid, reported, state in _unlike(tx, claims):
        known = taken.get(message_id, wamid)
        if known is None and reported in taken.values():
            continue  # one wamid names two sends: as with one that another send owns already
        if known is None:
            accepted = {"id": message_id, "wamid": reported, "accepted_at": claims[message_id][reported]}
            tx.run(_ACCEPT, {**accepted, "now": now, "keep": keep_payload})
            settled.append(message_id)
            taken[message_id] = reported
            if state == "refused":
                _stop_repeats(tx, message_id, now, keep_payload=keep_payload)
        elif known != reported and not (erased_on(known) or erased_on(reported)):
            record_sent_twice(tx, message_id, reported, now)
    return settled


def record_sent_twice(tx: WriteTx, message_id: str, wamid: str, now: float) -> None:
    columns = "sent_twice (message_id, wamid, seen_at)"
    statement = f"INSERT INTO {columns} VALUES (:id, :wamid, :now) ON CONFLICT DO NOTHING"
    tx.run(text(statement), {"id": message_id, "wamid": wamid, "now": now})


# By the keys that store.again makes, and by the line of a list whose run is retried.
_REPEATS = (
    "SELECT again.message_id FROM sends JOIN sends AS again ON again.phone_number_id = sends.phone_number_id"
    " AND again.idempotency_key >= :low AND again.idempotency_key < :high"
    " AND again.again_of = sends.message_id",
    "SELECT again.message_id FROM sends JOIN bulk_runs ON bulk_runs.retry_of = sends.bulk_run_id"
    " JOIN sends AS again ON again.bulk_run_id = bulk_runs.bulk_run_id"
    " AND again.row_number = sends.row_number",
)


def _stop_repeats(tx: WriteTx, message_id: str, now: float, *, keep_payload: bool) -> None:
    """What a person sent again of it, because it was believed refused, and has not left: it would come twice.

    Whoever repeats one message holds its row, so none comes meanwhile; one that is being claimed right now is
    passed over, it leaves.
    """
    lock = " FOR UPDATE OF again SKIP LOCKED" if tx.postgres else ""
    keys = {"low": f"again:{message_id}:", "high": f"again:{message_id};"}
    for repeats, values in zip(_REPEATS, (keys, {}), strict=True):
        statement = (
            "UPDATE sends SET state = 'cancelled', settled_by = 'status', settled_at = :now,"
            " payload = CASE WHEN :keep THEN payload END WHERE message_id IN"
            f" ({repeats} WHERE sends.message_id = :id AND again.state = 'queued'{lock})"
        )
        tx.run(text(statement), {"id": message_id, "now": now, "keep": keep_payload, **values})


def _unlike(
    tx: WriteTx, claims: Mapping[str, Mapping[str, float]]
) -> Iterable[tuple[str, str | None, str, str]]:
    """(message_id, its wamid, the reported one, its state) where the two differ, locked, keys sorted.

    A wamid that another send owns already is left out: it would break the unique index, and can only come
    from somebody who made up our callback data.
    """
    named = [(message_id, wamid) for message_id in sorted(claims) for wamid in sorted(claims[message_id])]
    if not named:
        return []
    statement = (
        "SELECT sends.message_id, sends.wamid, pair.b AS reported, sends.state"
        f" FROM {pairs(tx, 'ids', 'wamids')}"
        " JOIN sends ON sends.message_id = pair.a"
        f" WHERE sends.wamid IS {'DISTINCT FROM' if tx.postgres else 'NOT'} pair.b"
        " AND NOT EXISTS (SELECT 1 FROM sends AS other WHERE other.wamid = pair.b)"
        " ORDER BY sends.message_id, pair.b" + (" FOR UPDATE OF sends" if tx.postgres else "")
    )
    parameters = {"ids": given(tx, [a for a, _ in named]), "wamids": given(tx, [b for _, b in named])}
    found = tx.all(text(statement), parameters)
    return [(row.message_id, row.wamid, row.reported, row.state) for row in found]
