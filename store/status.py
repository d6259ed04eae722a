"""Where a message stands, derived and never stored: one SQL expression and its pure twin, tested equal.

`failed` only when it reached nobody; otherwise the furthest of sent < delivered < read < played. What Meta
has said nothing about stands where the sender's state says.
"""

from collections.abc import Mapping
from typing import Any

STATUSES = (
    "queued",
    "sending",
    "unknown",
    "refused",
    "cancelled",
    "accepted",
    "sent",
    "delivered",
    "read",
    "played",
    "failed",
)
# `s` is sends, `m` is messages; either may be absent (NULL).
STATUS_SQL = """CASE
 WHEN m.played_at IS NOT NULL THEN 'played'
 WHEN m.read_at IS NOT NULL THEN 'read'
 WHEN m.delivered_at IS NOT NULL THEN 'delivered'
 WHEN m.failed_at IS NOT NULL THEN 'failed'
 WHEN m.sent_at IS NOT NULL THEN 'sent'
 WHEN m.wamid IS NOT NULL THEN 'accepted'
 WHEN s.state = 'refused' AND s.settled_by = 'person' THEN 'failed'
 ELSE s.state END"""

# Of a message to a group: 1 when one and the same member was reached and failed, else 0; NULL of any other.
MEMBER_CONFLICT_SQL = """CASE WHEN m.failed_at IS NULL THEN NULL ELSE (SELECT max(CASE WHEN
 p.failed_at IS NOT NULL AND (p.delivered_at IS NOT NULL OR p.read_at IS NOT NULL OR p.played_at IS NOT NULL)
 THEN 1 ELSE 0 END) FROM participants AS p WHERE p.wamid = m.wamid) END"""


def status(columns: Mapping[str, Any]) -> str:
    """The twin of STATUS_SQL over the five times, wamid, state and settled_by of one message."""
    for name in ("played", "read", "delivered", "failed", "sent"):
        if columns.get(f"{name}_at") is not None:
            return name
    if columns.get("wamid") is not None:
        return "accepted"
    if columns.get("state") == "refused" and columns.get("settled_by") == "person":
        return "failed"
    return str(columns["state"])


def reached(columns: Mapping[str, Any]) -> bool:
    return any(columns.get(name) is not None for name in ("delivered_at", "read_at", "played_at"))


def conflict(columns: Mapping[str, Any]) -> bool:
    """Both reached and failed were reported for one person: kept and shown. Groups: ask per participant."""
    return columns.get("failed_at") is not None and reached(columns)


def delivered_implied(columns: Mapping[str, Any]) -> bool:
    """Meta leaves `delivered` out when the message is read at once."""
    return columns.get("delivered_at") is None and reached(columns)
