"""A month of messages as sending and receiving leave them, written by the database itself.

Four sending numbers, eleven templates and plain texts, four categories, three countries; of a thousand
messages 4 are refused, 2 unknown, 30 failed with one of five codes, 10 sent only, and 95 % of the rest read.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, create_engine, text

from store import engines, migrate

DAYS = 30
NUMBERS = tuple(f"10654035224292{n}" for n in range(4))
COUNTRIES = {"91": "IN", "971": "AE", "5511": "BR"}  # of the first digits
SLICE = 500_000  # messages in one transaction; PostgreSQL is given two at once

_ONE = """, drawn AS (SELECT n, n * 48271 % 65521 % 1000 AS h, n * 7919 % 10007 AS r, n % 4 AS number,
 n / 4 % 12 AS t, n / 48 % 3 AS c, n * 2654435761 % 4294967296 AS id, :start + n * :apart AS at FROM every),
one AS (SELECT n, h, at, {whole_at} AS moment, {message_id} AS message_id,
 CASE WHEN h NOT IN (0, 1, 2, 3, 4, 5) THEN 'wamid.HBgM' || {id} END AS wamid,
 '10654035224292' || number AS number, CASE WHEN t = 11 THEN 'text' ELSE 'template' END AS type,
 CASE WHEN t < 11 THEN 'template_' || t END AS template,
 CASE WHEN t < 5 THEN 'utility' WHEN t < 9 THEN 'marketing' WHEN t < 11 THEN 'authentication' ELSE 'service'
 END AS category,
 CASE c WHEN 0 THEN '9198' || {eight} WHEN 1 THEN '97150' || {seven} ELSE '55119' || {eight} END AS phone,
 CASE c WHEN 0 THEN 'IN' WHEN 1 THEN 'AE' ELSE 'BR' END AS country,
 CASE h % 5 WHEN 0 THEN 131026 WHEN 1 THEN 131047 WHEN 2 THEN 131049 WHEN 3 THEN 130472 ELSE 131053
 END AS code,
 CASE WHEN r % 40 = 0 THEN r * 6 ELSE 1 + r % 30 END AS delivery,
 CASE WHEN r % 9 = 0 THEN r * 8 ELSE 5 + r % 1800 END AS reading FROM drawn)"""
_FAILED, _SENT_ONLY = "h BETWEEN 6 AND 35", "h BETWEEN 36 AND 45"
_DELIVERED, _READ = "h > 45", "h > 45 AND h % 20 <> 0"
_ERROR = r"""'[{{"code"\:' || code || ',"title"\:"Not delivered"}}]'"""
_PRICING = (
    r"""'{{"billable"\:' || CASE WHEN type = 'text' THEN 'false' ELSE 'true' END || ',"category"\:"' ||"""
    r""" category || '","pricing_model"\:"PMP","type"\:"' ||"""
    r""" CASE WHEN type = 'text' THEN 'free_customer_service' ELSE 'regular' END || '"}}'"""
)
_SENDS = """INSERT INTO sends (message_id, phone_number_id, state, recipient_typed, recipient, type, template,
 language, category, payload_digest, reference, priority, queued_at, due_at, expires_at, attempts, wamid,
 accepted_at, refused_by, settled_by, error)
{with} SELECT message_id, number, CASE WHEN h < 4 THEN 'refused' WHEN h < 6 THEN 'unknown' ELSE 'accepted'
 END, phone, phone, type, template, CASE WHEN type = 'template' THEN 'en' END,
 CASE WHEN type = 'template' THEN category END, {digest}, 'order-' || n, 0, at, at, at + 86400, 1, wamid,
 CASE WHEN h > 5 THEN at + 0.4 END, CASE WHEN h < 4 THEN 'meta' END,
 CASE WHEN h NOT IN (4, 5) THEN 'answer' END, CASE WHEN h < 4 THEN '{{"code"\\:132001}}' END FROM one"""
_MESSAGES = f"""INSERT INTO messages (wamid, message_id, reference, phone_number_id, recipient, type,
 template, accepted_at, sent_at, delivered_at, read_at, failed_at, first_seen_at, reported_number,
 reported_number_order, recipient_id, recipient_id_order, pricing, pricing_order, error, error_order)
{{with}} SELECT wamid, message_id, 'order-' || n, number, phone, type, template, at + 0.4,
 CASE WHEN h > 35 THEN moment + 1 END, CASE WHEN {_DELIVERED} THEN moment + 1 + delivery END,
 CASE WHEN {_READ} THEN moment + 1 + delivery + reading END,
 CASE WHEN {_FAILED} THEN moment + 4 END, at + 1.5, number, (moment + 1) * 8, phone, (moment + 1) * 8,
 CASE WHEN {_DELIVERED} THEN {_PRICING} END, CASE WHEN {_DELIVERED} THEN (moment + 1 + delivery) * 8 END,
 CASE WHEN {_FAILED} THEN {_ERROR} END, CASE WHEN {_FAILED} THEN (moment + 4) * 8 END
