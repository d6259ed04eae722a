"""Whoever follows the feed remembers how far; a message that was sent again tells of the first.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
needs_code = "0.1.0"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IDENT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "followers",
        sa.Column("name", IDENT, nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_followers")),
    )
    op.add_column("sends", sa.Column("again_of", IDENT, nullable=True))


def downgrade() -> None:
    op.drop_column("sends", "again_of")
    op.drop_table("followers")
