"""What a receiver process counts, for /metrics. One registry a process; names stay once they are out."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class DoorFigures:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "wamtrail_door_answers_total", "Webhook POSTs by HTTP status.", ["status"], registry=registry
        )
        self.answer_seconds = Histogram(
            "wamtrail_door_answer_seconds",
            "From the request's head to the answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.signature_failures = Counter(
            "wamtrail_door_signature_failures_total",
            "Refused signatures by reason.",
            ["reason"],
            registry=registry,
        )
        self.secret_used = Counter(
            "wamtrail_door_secret_used_total",
            "Kept webhooks by the secret that matched.",
            ["secret"],
            registry=registry,
        )
        self.held_bytes = Gauge(
            "wamtrail_door_held_bytes", "Bytes of bodies held in memory.", registry=registry
        )
        self.held_requests = Gauge(
            "wamtrail_door_held_requests", "Requests being read or kept.", registry=registry
        )
        self.group_size = Histogram(
            "wamtrail_keep_group_size",
            "Webhooks that shared one commit.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "wamtrail_keep_commit_seconds", "One group's transaction.", buckets=_SECONDS, registry=registry
        )
        self.commit_failures = Counter(
            "wamtrail_keep_failures_total", "Groups that failed, by kind.", ["kind"], registry=registry
        )
        self._by_status: dict[int, Counter] = {}  # looking a label up costs more than counting
        self._by_secret: dict[str, Counter] = {}

    def answered(self, status: int, seconds: float) -> None:
        if (answers := self._by_status.get(status)) is None:
            answers = self._by_status[status] = self.answers.labels(str(status))
        answers.inc()
        self.answer_seconds.observe(seconds)

    def matched(self, secret: str) -> None:
        if (used := self._by_secret.get(secret)) is None:
            used = self._by_secret[secret] = self.secret_used.labels(secret)
        used.inc()


class ProcessorFigures:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.webhooks = Counter("wamtrail_processed_webhooks_total", "Webhooks processed.", registry=registry)
        self.updates = Counter(
            "wamtrail_status_updates_total",
            "Status updates read, new or repeated.",
            ["kind"],
            registry=registry,
        )
        self.settled = Counter(
            "wamtrail_settled_by_status_total",
            "Sends settled by a status that carries our id.",
            registry=registry,
        )
        self.quarantined = Counter(
            "wamtrail_quarantined_total", "Parts put in quarantine.", registry=registry
        )
        self.too_old = Counter(
            "wamtrail_too_old_total",
            "Statuses and inbound messages older than the age of message rows, which made no row.",
            ["kind"],
            registry=registry,
        )
        self.failures = Counter(
            "wamtrail_processor_failures_total", "Runs that failed, by kind.", ["kind"], registry=registry
        )
        self.lag_seconds = Gauge(
            "wamtrail_processor_lag_seconds",
            "Age of the oldest webhook of the newest run.",
            registry=registry,
        )
        self.run_seconds = Histogram(
            "wamtrail_processor_run_seconds", "One run's transaction.", buckets=_SECONDS, registry=registry
        )
