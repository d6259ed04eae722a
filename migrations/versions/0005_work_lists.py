"""Work lists: messages that need a look.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
needs_code = "0.1.0"


IDENT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "open_messages",
        sa.Column("kind", IDENT, nullable=False),
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "wamid", name=op.f("pk_open_messages")),
    )
    op.create_index("ix_open_messages_since", "open_messages", ["kind", "since", "wamid"])
    op.create_index("ix_open_messages_number", "open_messages", ["kind", "phone_number_id", "since", "wamid"])


def downgrade() -> None:
    op.drop_table("open_messages")
