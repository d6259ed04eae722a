"""Views for analysts.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.

A later migration that changes a column which a view reads drops the views first and makes them again with
the same names and columns (docs/analysts.md). JSON is read by pattern on PostgreSQL: what Meta wrote is kept
as it came, and one row that is no JSON must not make a whole view fail.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
needs_code = "0.1.0"

REACHED = "(m.delivered_at IS NOT NULL OR m.read_at IS NOT NULL OR m.played_at IS NOT NULL)"
# Of a group: a failure beside a delivery of one and the same participant.
CONFLICT = f"""(m.failed_at IS NOT NULL AND {REACHED} AND (
 NOT EXISTS (SELECT 1 FROM participants AS p WHERE p.wamid = m.wamid)
 OR EXISTS (SELECT 1 FROM participants AS p WHERE p.wamid = m.wamid AND p.failed_at IS NOT NULL
 AND (p.delivered_at IS NOT NULL OR p.read_at IS NOT NULL OR p.played_at IS NOT NULL))))"""
IMPLIED = "(m.delivered_at IS NULL AND (m.read_at IS NOT NULL OR m.played_at IS NOT NULL))"
STATUS = """CASE
 WHEN m.played_at IS NOT NULL THEN 'played'
 WHEN m.read_at IS NOT NULL THEN 'read'
 WHEN m.delivered_at IS NOT NULL THEN 'delivered'
 WHEN m.failed_at IS NOT NULL THEN 'failed'
 WHEN m.sent_at IS NOT NULL THEN 'sent'
 WHEN m.wamid IS NOT NULL THEN 'accepted'
 WHEN s.state = 'refused' AND s.settled_by = 'person' THEN 'failed'
 ELSE s.state END"""
PUBLIC = """message_id, reference, phone_number_id, type, template, language, category, bulk_run_id, state,
 status, conflict, delivered_implied, ours, queued_at, accepted_at, sent_at, delivered_at, read_at, played_at,
 failed_at, error_code, refused_by, settled_by, attempts, pricing_category, pricing_type, pricing_billable"""
VIEWS = (
    "wamtrail_messages",
    "wamtrail_messages_masked",
    "wamtrail_updates",
    "wamtrail_updates_masked",
    "wamtrail_attempts",
    "wamtrail_inbound",
    "wamtrail_inbound_masked",
    "wamtrail_daily",
)


def upgrade() -> None:
    connection = op.get_bind()
    words = Words(connection.dialect.name == "postgresql")
    made = dict(zip(VIEWS, _statements(words), strict=True))
    for name, statement in made.items():
        options = " WITH (security_barrier)" if words.postgres and name.endswith("_masked") else ""
        connection.exec_driver_sql(f"CREATE VIEW {name}{options} AS {statement}")


def downgrade() -> None:
    for name in reversed(VIEWS):
        op.get_bind().exec_driver_sql(f"DROP VIEW {name}")


class Words:
    """What the two databases say differently."""

    def __init__(self, postgres: bool) -> None:
        self.postgres = postgres

    def time(self, column: str) -> str:
        """Unix seconds as a point in time; text with milliseconds on SQLite."""
        if self.postgres:
            return f"to_timestamp({column})"
        return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column}, 'unixepoch')"

    def day(self, column: str) -> str:
        if self.postgres:
            return f"(to_timestamp({column}) AT TIME ZONE 'UTC')::date"
        return f"date({column}, 'unixepoch')"

    def flag(self, condition: str) -> str:
        """A condition over columns that may be NULL altogether: never NULL itself."""
        return f"coalesce({condition}, {'false' if self.postgres else '0'})"

    def word(self, column: str, key: str) -> str:
        if self.postgres:
            return f"""substring({column} from '"{key}":"([^"\\\\]*)"')"""
        return self._json(column, f"$.{key}")

    def code(self, column: str) -> str:
        """The first error's code as text; the column holds one error or a list of them."""
        if self.postgres:
            return f"""substring({column} from '"code":"?(-?[0-9A-Za-z_]+)')"""
        first = f"coalesce(json_extract({column}, '$[0].code'), json_extract({column}, '$.code'))"
        return f"CASE WHEN json_valid({column}) THEN CAST({first} AS TEXT) END"

    def boolean(self, column: str, key: str) -> str:
        if self.postgres:
            return f"""(substring({column} from '"{key}":(true|false)') = 'true')"""
        return self._json(column, f"$.{key}")

    def _json(self, column: str, path: str) -> str:
        return f"CASE WHEN json_valid({column}) THEN json_extract({column}, '{path}') END"


def _statements(words: Words) -> tuple[str, ...]:
    """In the order of VIEWS."""
    return (
        _messages(words),
        f"SELECT {PUBLIC} FROM wamtrail_messages",
        _updates(words),
        "SELECT message_id, phone_number_id, status, occurred_at, received_at, error_codes, pricing_category,"
        " pricing_type, pricing_billable, webhook_id FROM wamtrail_updates",
        _attempts(words),
        _inbound(words),
        "SELECT phone_number_id, type, occurred_at, received_at, is_reply, in_a_group, webhook_id"
        " FROM wamtrail_inbound",
        _daily(words),
    )


