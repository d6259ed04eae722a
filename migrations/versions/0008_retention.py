"""Retention: what it needs to know of what it removed.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
needs_code = "0.1.0"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
