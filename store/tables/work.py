"""Markers of the messages that need a look: filled by the follower `work`, off the hot paths.

Rows are inserted and deleted beside the folded rows, so that these need no index on what the fold changes.
"""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.columns import clock, ident

KINDS = ("waiting", "conflict", "unmatched")


class OpenMessage(SQLModel, table=True):
    """One message and why it is open. `phone_number_id`: '' when nobody named one."""

    __tablename__ = "open_messages"
    __table_args__ = (
        Index("ix_open_messages_since", "kind", "since", "wamid"),
        Index("ix_open_messages_number", "kind", "phone_number_id", "since", "wamid"),
    )

    kind: str = Field(sa_column=ident(primary_key=True))
    wamid: str = Field(sa_column=ident(primary_key=True))
    since: float = Field(sa_column=clock())
    phone_number_id: str = Field(sa_column=ident())