def _messages(words: Words) -> str:
    """What we were asked to send, and what strangers sent: two branches, so that each keeps its indexes."""
    columns = f"""s.message_id, coalesce(m.wamid, s.wamid) AS wamid,
 coalesce(s.reference, m.reference) AS reference,
 coalesce(s.phone_number_id, m.phone_number_id, m.reported_number) AS phone_number_id,
 coalesce(s.recipient, m.recipient, m.recipient_id) AS recipient, m.recipient_user_id,
 coalesce(s.type, m.type) AS type, coalesce(s.template, m.template) AS template, s.language, s.category,
 s.bulk_run_id, s.state, {STATUS} AS status, {words.flag(CONFLICT)} AS conflict,
 {words.flag(IMPLIED + " AND m.wamid IS NOT NULL")} AS delivered_implied,
 (s.message_id IS NOT NULL) AS ours, {words.time("coalesce(s.queued_at, m.first_seen_at)")} AS queued_at,
 {words.time("coalesce(s.accepted_at, m.accepted_at)")} AS accepted_at, {words.time("m.sent_at")} AS sent_at,
 {words.time("m.delivered_at")} AS delivered_at, {words.time("m.read_at")} AS read_at,
 {words.time("m.played_at")} AS played_at, {words.time("m.failed_at")} AS failed_at,
 coalesce({words.code("m.error")}, {words.code("s.error")}) AS error_code, s.refused_by, s.settled_by,
 s.attempts, {words.word("m.pricing", "category")} AS pricing_category,
 {words.word("m.pricing", "type")} AS pricing_type,
 {words.boolean("m.pricing", "billable")} AS pricing_billable"""
    return (
        f"SELECT {columns} FROM sends AS s LEFT JOIN messages AS m ON m.wamid = s.wamid UNION ALL"
        f" SELECT {columns} FROM messages AS m LEFT JOIN sends AS s ON s.wamid = m.wamid"
        " WHERE s.message_id IS NULL"
    )


def _updates(words: Words) -> str:
    return f"""SELECT u.wamid, m.message_id, u.participant, u.phone_number_id, u.recipient_id,
 u.recipient_user_id, u.status, {words.time("u.occurred_at")} AS occurred_at,
 {words.time("u.received_at")} AS received_at, u.error_codes,
 {words.word("u.pricing", "category")} AS pricing_category, {words.word("u.pricing", "type")} AS pricing_type,
 {words.boolean("u.pricing", "billable")} AS pricing_billable, u.webhook_id
 FROM status_updates AS u LEFT JOIN messages AS m ON m.wamid = u.wamid"""


def _attempts(words: Words) -> str:
    return f"""SELECT a.message_id, a.number, s.phone_number_id, {words.time("a.started_at")} AS started_at,
 {words.time("o.ended_at")} AS ended_at, o.ended_at - a.started_at AS seconds, o.outcome, o.http_status,
 {words.code("o.error")} AS error_code
 FROM send_attempts AS a LEFT JOIN sends AS s ON s.message_id = a.message_id
 LEFT JOIN attempt_outcomes AS o ON o.message_id = a.message_id AND o.number = a.number"""


def _inbound(words: Words) -> str:
    return f"""SELECT i.wamid, i.phone_number_id, i.sender_id, i.sender_user_id, i.group_id, i.type,
 {words.time("i.occurred_at")} AS occurred_at, {words.time("i.received_at")} AS received_at, i.replies_to,
 (i.replies_to IS NOT NULL) AS is_reply, (i.group_id IS NOT NULL) AS in_a_group, i.webhook_id
 FROM inbound_messages AS i"""


def _daily(words: Words) -> str:
    """Over the rows, by the day (UTC) on which a message was accepted, else first heard of or asked for."""
    at = "coalesce(s.accepted_at, m.accepted_at, m.sent_at, m.delivered_at, m.read_at, \
m.played_at, m.failed_at, s.queued_at, m.first_seen_at)"
    one = f"""{words.day(at)} AS day,
 coalesce(s.phone_number_id, m.phone_number_id, m.reported_number) AS phone_number_id,
 coalesce(s.template, m.template) AS template, coalesce(s.type, m.type) AS type, s.category,
 {STATUS} AS status, m.delivered_at, m.read_at, m.played_at, m.sent_at, m.failed_at, m.wamid"""
    rows = (
        f"SELECT {one} FROM sends AS s LEFT JOIN messages AS m ON m.wamid = s.wamid UNION ALL"
        f" SELECT {one} FROM messages AS m LEFT JOIN sends AS s ON s.wamid = m.wamid WHERE"
        " s.message_id IS NULL"
    )
    reached = "m.delivered_at IS NOT NULL OR m.read_at IS NOT NULL OR m.played_at IS NOT NULL"

    def times(condition: str, name: str) -> str:
        return f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END) AS {name}"

    figures = ", ".join(
        (
            "count(*) AS messages",
            times("m.wamid IS NOT NULL OR m.status = 'accepted'", "accepted"),
            times(f"m.sent_at IS NOT NULL OR {reached}", "sent"),
            times(reached, "delivered"),
            times("m.read_at IS NOT NULL OR m.played_at IS NOT NULL", "read"),
            times("m.played_at IS NOT NULL", "played"),
            times("m.status = 'failed'", "failed"),
            times("m.status = 'refused'", "refused"),
            times("m.status = 'unknown'", "unknown"),
            times("m.status = 'cancelled'", "cancelled"),
            times("m.status IN ('queued', 'sending')", "waiting"),
        )
    )
    keys = "m.day, m.phone_number_id, m.template, m.type, m.category"
    return f"SELECT {keys}, {figures} FROM ({rows}) AS m GROUP BY {keys}"
