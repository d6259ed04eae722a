"""The customer service window, as far as inbound messages tell: 24 hours from a person's last message."""

from sqlalchemy import text

from store.database import ReadTx

OPEN_FOR = 86_400  # seconds


def seems_closed(tx: ReadTx, phone_number_id: str, recipient: str, now: float) -> bool:
    """Has this person surely not written to this number within a day?

    Only where the number's messages have been coming in here for longer than that; otherwise nobody knows.
    `recipient`: phone digits or business-scoped user id.
    """
    column = "sender_user_id" if "." in recipient else "sender_id"
    values = {"number": phone_number_id, "recipient": recipient, "since": int(now) - OPEN_FOR}
    wrote = f"SELECT 1 FROM inbound_messages WHERE {column} = :recipient AND phone_number_id = :number"
    if tx.value(text(f"{wrote} AND occurred_at > :since LIMIT 1"), values) is not None:
        return False
    known = "SELECT 1 FROM inbound_messages WHERE phone_number_id = :number AND occurred_at <= :since LIMIT 1"
    return tx.value(text(known), values) is not None
