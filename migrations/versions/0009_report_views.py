"""Views for analysts that agree with the reports, and histograms that are quicker to add up.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.

`wamtrail_daily` keeps its name and columns and is read from the buckets from now on.
"""

import importlib

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
needs_code = "0.1.0"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IDENT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
PLAYED = "b.played"
READ = f"b.read + {PLAYED}"
DELIVERED = f"b.delivered + {READ}"
SENT = f"b.sent + {DELIVERED}"
ACCEPTED = f"b.accepted + {SENT} + b.failed"
TOTAL = f"{ACCEPTED} + b.queued + b.sending + b.unknown + b.refused + b.cancelled"
# The columns of the delivery report, in its order; shares are left to who asks.
REPORT = (
    ("total", TOTAL),
    ("accepted", ACCEPTED),
    ("sent", SENT),
    ("delivered", DELIVERED),
    ("delivered_implied", "b.implied"),
    ("read", READ),
    ("played", PLAYED),
    ("failed", "b.failed"),
    ("refused", "b.refused"),
    ("unknown", "b.unknown"),
    ("cancelled", "b.cancelled"),
    ("waiting", "b.queued + b.sending + b.accepted"),
    ("sent_only", "b.sent"),
    ("delivered_only", "b.delivered"),
    ("read_only", "b.read"),
    ("conflicts", "b.conflicts"),
    ("strangers", "b.strangers"),
)
# The columns that wamtrail_daily has had before.
DAILY = (
    ("messages", TOTAL),
    *((name, figure) for name, figure in REPORT[1:4]),
    *((name, figure) for name, figure in REPORT[5:11]),
    ("waiting", "b.queued + b.sending"),
)


def upgrade() -> None:
    op.add_column("report_buckets", sa.Column("steps", IDENT, nullable=True))
    op.create_table(
        "report_latency",
        sa.Column("day", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("part", IDENT, nullable=False),
        sa.Column("value", IDENT, nullable=False),
        sa.Column("refreshes", BIG, nullable=False),
        sa.Column("steps", IDENT, nullable=False),
        sa.PrimaryKeyConstraint("day", "phone_number_id", "part", "value", name=op.f("pk_report_latency")),
    )
    daily = _view(("template", "type", "category"), DAILY)
    _replace("wamtrail_daily", daily)
    groups = ("template", "country", "category", "type")
    op.get_bind().exec_driver_sql(f"CREATE VIEW wamtrail_report_daily AS {_view(groups, REPORT)}")


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP VIEW wamtrail_report_daily")
    before = importlib.import_module("migrations.versions.0007_views")
    _replace("wamtrail_daily", before._daily(before.Words(_postgres())))
    op.drop_table("report_latency")
    op.drop_column("report_buckets", "steps")


def _view(groups: tuple[str, ...], figures: tuple[tuple[str, str], ...]) -> str:
    """Sums of buckets; what is not known is NULL rather than ''."""
    keys = ", ".join(f"nullif(b.{name}, '') AS {name}" for name in ("phone_number_id", *groups))
    day = "CAST(b.day AS date)" if _postgres() else "b.day"
    sums = ", ".join(f"CAST(sum({figure}) AS BIGINT) AS {name}" for name, figure in figures)
    by = ", ".join(f"b.{name}" for name in ("day", "phone_number_id", *groups))
    return f"SELECT {day} AS day, {keys}, {sums} FROM report_buckets AS b GROUP BY {by}"


def _replace(name: str, statement: str) -> None:
    """With its grants, where the database has any."""
    if _postgres():
        op.get_bind().exec_driver_sql(f"CREATE OR REPLACE VIEW {name} AS {statement}")
        return
    op.get_bind().exec_driver_sql(f"DROP VIEW {name}")
    op.get_bind().exec_driver_sql(f"CREATE VIEW {name} AS {statement}")


def _postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"
