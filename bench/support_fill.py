"""Millions of messages as sending and receiving leave them, written by the database itself."""

import time
from collections.abc import Sequence

from sqlalchemy import create_engine, text

from store import engines, migrate

NUMBER = "106540352242922"
PHONE, REFERENCE, WAMID = "9198{:08d}", "order-{}", "wamid.HBgM{}"
APART = 0.5  # seconds between two
OPEN, FAILED, UNKNOWN, STRANGE = 997, 211, 100_003, 1_009  # one in so many

_SENDS = """INSERT INTO sends (message_id, phone_number_id, state, recipient_typed, recipient, type, template,
 language, payload_digest, reference, priority, queued_at, due_at, expires_at, attempts, wamid, accepted_at,
 settled_by)
SELECT {uuid}, :number, CASE WHEN n % :unknown = 0 THEN 'unknown' ELSE 'accepted' END, {phone}, {phone},
 'template',
 CASE WHEN n % 3 = 0 THEN 'order_update' ELSE 'reminder' END, 'en', {digest}, 'order-' || n, 0,
 :start + n * :apart, :start + n * :apart, :start + n * :apart + 86400, 1,
 CASE WHEN n % :unknown = 0 THEN NULL ELSE 'wamid.HBgM' || n END,
 CASE WHEN n % :unknown = 0 THEN NULL ELSE :start + n * :apart + 0.4 END,
 CASE WHEN n % :unknown = 0 THEN NULL ELSE 'answer' END
FROM every"""
_MESSAGES = """INSERT INTO messages (wamid, message_id, reference, phone_number_id, recipient, type, template,
 accepted_at, sent_at, delivered_at, read_at, failed_at, first_seen_at, reported_number,
 reported_number_order, recipient_id, recipient_id_order)
SELECT 'wamid.HBgM' || n, {uuid}, 'order-' || n, :number, {phone}, 'template',
 CASE WHEN n % 3 = 0 THEN 'order_update' ELSE 'reminder' END, :start + n * :apart + 0.4, {at} + 1,
 CASE WHEN n % :open = 0 OR (n % :failed = 0 AND n % 10 <> 0) THEN NULL ELSE {at} + 3 END,
 CASE WHEN n % :open = 0 OR n % :failed = 0 OR n % 2 = 0 THEN NULL ELSE {at} + 60 END,
 CASE WHEN n % :failed = 0 THEN {at} + 4 END, :start + n * :apart + 1.5, :number, ({at} + 1) * 8,
 {phone}, ({at} + 1) * 8
FROM every WHERE n % :unknown <> 0"""
_UPDATE = """INSERT INTO status_updates (wamid, participant, status, occurred_at, error_codes,
 phone_number_id, recipient_id, errors, received_at, webhook_id, batch)
SELECT 'wamid.HBgM' || n, '', '{status}', {{at}} + {after}, {codes}, :number, {{phone}}, {errors},
 :start + n * :apart + {after}.5, n, n / 1000 + 1
FROM every WHERE n % :unknown <> 0 AND {which}"""
_ERROR = r"""'[{{"code"\:131026,"title"\:"Message undeliverable"}}]'"""
_DELIVERED = "n % :open <> 0 AND n % :failed <> 0"


def _update(status: str, after: int, which: str, codes: str = "''", errors: str = "NULL") -> str:
    return _UPDATE.format(status=status, after=after, which=which, codes=codes, errors=errors)


