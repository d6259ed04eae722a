"""What retention leaves behind: the sum of charges whose rows are gone, and what was too old to make a row.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
needs_code = "0.1.0"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("charged_gone_micro", BIG, server_default="0", nullable=False))
    op.create_table(
        "too_old",
        sa.Column("webhook_id", BIG, autoincrement=False, nullable=False),
        sa.Column("statuses", BIG, nullable=False),
        sa.Column("inbound", BIG, nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_too_old")),
    )


def downgrade() -> None:
    op.drop_table("too_old")
    op.drop_column("accounts", "charged_gone_micro")
