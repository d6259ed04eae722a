"""What a command shows whole stands in the audit log, as it does for pages: written before it is printed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.database import Database


def note(database: "Database", action: str, target: str, reason: str = "", number: str = "") -> None:
    """`action`: reveal, view_body or search_number."""
    from store import audit
    from wamtrail.opening import clock

    with database.write() as tx:
        audit.record(
            tx, at=clock(), who="command", action=action, target=target, reason=reason, number=number
        )
