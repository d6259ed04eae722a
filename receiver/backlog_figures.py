"""What only the database knows of receiving: measured before each scrape, the same from every process."""

from prometheus_client import CollectorRegistry, Gauge

from store import aged, backlog, partitions, worries
from store.database import ReadTx


class BacklogFigures:
    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str) -> Gauge:
            return Gauge(f"wamtrail_{name}", about, registry=registry)

        self._waiting = gauge("backlog_webhooks", "Kept webhooks that wait (counted up to 100,000).")
        self._age = gauge("backlog_age_seconds", "How long the oldest of them has waited.")
        self._quarantine = gauge("quarantine_open", "Parts that nobody understood and a person should see.")
        self._too_old = gauge("too_old_noted", "Parts of kept webhooks that were too old to make a row.")
        self._days = gauge("partition_days_ahead", "Days for which webhooks have a partition (PostgreSQL).")

    def measure(self, tx: ReadTx, now: float) -> None:
        depth = backlog.depth(tx)
        self._waiting.set(depth.waiting)
        self._age.set(
            max(0.0, now - depth.oldest_received_at) if depth.oldest_received_at is not None else 0.0
        )
        self._quarantine.set(worries.counted(tx).quarantine)
        self._too_old.set(aged.noted(tx))
        self._days.set(partitions.days_ahead(tx, now))
