"""Finding messages: indexes for the search box.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
needs_code = "0.1.0"


IDENT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")

# On rows that are only added or that sending writes anyway; none on a column that the fold changes.
# What each costs: the first two are one more entry a send. `sends` has partial indexes on its state already,
# so the next two take no HOT update away that was one before, and have entries for a few rows only (without
# the second SQLite walks all sends for the unknown ones: the older index does not order by message_id).
# The last is empty for every status without an error, so the processor's hot path pays a test of ''.
LARGE = (
    ("ix_sends_template", "sends", ("template", "queued_at", "message_id"), "template IS NOT NULL"),
    ("ix_sends_number", "sends", ("phone_number_id", "queued_at", "message_id"), None),
    ("ix_sends_refused", "sends", ("queued_at", "message_id"), "state = 'refused'"),
    ("ix_sends_unsettled", "sends", ("queued_at", "message_id"), "state = 'unknown'"),
    ("ix_status_updates_errors", "status_updates", ("error_codes", "received_at"), "error_codes <> ''"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():  # first, so that a try that was cut off can be repeated
            for name, table, columns, condition in LARGE:
                op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
                _partial(name, table, columns, condition, postgresql_concurrently=True)
    else:  # SQLite: a commit in the middle would let another process in
        for name, table, columns, condition in LARGE:
            _partial(name, table, columns, condition)
    op.create_table(
        "strangers",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("address", IDENT, nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=True),
        sa.Column("recipient", IDENT, nullable=True),
        sa.Column("user_id", IDENT, nullable=True),
        sa.PrimaryKeyConstraint("wamid", name=op.f("pk_strangers")),
    )
    op.create_index("ix_strangers_address", "strangers", ["address"])
    op.create_index("ix_strangers_seen_at", "strangers", ["seen_at", "wamid"])
    op.create_index("ix_strangers_number", "strangers", ["phone_number_id", "seen_at", "wamid"])
    _partial("ix_strangers_recipient", "strangers", ("recipient", "seen_at"), "recipient IS NOT NULL")
    _partial("ix_strangers_user", "strangers", ("user_id", "seen_at"), "user_id IS NOT NULL")
    op.create_table(
        "known_as",
        sa.Column("name", IDENT, nullable=False),
        sa.Column("recipient", IDENT, nullable=False),
        sa.PrimaryKeyConstraint("name", "recipient", name=op.f("pk_known_as")),
    )
    op.create_table(
        "searches",
        sa.Column("search_id", IDENT, nullable=False),
        sa.Column("user_id", IDENT, nullable=False),
        sa.Column("query", IDENT, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("search_id", name=op.f("pk_searches")),
    )
    op.create_index("ix_searches_at", "searches", ["at"])


def _partial(name: str, table: str, columns: tuple[str, ...], condition: str | None, **options: bool) -> None:
    where = None if condition is None else sa.text(condition)
    op.create_index(name, table, list(columns), postgresql_where=where, sqlite_where=where, **options)


def downgrade() -> None:
    for name, table, _columns, _condition in LARGE:
        op.drop_index(name, table)
    op.drop_table("searches")
    op.drop_table("known_as")
    op.drop_table("strangers")
