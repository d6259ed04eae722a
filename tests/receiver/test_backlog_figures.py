"""The figures that only the database knows."""

from prometheus_client import CollectorRegistry

from receiver.backlog_figures import BacklogFigures
from store import partitions
from store.database import Database
from store.webhooks import Incoming, keep

NOW = 1_763_800_000.0


def test_backlog_age_and_partitions_are_measured(database_url: str) -> None:
    database, registry = Database(database_url), CollectorRegistry()
    figures = BacklogFigures(registry)
    with database.write() as tx:
        partitions.ensure_ahead(tx, NOW)
        keep(tx, [Incoming(b"{}", NOW - 90), Incoming(b"{}", NOW - 30)])
    with database.read() as tx:
        figures.measure(tx, NOW)
    assert registry.get_sample_value("wamtrail_backlog_webhooks") == 2
    assert registry.get_sample_value("wamtrail_backlog_age_seconds") == 90
    assert registry.get_sample_value("wamtrail_quarantine_open") == 0
    assert registry.get_sample_value("wamtrail_partition_days_ahead") == partitions.DAYS_AHEAD
    database.close()
