"""The sender's figures. No label ever holds a phone number, a phone_number_id or a wamid."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from store.database import ReadTx
from store.queue import queue
from store.rates import PACE

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class SenderFigures:
    """What this process does."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """`registry` None: counted, but shown nowhere (commands that send one message)."""
        registry = registry if registry is not None else CollectorRegistry()

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"wamtrail_{name}_total", about, labels, registry=registry)

        def seconds(name: str, about: str) -> Histogram:
            return Histogram(f"wamtrail_{name}_seconds", about, buckets=_SECONDS, registry=registry)

        self.attempts = counter("send_attempts", "POSTs to the wrapper, by how they ended.", "outcome")
        self.missed = counter("send_slots_missed", "Slots missed by more than 20 ms, and dropped.")
        self.put_off = counter("send_pair_waits", "Messages put off because of their recipient's limit.")
        self.too_late = counter("send_expired", "Messages refused because they expired.")
        self.unpaid = counter("send_unpaid", "Messages refused because the balance was not enough.")
        self.brakes = counter("send_brakes", "Times that a number was slowed after it was told so.")
        self.pauses = counter("send_pauses", "Times that a number or the account was stopped.", "what")
        self.not_recorded = counter("send_outcomes_not_recorded", "Outcomes left to their lease.")
        self.leases_ended = counter("send_leases_ended", "Sends that became unknown with their lease.")
        self.failures = counter("sender_failures", "Claims that failed, by kind.", "kind")
        self.waits = seconds("send_throttle_wait", "From the claim to the slot.")
        self.posts = seconds("send_post", "One POST to the wrapper.")
        self.claim_seconds = seconds("send_claim", "One claim's transaction.")
        self.record_seconds = seconds("send_record", "One transaction that records outcomes.")
        self.record_group = Histogram(
            "wamtrail_send_record_group_size",
            "Outcomes that shared one commit.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
            registry=registry,
        )
        self.on_the_wire = Gauge("wamtrail_send_on_the_wire", "POSTs under way.", registry=registry)


class QueueFigures:
    """What the database says; `measure` before each scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str) -> Gauge:
            return Gauge(f"wamtrail_{name}", about, registry=registry)

        self._waiting = gauge("send_queue_depth", "Sends that wait (counted up to 100,000).")
        self._age = gauge("send_queue_age_seconds", "How long the oldest send that is due has been due.")
        self._sending = gauge("send_claimed", "Sends that are claimed or on the wire.")
        self._unknown = gauge("send_unknown_open", "Sends whose outcome is not known.")
        self._held = gauge("send_numbers_held", "Sending numbers that are held.")
        self._account = gauge("send_account_held", "1 while all sending is held.")
        self._twice = gauge("sent_twice", "Second wamids for one message. Must stay 0.")
        gauge("send_pace", "The share of Meta's limits that is used.").set(PACE)

    def measure(self, tx: ReadTx, now: float) -> None:
        found = queue(tx, now)
        self._waiting.set(found.waiting)
        self._age.set(max(now - found.oldest_due_at, 0.0) if found.oldest_due_at is not None else 0.0)
        self._sending.set(found.sending)
        self._unknown.set(found.unknown)
        self._held.set(found.held_numbers)
        self._account.set(int(found.account_held))
        self._twice.set(found.sent_twice)