_UPDATES = (
    _update("sent", 1, "n % :failed <> 0"),
    _update("delivered", 3, _DELIVERED),
    _update("read", 60, f"{_DELIVERED} AND n % 2 <> 0"),
    _update("failed", 4, "n % :failed = 0", "'131026'", _ERROR),
)
_WAITING = """INSERT INTO open_messages (kind, wamid, since, phone_number_id)
SELECT 'waiting', 'wamid.HBgM' || n, :start + n * :apart + 0.4, :number
FROM every WHERE n % :open = 0 AND n % :unknown <> 0 AND n % :failed <> 0"""
_CONFLICTS = """INSERT INTO open_messages (kind, wamid, since, phone_number_id)
SELECT 'conflict', 'wamid.HBgM' || n, :start + n * :apart + 4, :number
FROM every WHERE n % :failed = 0 AND n % :unknown <> 0 AND n % 10 = 0"""
_STRANGE_MESSAGES = """INSERT INTO messages (wamid, sent_at, first_seen_at, reported_number,
 reported_number_order, recipient_id, recipient_id_order)
SELECT 'wamid.strange' || n, {at} + 1, :start + n * :apart + 1.5, :number, ({at} + 1) * 8, {phone},
 ({at} + 1) * 8 FROM every WHERE n % :strange = 0"""
_STRANGERS = """INSERT INTO strangers (wamid, address, seen_at, phone_number_id, recipient)
SELECT 'wamid.strange' || n, 'w-' || n, :start + n * :apart + 1.5, :number, {phone}
FROM every WHERE n % :strange = 0"""
_UNMATCHED = """INSERT INTO open_messages (kind, wamid, since, phone_number_id)
SELECT 'unmatched', 'wamid.strange' || n, :start + n * :apart + 1.5, :number
FROM every WHERE n % :strange = 0"""
_QUARANTINE = """INSERT INTO quarantine (digest, pointer, reason, part, received_at, webhook_id)
SELECT {bytes}, '/entry/0/changes/0/value/statuses/0', 'a status without an id', '{{}}',
 :start + n * :apart, n FROM every WHERE n % :strange = 0"""
_SUPPRESSED = """INSERT INTO suppressions (identity, category, stopped, occurred_at, source)
SELECT {phone}, 'marketing_messages', true, {at}, 'meta' FROM every WHERE n % 500 = 0"""
_STATEMENTS = (
    *(_SENDS, _MESSAGES, *_UPDATES, _WAITING, _CONFLICTS),
    *(_STRANGE_MESSAGES, _STRANGERS, _UNMATCHED, _QUARANTINE, _SUPPRESSED),
)


def message_id(n: int) -> str:
    return f"01900000-0000-7000-8000-{n:012x}"


def fill(url: str, messages: int) -> None:
    """Migrate, and write that many messages with their sends and status updates, and what the lists hold."""
    migrate.upgrade(url)
    engine = create_engine(engines.normalised(url))
    postgres = engine.dialect.name == "postgresql"
    words = _POSTGRES if postgres else _SQLITE
    values = {
        "number": NUMBER,
        "start": time.time() - messages * APART,
        "apart": APART,
        "unknown": UNKNOWN,
        "open": OPEN,
        "failed": FAILED,
        "strange": STRANGE,
        "messages": messages,
    }
    with engine.begin() as connection:
        for statement in _STATEMENTS:
            connection.execute(text(words["every"].format(statement.format(**words))), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in _settling(postgres=postgres):
            connection.exec_driver_sql(statement)
    engine.dispose()


def _settling(*, postgres: bool) -> Sequence[str]:
    return ("VACUUM ANALYZE", "CHECKPOINT") if postgres else ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)")


_POSTGRES = {
    "every": "WITH every AS (SELECT n FROM generate_series(1, :messages) AS n) {}",
    "uuid": "'01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0')",
    "phone": "'9198' || lpad((n / 10)::text, 8, '0')",
    "digest": r"'\x00'::bytea",
    "bytes": "sha256(n::text::bytea)",
    "at": "floor(:start + n * :apart)::bigint",
}
_SQLITE = {
    "every": "WITH RECURSIVE every(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM every WHERE n < :messages) {}",
    "uuid": "'01900000-0000-7000-8000-' || printf('%012x', n)",
    "phone": "'9198' || printf('%08d', n / 10)",
    "digest": "x'00'",
    "bytes": "CAST('d' || n AS blob)",
    "at": "CAST(:start + n * :apart AS integer)",
}
