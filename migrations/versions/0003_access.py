"""Users, their sessions and what they looked at.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
needs_code = "0.1.0"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IDENT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    _people()
    op.create_table(
        "sign_in_failures",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", IDENT, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    op.create_index(op.f("ix_sign_in_failures_key_at"), "sign_in_failures", ["key", "at"])
    op.create_index(op.f("ix_sign_in_failures_at"), "sign_in_failures", ["at"])
    op.create_table(
        "audit_log",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("who", IDENT, nullable=False),
        sa.Column("action", IDENT, nullable=False),
        sa.Column("target", IDENT, nullable=False),
        sa.Column("reason", IDENT, nullable=False),
        sa.Column("number", IDENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_who_id"), "audit_log", ["who", "id"])
    op.create_index(op.f("ix_audit_log_action_id"), "audit_log", ["action", "id"])


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", IDENT, nullable=False),
        sa.Column("name", IDENT, nullable=False),
        sa.Column("role", IDENT, nullable=False),
        sa.Column("numbers", IDENT, nullable=False),
        sa.Column("password", IDENT, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("disabled_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
    )
    op.create_index(op.f("uq_users_name"), "users", ["name"], unique=True)
    op.create_table(
        "sessions",
        sa.Column("session_id", IDENT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", IDENT, nullable=False),
        sa.Column("agent", IDENT, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])


def downgrade() -> None:
    for table in ("audit_log", "sign_in_failures", "sessions", "users"):
        op.drop_table(table)
