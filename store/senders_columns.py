"""The sender's columns of `messages`: copied from the accepted send, and never touched by the receiver."""

from collections.abc import Sequence

from sqlalchemy import text

from store.database import WriteTx
from store.lists import among, given

_COLUMNS = ("message_id", "reference", "phone_number_id", "recipient", "type", "template", "accepted_at")


def copy(tx: WriteTx, message_ids: Sequence[str]) -> None:
    """Upsert them for these accepted sends. A status may have made the row already, or may come later."""
    if not message_ids:
        return
    statement = (
        f"INSERT INTO messages (wamid, {', '.join(_COLUMNS)})"
        f" SELECT wamid, {', '.join(_COLUMNS)} FROM sends"
        f" WHERE message_id {among(tx, 'ids')} AND wamid IS NOT NULL ORDER BY wamid"
        f" ON CONFLICT (wamid) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS)}"
    )
    tx.run(text(statement), {"ids": given(tx, sorted(message_ids))})
