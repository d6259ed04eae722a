"""Figures by sending number and day.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
needs_code = "0.1.0"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IDENT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    _report_buckets()
    _report_costs()
    _report_days()
    _dirty_buckets()
    _dirty_messages()
    _report_strangers()
    _report_state()


def _report_buckets() -> None:
    op.create_table(
        "report_buckets",
        sa.Column("day", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("template", IDENT, nullable=False),
        sa.Column("country", IDENT, nullable=False),
        sa.Column("category", IDENT, nullable=False),
        sa.Column("type", IDENT, nullable=False),
        sa.Column("run", IDENT, nullable=False),
        sa.Column("queued", BIG, nullable=False),
        sa.Column("sending", BIG, nullable=False),
        sa.Column("unknown", BIG, nullable=False),
        sa.Column("refused", BIG, nullable=False),
        sa.Column("cancelled", BIG, nullable=False),
        sa.Column("accepted", BIG, nullable=False),
        sa.Column("sent", BIG, nullable=False),
        sa.Column("delivered", BIG, nullable=False),
        sa.Column("read", BIG, nullable=False),
        sa.Column("played", BIG, nullable=False),
        sa.Column("failed", BIG, nullable=False),
        sa.Column("implied", BIG, nullable=False),
        sa.Column("conflicts", BIG, nullable=False),
        sa.Column("strangers", BIG, nullable=False),
        sa.Column("errors", IDENT, nullable=False),
        sa.Column("latency", IDENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "day",
            "phone_number_id",
            "template",
            "country",
            "category",
            "type",
            "run",
            name=op.f("pk_report_buckets"),
        ),
    )


def _report_costs() -> None:
    op.create_table(
        "report_costs",
        sa.Column("day", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("charged_on", IDENT, nullable=False),
        sa.Column("template", IDENT, nullable=False),
        sa.Column("country", IDENT, nullable=False),
        sa.Column("category", IDENT, nullable=False),
        sa.Column("type", IDENT, nullable=False),
        sa.Column("run", IDENT, nullable=False),
        sa.Column("kind", IDENT, nullable=False),
        sa.Column("said", IDENT, nullable=False),
        sa.Column("messages", BIG, nullable=False),
        sa.Column("estimated", BIG, nullable=False),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("estimated_micro", BIG, nullable=False),
        sa.Column("fee_micro", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "day",
            "phone_number_id",
            "charged_on",
            "template",
            "country",
            "category",
            "type",
            "run",
            "kind",
            "said",
            name=op.f("pk_report_costs"),
        ),
    )
    op.create_index("ix_report_costs_charged_on", "report_costs", ["charged_on"])


def _report_days() -> None:
    op.create_table(
        "report_days",
        sa.Column("day", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("zone", IDENT, nullable=False),
        sa.Column("refreshed_at", sa.Double(), nullable=False),
        sa.Column("not_before", sa.Double(), nullable=False),
        sa.Column("refreshes", BIG, nullable=False),
        sa.Column("unfinished", BIG, nullable=False),
        sa.Column("late", BIG, nullable=False),
        sa.PrimaryKeyConstraint("day", "phone_number_id", name=op.f("pk_report_days")),
    )


def _dirty_buckets() -> None:
    op.create_table(
        "dirty_buckets",
        sa.Column("day", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("waiting", BIG, nullable=False),
        sa.PrimaryKeyConstraint("day", "phone_number_id", name=op.f("pk_dirty_buckets")),
    )
    op.create_index("ix_dirty_buckets_due_at", "dirty_buckets", ["due_at"])


def _dirty_messages() -> None:
    op.create_table(
        "dirty_messages",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("marks", BIG, nullable=False),
        sa.PrimaryKeyConstraint("wamid", name=op.f("pk_dirty_messages")),
    )


def _report_strangers() -> None:
    op.create_table(
        "report_strangers",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("wamid", name=op.f("pk_report_strangers")),
    )
    op.create_index("ix_report_strangers_number", "report_strangers", ["phone_number_id", "seen_at", "wamid"])


def _report_state() -> None:
    op.create_table(
        "report_state",
        sa.Column("name", IDENT, nullable=False),
        sa.Column("zone", IDENT, nullable=False),
        sa.Column("sends_through", sa.Double(), nullable=False),
        sa.Column("sealed_before", IDENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_report_state")),
    )


def downgrade() -> None:
    for table in (
        "report_state",
        "report_strangers",
        "dirty_messages",
        "dirty_buckets",
        "report_days",
        "report_costs",
        "report_buckets",
    ):
        op.drop_table(table)