FROM one WHERE wamid IS NOT NULL"""
_CHARGES = f"""INSERT INTO charges (wamid, message_id, amount_micro, fee_micro, kind, category, market,
 charged_on, estimated)
{{with}} SELECT wamid, message_id,
 CASE WHEN type = 'text' THEN 0 WHEN category = 'marketing' THEN 880000 ELSE 125000 END,
 CASE WHEN type = 'text' THEN 0 ELSE 10000 END, CASE WHEN type = 'text' THEN 'free' ELSE 'billable' END,
 category, country, {{day}}, false FROM one WHERE {_DELIVERED}"""
_UPDATE = """INSERT INTO status_updates (wamid, participant, status, occurred_at, error_codes,
 phone_number_id, recipient_id, errors, pricing, received_at, webhook_id, batch)
{{with}} SELECT wamid, '', '{status}', moment + {after}, {codes}, number, phone, {errors}, {pricing},
 moment + {after} + 0.5, n, 0 FROM one WHERE {which}"""
_ACCOUNT = """INSERT INTO accounts (name, currency, opened_at, credited_micro, charged_micro, held_micro,
 feed_position) SELECT '', 'INR', :start, 0, coalesce(sum(amount_micro), 0), 0, 0 FROM charges"""


def _update(
    status: str, after: str, which: str, codes: str = "''", errors: str = "NULL", pricing: str = "NULL"
) -> str:
    return _UPDATE.format(
        status=status, after=after, which=which, codes=codes, errors=errors, pricing=pricing
    )


_STATEMENTS = (
    _SENDS,
    _MESSAGES,
    _CHARGES,
    _update("sent", "1", "h > 35"),
    _update("delivered", "1 + delivery", _DELIVERED, pricing=_PRICING),
    _update("read", "1 + delivery + reading", _READ),
    _update("failed", "4", _FAILED, "CAST(code AS text)", _ERROR),
)


def fill(url: str, messages: int, days_ago: int = 0) -> None:
    """Migrate, and write that many messages of 30 days, the last `days_ago` before today (UTC), in slices."""
    migrate.upgrade(url)
    engine = create_engine(engines.normalised(url))
    postgres = engine.dialect.name == "postgresql"
    words = _POSTGRES if postgres else _SQLITE
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    values = {
        "start": (midnight - timedelta(days=DAYS + days_ago)).timestamp(),
        "apart": DAYS * 86_400 / (messages + 1),
    }

    def write(first: int) -> None:
        span = {"first": first, "last": min(first + SLICE - 1, messages)}
        began = time.monotonic()
        with engine.begin() as connection:
            for statement in _STATEMENTS:
                connection.execute(text(_whole(statement, words)), {**values, **span})
        print(f"  to {span['last']:,} messages ({time.monotonic() - began:.0f} s)", flush=True)

    with ThreadPoolExecutor(2 if postgres else 1) as pool:
        list(pool.map(write, range(1, messages + 1, SLICE)))
    with engine.begin() as connection:
        connection.execute(text(_ACCOUNT), {"start": values["start"]})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _settle(connection, postgres=postgres)
    engine.dispose()


def filled(url: str) -> int:
    """How many messages are there; 0 as well when there are no tables."""
    migrate.upgrade(url)
    engine = create_engine(engines.normalised(url))
    with engine.connect() as connection:
        found = int(connection.execute(text("SELECT count(*) FROM sends")).scalar() or 0)
    engine.dispose()
    return found


def _whole(statement: str, words: dict[str, str]) -> str:
    start = words["every"] + _ONE.format(**words)
    return statement.format(**words, **{"with": start})


def _settle(connection: Connection, *, postgres: bool) -> None:
    for statement in (
        ("VACUUM ANALYZE", "CHECKPOINT") if postgres else ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")
    ):
        connection.exec_driver_sql(statement)


_POSTGRES = {
    "every": "WITH every AS (SELECT n FROM generate_series(CAST(:first AS bigint), :last) AS n)",
    "message_id": "overlay(lpad(to_hex(floor(at * 1000)::bigint), 12, '0') placing '-' from 9 for 0)"
    " || '-7000-8000-' || lpad(to_hex(n), 12, '0')",
    "id": "lpad(to_hex(id), 8, '0')",
    "whole_at": "floor(at)::bigint",
    "seven": "lpad((n / 10)::text, 7, '0')",
    "eight": "lpad((n / 10)::text, 8, '0')",
    "digest": r"'\x00'::bytea",
    "day": "to_char(to_timestamp(moment + 1 + delivery) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}
_SQLITE = {
    "every": "WITH RECURSIVE every(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM every WHERE n < :last)",
    "message_id": "substr(printf('%012x', CAST(at * 1000 AS integer)), 1, 8) || '-' ||"
    " substr(printf('%012x', CAST(at * 1000 AS integer)), 9) || '-7000-8000-' || printf('%012x', n)",
    "id": "printf('%08x', id)",
    "whole_at": "CAST(at AS integer)",
    "seven": "printf('%07d', n / 10)",
    "eight": "printf('%08d', n / 10)",
    "digest": "x'00'",
    "day": "date(moment + 1 + delivery, 'unixepoch')",
}
