"""Lists that are sent as a whole: each run, and the rows of its list that could not be taken in."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from store.tables.columns import blob, clock, ident, integer, text, where

RUN_STATES = ("preparing", "running", "paused", "cancelled", "done")


class BulkRun(SQLModel, table=True):
    """One list on its way. Its rows are in `sends`, and are claimed only while it is preparing or running."""

    __tablename__ = "bulk_runs"
    __table_args__ = (
        CheckConstraint(f"state IN {RUN_STATES}", name="state"),
        Index("uq_bulk_runs_list", "digest", "repetition", unique=True),
        Index("ix_bulk_runs_open", "phone_number_id", **where("state IN ('preparing', 'running')")),
        Index("ix_bulk_runs_created_at", "created_at"),
        Index("ix_bulk_runs_retry_of", "retry_of", **where("retry_of IS NOT NULL")),
    )

    bulk_run_id: str = Field(sa_column=ident(primary_key=True))
    name: str = Field(sa_column=text())  # of the file
    path: str = Field(sa_column=text())  # where it lay, to go on with it
    digest: bytes = Field(sa_column=blob())  # of the list's bytes, number, template and what it retries
    repetition: int = Field(sa_column=integer())  # 0; more when the same list was sent anew on purpose
    phone_number_id: str = Field(sa_column=ident())
    template: str | None = Field(sa_column=ident(nullable=True))
    language: str | None = Field(sa_column=ident(nullable=True))
    valid_for: float | None = Field(sa_column=clock(nullable=True))  # seconds; null is the default
    retry_of: str | None = Field(sa_column=ident(nullable=True))  # the run whose refused rows these are
    retry_all: bool
    state: str = Field(sa_column=ident())
    read_to: int = Field(sa_column=integer())  # the list is taken in up to this line
    valid: int = Field(sa_column=integer())  # rows in `sends`
    invalid: int = Field(sa_column=integer())  # rows in `bulk_problems`
    created_at: float = Field(sa_column=clock())
    loaded_at: float | None = Field(sa_column=clock(nullable=True))  # taken in to its end
    finished_at: float | None = Field(sa_column=clock(nullable=True))


class BulkProblem(SQLModel, table=True):
    """A row that was not taken in, and why: kept, because what a gate said cannot be asked again later."""

    __tablename__ = "bulk_problems"

    bulk_run_id: str = Field(sa_column=ident(primary_key=True))
    row_number: int = Field(sa_column=integer(primary_key=True, autoincrement=False))  # line of the file
    kind: str = Field(sa_column=ident())  # list, template, recipient: what has to change
    recipient_typed: str = Field(sa_column=text())
    reference: str | None = Field(sa_column=ident(nullable=True))
    reason: str = Field(sa_column=text())
