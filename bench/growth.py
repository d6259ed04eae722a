"""Does it stay as fast with many messages there already?"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from bench import contenders, table
from bench.machine import Server
from bench.measure import Measured, measure, warm
from store import migrate

MESSAGES = 10_000_000
SECONDS = 8

# As the fold leaves a message that was read; ids scattered over the index as real ones are.
_FILL = """
INSERT INTO messages (wamid, sent_at, delivered_at, read_at, first_seen_at, reported_number,
                      reported_number_order, recipient_id, recipient_id_order, pricing, pricing_order)
SELECT 'wamid.' || translate(encode(sha256(n::text::bytea), 'base64'), E'\\n', ''),
       1750000000 + n / 100, 1750000002 + n / 100, 1750000060 + n / 100, 1750000000.5 + n / 100,
       '106540352242922', placed, '9198' || n, placed,
       '{"billable":true,"category":"utility","pricing_model":"PMP","type":"regular"}', placed
FROM (SELECT n, (1750000060 + n / 100) * 8::bigint + 3 AS placed FROM generate_series(1, %s) AS n) AS every
"""


def report(server: Server, folder: Path, bodies: Path, rounds: int) -> None:
    """Empty and full in turn, in one run, `rounds` times; the ratio of what was processed."""
    with _filled(server) as full:
        for _ in range(rounds):
            table.head(1)
            empty = _measured(contenders.ours_on_postgres(server.database), folder, bodies)
            table.row("empty", empty, None)
            grown = _measured(
                contenders.ours_on_postgres(lambda: contextlib.nullcontext(full)), folder, bodies
            )
            table.row(f"{MESSAGES:,} messages", grown, None)
            assert grown.processed is not None
            assert empty.processed is not None
            print(f"processed with {MESSAGES:,} messages: {grown.processed / empty.processed:.2f} of empty")
            with psycopg.connect(full, autocommit=True) as connection:
                connection.execute("TRUNCATE status_updates, webhooks, webhook_backlog")
                connection.execute("DELETE FROM messages WHERE sent_at >= 1760000000")


@contextlib.contextmanager
def _filled(server: Server) -> Iterator[str]:
    with server.database() as url:
        migrate.upgrade(url)
        began = time.monotonic()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_FILL, (MESSAGES,))
            connection.execute("VACUUM ANALYZE messages")
            connection.execute("CHECKPOINT")
        print(f"filled with {MESSAGES:,} messages in {time.monotonic() - began:.0f} s")
        yield url


def _measured(start: contenders.Start, folder: Path, bodies: Path) -> Measured:
    with start(folder) as running:
        warm(running, folder / "warm")
        return measure(running, bodies, 1, SECONDS)
