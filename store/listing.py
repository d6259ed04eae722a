"""What lists of messages are made of: a row's columns, and where a page begins. See store/search.py."""

from dataclasses import dataclass

from store import status


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: after this time and key."""

    at: float
    key: str


COLUMNS = f"""s.message_id, m.wamid AS message_wamid, s.wamid, s.state, s.settled_by, s.refused_by,
 s.message_status, s.callback_data, s.error AS send_error, s.queued_at,
 coalesce(s.accepted_at, m.accepted_at) AS accepted_at, coalesce(s.reference, m.reference) AS reference,
 coalesce(s.phone_number_id, m.phone_number_id, m.reported_number) AS phone_number_id,
 coalesce(s.recipient, m.recipient, m.recipient_id) AS recipient, m.recipient_user_id,
 coalesce(s.type, m.type) AS type, coalesce(s.template, m.template) AS template,
 m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at, m.error AS message_error, m.pricing,
 m.callback_data AS reported_callback_data, {status.STATUS_SQL} AS status"""
