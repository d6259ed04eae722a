"""The fold: the receiver's columns of a message as a function of its status updates alone (law 2).

Times are the minimum of occurred_at per status. A value is that of the update with the greatest
(occurred_at, rank of status, text) among those that carry one; the error is the smallest such. Minimum and
maximum are commutative, associative and idempotent, so any order, repetition and grouping of the same
updates gives the same row. An update with an unknown status word has no effect but that its message is there.
`store/fold_sql.py` says the same in SQL, and a property test holds them together.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from store.records import StatusUpdate
from whatsapp.statuses import rank

TIMES: Mapping[str, str] = {
    "sent": "sent_at",
    "delivered": "delivered_at",
    "read": "read_at",
    "played": "played_at",
    "failed": "failed_at",
}
VALUES = ("reported_number", "recipient_id", "recipient_user_id", "callback_data", "pricing")
COLUMNS = (
    *TIMES.values(),
    "first_seen_at",
    *(name for value in VALUES for name in (value, f"{value}_order")),
    "error",
    "error_order",
)
PARTICIPANT_COLUMNS = (*TIMES.values(), "first_seen_at", "error", "error_order")
_ROW = attrgetter(*COLUMNS)


def order(update: StatusUpdate) -> int:
    """(occurred_at, rank of status) as one number."""
    return update.occurred_at * 8 + rank(update.status)


class Fold:
    """One row of `messages` or `participants` while it is being folded; attributes are the columns."""

    __slots__ = COLUMNS

    def __init__(self, columns: Mapping[str, Any] | None = None) -> None:
        # Written out: this is the innermost loop of the processor.
        self.sent_at = self.delivered_at = self.read_at = self.played_at = self.failed_at = None
        self.first_seen_at = None
        self.reported_number = self.recipient_id = self.recipient_user_id = None
        self.callback_data = self.pricing = self.error = None
        self.reported_number_order = self.recipient_id_order = self.recipient_user_id_order = None
        self.callback_data_order = self.pricing_order = self.error_order = None
        if columns:
            for name in COLUMNS:
                setattr(self, name, columns.get(name))

    def absorb(self, update: StatusUpdate, received_at: float) -> None:
        """Take one more update in; a copy of one already taken changes nothing."""
        if self.first_seen_at is None or received_at < self.first_seen_at:
            self.first_seen_at = received_at  # also of a word that nobody knows: the message is to be found
        time = TIMES.get(update.status)
        if time is None:
            return
        known = getattr(self, time)
        if known is None or update.occurred_at < known:
            setattr(self, time, update.occurred_at)
        placed = order(update)
        if update.phone_number_id is not None:
            self._offer("reported_number", "reported_number_order", update.phone_number_id, placed)
        if update.recipient_id is not None:
            self._offer("recipient_id", "recipient_id_order", update.recipient_id, placed)
        if update.recipient_user_id is not None:
            self._offer("recipient_user_id", "recipient_user_id_order", update.recipient_user_id, placed)
        if update.callback_data is not None:
            self._offer("callback_data", "callback_data_order", update.callback_data, placed)
        if update.pricing is not None:
            self._offer("pricing", "pricing_order", update.pricing, placed)
        if update.errors is not None and (
            self.error is None or (placed, update.errors) < (self.error_order, self.error)
        ):
            self.error, self.error_order = update.errors, placed

    def row(self, columns: tuple[str, ...] = COLUMNS) -> tuple[Any, ...]:
        read = _ROW if columns is COLUMNS else attrgetter(*columns)
        values: tuple[Any, ...] = read(self)
        return values

    def _offer(self, name: str, order_name: str, value: str, placed: int) -> None:
        known = getattr(self, order_name)
        if known is None or placed > known or (placed == known and value > getattr(self, name)):
            setattr(self, name, value)
            setattr(self, order_name, placed)

    # the columns, for the type checker
    sent_at: int | None
    delivered_at: int | None
    read_at: int | None
    played_at: int | None
    failed_at: int | None
    first_seen_at: float | None
    reported_number: str | None
    reported_number_order: int | None
    recipient_id: str | None
    recipient_id_order: int | None
    recipient_user_id: str | None
    recipient_user_id_order: int | None
    callback_data: str | None
    callback_data_order: int | None
    pricing: str | None
    pricing_order: int | None
    error: str | None
    error_order: Any  # int beside an error, else None


def fold(updates: Iterable[tuple[StatusUpdate, float]]) -> Fold:
    """Fold (update, received_at) pairs of one message, or of one participant of it."""
    folded = Fold()
    for update, received_at in updates:
        folded.absorb(update, received_at)
    return folded
