"""The first tables.

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
needs_code = "0.1.0"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IDENT = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
DAY = 86_400


def upgrade() -> None:
    op.create_table(
        "account_events",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("entry_id", IDENT, nullable=False),
        sa.Column("field", IDENT, nullable=False),
        sa.Column("kind", IDENT, nullable=False),
        sa.Column("occurred_at", BIG, nullable=True),
        sa.Column("value", IDENT, nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("webhook_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_account_events")),
    )
    op.create_index("ix_account_events_field", "account_events", ["field", "received_at"], unique=False)
    op.create_index("ix_account_events_webhook_id", "account_events", ["webhook_id"], unique=False)

    op.create_table(
        "accounts",
        sa.Column("name", IDENT, nullable=False),
        sa.Column("currency", IDENT, nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("credited_micro", BIG, nullable=False),
        sa.Column("charged_micro", BIG, nullable=False),
        sa.Column("held_micro", BIG, nullable=False),
        sa.Column("feed_position", BIG, nullable=False),
        sa.Column("low_since", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("token_id", IDENT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", IDENT, nullable=False),
        sa.Column("role", IDENT, nullable=False),
        sa.Column("numbers", IDENT, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_tokens")),
    )
    op.create_table(
        "attempt_outcomes",
        sa.Column("message_id", IDENT, nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("outcome", IDENT, nullable=False),
        sa.Column("http_status", BIG, nullable=True),
        sa.Column("error", IDENT, nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("batch", BIG, nullable=False),
        sa.PrimaryKeyConstraint("message_id", "number", name=op.f("pk_attempt_outcomes")),
    )
    op.create_index("ix_attempt_outcomes_batch", "attempt_outcomes", ["batch"], unique=False)

    op.create_table(
        "bulk_problems",
        sa.Column("bulk_run_id", IDENT, nullable=False),
        sa.Column("row_number", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", IDENT, nullable=False),
        sa.Column("recipient_typed", IDENT, nullable=False),
        sa.Column("reference", IDENT, nullable=True),
        sa.Column("reason", IDENT, nullable=False),
        sa.PrimaryKeyConstraint("bulk_run_id", "row_number", name=op.f("pk_bulk_problems")),
    )
    op.create_table(
        "bulk_runs",
        sa.Column("bulk_run_id", IDENT, nullable=False),
        sa.Column("name", IDENT, nullable=False),
        sa.Column("path", IDENT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("repetition", BIG, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("template", IDENT, nullable=True),
        sa.Column("language", IDENT, nullable=True),
        sa.Column("valid_for", sa.Double(), nullable=True),
        sa.Column("retry_of", IDENT, nullable=True),
        sa.Column("retry_all", sa.Boolean(), nullable=False),
        sa.Column("state", IDENT, nullable=False),
        sa.Column("read_to", BIG, nullable=False),
        sa.Column("valid", BIG, nullable=False),
        sa.Column("invalid", BIG, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("loaded_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "state IN ('preparing', 'running', 'paused', 'cancelled', 'done')",
            name=op.f("ck_bulk_runs_state"),
        ),
        sa.PrimaryKeyConstraint("bulk_run_id", name=op.f("pk_bulk_runs")),
    )
    op.create_index("ix_bulk_runs_created_at", "bulk_runs", ["created_at"], unique=False)
    op.create_index(
        "ix_bulk_runs_open",
        "bulk_runs",
        ["phone_number_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('preparing', 'running')"),
        sqlite_where=sa.text("state IN ('preparing', 'running')"),
    )
    op.create_index(
        "ix_bulk_runs_retry_of",
        "bulk_runs",
        ["retry_of"],
        unique=False,
        postgresql_where=sa.text("retry_of IS NOT NULL"),
        sqlite_where=sa.text("retry_of IS NOT NULL"),
    )
    op.create_index("uq_bulk_runs_list", "bulk_runs", ["digest", "repetition"], unique=True)

    op.create_table(
        "charges",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("message_id", IDENT, nullable=False),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("fee_micro", BIG, nullable=False),
        sa.Column("kind", IDENT, nullable=False),
        sa.Column("category", IDENT, nullable=False),
        sa.Column("market", IDENT, nullable=False),
        sa.Column("rate_id", IDENT, nullable=True),
        sa.Column("charged_on", IDENT, nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('billable', 'free', 'unpriced')", name=op.f("ck_charges_kind")),
        sa.PrimaryKeyConstraint("wamid", name=op.f("pk_charges")),
    )
    op.create_index("ix_charges_charged_on", "charges", ["charged_on"], unique=False)
    op.create_index("uq_charges_message_id", "charges", ["message_id"], unique=True)

    op.create_table(
        "charges_due",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("marks", BIG, nullable=False),
        sa.PrimaryKeyConstraint("wamid", name=op.f("pk_charges_due")),
    )
    op.create_table(
        "endpoints",
        sa.Column("name", IDENT, nullable=False),
        sa.Column("verify_tokens", IDENT, nullable=False),
        sa.Column("app_secrets", IDENT, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("disabled_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_endpoints")),
    )
    op.create_table(
        "feed",
        sa.Column("position", BIG, autoincrement=True, nullable=False),
        sa.Column("batch", BIG, nullable=False),
        sa.Column("stamped_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_feed")),
        sa.UniqueConstraint("batch", name=op.f("uq_feed_batch")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "holds",
        sa.Column("message_id", IDENT, nullable=False),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_until", "holds", ["until"], unique=False)

    op.create_table(
        "inbound_messages",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("occurred_at", BIG, nullable=False),
        sa.Column("type", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=True),
        sa.Column("sender_id", IDENT, nullable=True),
        sa.Column("sender_user_id", IDENT, nullable=True),
        sa.Column("group_id", IDENT, nullable=True),
        sa.Column("replies_to", IDENT, nullable=True),
        sa.Column("content", IDENT, nullable=True),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("webhook_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("wamid", name=op.f("pk_inbound_messages")),
    )
    op.create_index(
        "ix_inbound_messages_number", "inbound_messages", ["phone_number_id", "occurred_at"], unique=False
    )
    op.create_index(
        "ix_inbound_messages_replies_to",
        "inbound_messages",
        ["replies_to"],
        unique=False,
        postgresql_where=sa.text("replies_to IS NOT NULL"),
        sqlite_where=sa.text("replies_to IS NOT NULL"),
    )
    op.create_index(
        "ix_inbound_messages_sender",
        "inbound_messages",
        ["sender_id", "phone_number_id", "occurred_at"],
        unique=False,
    )
    op.create_index(
        "ix_inbound_messages_user",
        "inbound_messages",
        ["sender_user_id", "phone_number_id", "occurred_at"],
        unique=False,
        postgresql_where=sa.text("sender_user_id IS NOT NULL"),
        sqlite_where=sa.text("sender_user_id IS NOT NULL"),
    )
    op.create_index("ix_inbound_messages_webhook_id", "inbound_messages", ["webhook_id"], unique=False)

    op.create_table(
        "installation",
        sa.Column("name", IDENT, nullable=False),
        sa.Column("value", IDENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("entry_id", BIG, autoincrement=True, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", IDENT, nullable=False),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("who", IDENT, nullable=False),
        sa.Column("note", IDENT, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_entries")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_entries_at", "ledger_entries", ["at"], unique=False)

    op.create_table(
        "messages",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("message_id", IDENT, nullable=True),
        sa.Column("reference", IDENT, nullable=True),
        sa.Column("phone_number_id", IDENT, nullable=True),
        sa.Column("recipient", IDENT, nullable=True),
        sa.Column("type", IDENT, nullable=True),
        sa.Column("template", IDENT, nullable=True),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("sent_at", BIG, nullable=True),
        sa.Column("delivered_at", BIG, nullable=True),
        sa.Column("read_at", BIG, nullable=True),
        sa.Column("played_at", BIG, nullable=True),
        sa.Column("failed_at", BIG, nullable=True),
        sa.Column("first_seen_at", sa.Double(), nullable=True),
        sa.Column("reported_number", IDENT, nullable=True),
        sa.Column("reported_number_order", BIG, nullable=True),
        sa.Column("recipient_id", IDENT, nullable=True),
        sa.Column("recipient_id_order", BIG, nullable=True),
        sa.Column("recipient_user_id", IDENT, nullable=True),
        sa.Column("recipient_user_id_order", BIG, nullable=True),
        sa.Column("callback_data", IDENT, nullable=True),
        sa.Column("callback_data_order", BIG, nullable=True),
        sa.Column("pricing", IDENT, nullable=True),
        sa.Column("pricing_order", BIG, nullable=True),
        sa.Column("error", IDENT, nullable=True),
        sa.Column("error_order", BIG, nullable=True),
        sa.PrimaryKeyConstraint("wamid", name=op.f("pk_messages")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_messages_reference",
        "messages",
        ["reference"],
        unique=False,
        postgresql_where=sa.text("reference IS NOT NULL"),
        sqlite_where=sa.text("reference IS NOT NULL"),
    )
    op.create_index("uq_messages_message_id", "messages", ["message_id"], unique=True)

    op.create_table(
        "numbers",
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("waba_id", IDENT, nullable=True),
        sa.Column("display_number", IDENT, nullable=True),
        sa.Column("rate", sa.Double(), nullable=True),
        sa.Column("default_country", IDENT, nullable=True),
        sa.Column("paused_until", sa.Double(), nullable=True),
        sa.Column("paused_reason", IDENT, nullable=True),
        sa.PrimaryKeyConstraint("phone_number_id", name=op.f("pk_numbers")),
    )
    op.create_table(
        "participants",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("participant", IDENT, nullable=False),
        sa.Column("sent_at", BIG, nullable=True),
        sa.Column("delivered_at", BIG, nullable=True),
        sa.Column("read_at", BIG, nullable=True),
        sa.Column("played_at", BIG, nullable=True),
        sa.Column("failed_at", BIG, nullable=True),
        sa.Column("first_seen_at", sa.Double(), nullable=True),
        sa.Column("error", IDENT, nullable=True),
        sa.Column("error_order", BIG, nullable=True),
        sa.PrimaryKeyConstraint("wamid", "participant", name=op.f("pk_participants")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_table(
        "processor_marks",
        sa.Column("owner", BIG, autoincrement=False, nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_processor_marks")),
    )
    op.create_table(
        "quarantine",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("pointer", IDENT, nullable=False),
        sa.Column("reason", IDENT, nullable=False),
        sa.Column("part", IDENT, nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("webhook_id", BIG, nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_quarantine")),
    )
    op.create_index(
        "ix_quarantine_open",
        "quarantine",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_quarantine_webhook_id", "quarantine", ["webhook_id"], unique=False)

    op.create_table(
        "rate_cards",
        sa.Column("rate_id", IDENT, nullable=False),
        sa.Column("currency", IDENT, nullable=False),
        sa.Column("market", IDENT, nullable=False),
        sa.Column("category", IDENT, nullable=False),
        sa.Column("valid_from", IDENT, nullable=False),
        sa.Column("meta_micro", BIG, nullable=False),
        sa.Column("fee_micro", BIG, nullable=False),
        sa.PrimaryKeyConstraint("rate_id", name=op.f("pk_rate_cards")),
    )
    op.create_index(
        "uq_rate_cards_rate", "rate_cards", ["currency", "market", "category", "valid_from"], unique=True
    )

    op.create_table(
        "rate_cells",
        sa.Column("key", IDENT, nullable=False),
        sa.Column("arrival", BIG, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_cells")),
    )
    op.create_table(
        "receiver_minutes",
        sa.Column("minute", BIG, autoincrement=False, nullable=False),
        sa.Column("process", IDENT, nullable=False),
        sa.Column("endpoint", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("webhooks", BIG, nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.Column("answers", IDENT, nullable=False),
        sa.Column("buckets", IDENT, nullable=False),
        sa.Column("last_good_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "minute", "process", "endpoint", "phone_number_id", name=op.f("pk_receiver_minutes")
        ),
    )
    op.create_index(
        "ix_receiver_minutes_subject",
        "receiver_minutes",
        ["endpoint", "phone_number_id", "minute"],
        unique=False,
    )

    op.create_table(
        "send_attempts",
        sa.Column("message_id", IDENT, nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("claim_id", IDENT, nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "number", name=op.f("pk_send_attempts")),
    )
    op.create_table(
        "sends",
        sa.Column("message_id", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=False),
        sa.Column("state", IDENT, nullable=False),
        sa.Column("recipient_typed", IDENT, nullable=False),
        sa.Column("recipient", IDENT, nullable=False),
        sa.Column("type", IDENT, nullable=False),
        sa.Column("template", IDENT, nullable=True),
        sa.Column("language", IDENT, nullable=True),
        sa.Column("category", IDENT, nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("payload_digest", sa.LargeBinary(), nullable=False),
        sa.Column("callback_data", IDENT, nullable=True),
        sa.Column("reference", IDENT, nullable=True),
        sa.Column("idempotency_key", IDENT, nullable=True),
        sa.Column("priority", BIG, nullable=False),
        sa.Column("bulk_run_id", IDENT, nullable=True),
        sa.Column("row_number", BIG, nullable=True),
        sa.Column("queued_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("claim_id", IDENT, nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("wamid", IDENT, nullable=True),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("message_status", IDENT, nullable=True),
        sa.Column("refused_by", IDENT, nullable=True),
        sa.Column("settled_by", IDENT, nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.Column("note", IDENT, nullable=True),
        sa.Column("error", IDENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'accepted', 'refused', 'unknown', 'cancelled')",
            name=op.f("ck_sends_state"),
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_sends")),
    )
    op.create_index(
        "ix_sends_due",
        "sends",
        ["phone_number_id", "priority", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
        sqlite_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_sends_lease",
        "sends",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'sending'"),
        sqlite_where=sa.text("state = 'sending'"),
    )
    op.create_index("ix_sends_queued_at", "sends", ["queued_at", "message_id"], unique=False)
    op.create_index("ix_sends_recipient", "sends", ["recipient", "queued_at"], unique=False)
    op.create_index(
        "ix_sends_reference",
        "sends",
        ["reference", "queued_at"],
        unique=False,
        postgresql_where=sa.text("reference IS NOT NULL"),
        sqlite_where=sa.text("reference IS NOT NULL"),
    )
    op.create_index(
        "ix_sends_run_due",
        "sends",
        ["bulk_run_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued' AND bulk_run_id IS NOT NULL"),
        sqlite_where=sa.text("state = 'queued' AND bulk_run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_sends_unknown",
        "sends",
        ["queued_at"],
        unique=False,
        postgresql_where=sa.text("state = 'unknown'"),
        sqlite_where=sa.text("state = 'unknown'"),
    )
    op.create_index("uq_sends_bulk_row", "sends", ["bulk_run_id", "row_number"], unique=True)
    op.create_index("uq_sends_idempotency", "sends", ["phone_number_id", "idempotency_key"], unique=True)
    op.create_index("uq_sends_wamid", "sends", ["wamid"], unique=True)

    op.create_table(
        "sent_twice",
        sa.Column("message_id", IDENT, nullable=False),
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "wamid", name=op.f("pk_sent_twice")),
    )
    op.create_table(
        "status_updates",
        sa.Column("wamid", IDENT, nullable=False),
        sa.Column("participant", IDENT, nullable=False),
        sa.Column("status", IDENT, nullable=False),
        sa.Column("occurred_at", BIG, autoincrement=False, nullable=False),
        sa.Column("error_codes", IDENT, nullable=False),
        sa.Column("phone_number_id", IDENT, nullable=True),
        sa.Column("recipient_id", IDENT, nullable=True),
        sa.Column("recipient_user_id", IDENT, nullable=True),
        sa.Column("errors", IDENT, nullable=True),
        sa.Column("pricing", IDENT, nullable=True),
        sa.Column("callback_data", IDENT, nullable=True),
        sa.Column("rest", IDENT, nullable=True),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("webhook_id", BIG, nullable=False),
        sa.Column("batch", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "wamid", "participant", "status", "occurred_at", "error_codes", name=op.f("pk_status_updates")
        ),
    )
    op.create_index("ix_status_updates_batch", "status_updates", ["batch"], unique=False)
    op.create_index("ix_status_updates_webhook_id", "status_updates", ["webhook_id"], unique=False)

    op.create_table(
        "suppressions",
        sa.Column("identity", IDENT, nullable=False),
        sa.Column("category", IDENT, nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", BIG, nullable=False),
        sa.Column("source", IDENT, nullable=False),
        sa.Column("note", IDENT, nullable=True),
        sa.PrimaryKeyConstraint("identity", "category", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "templates",
        sa.Column("waba_id", IDENT, nullable=False),
        sa.Column("name", IDENT, nullable=False),
        sa.Column("language", IDENT, nullable=False),
        sa.Column("status", IDENT, nullable=False),
        sa.Column("reason", IDENT, nullable=False),
        sa.Column("status_at", BIG, nullable=False),
        sa.Column("source", IDENT, nullable=False),
        sa.Column("category", IDENT, nullable=False),
        sa.Column("category_at", BIG, nullable=False),
        sa.Column("quality", IDENT, nullable=False),
        sa.Column("quality_at", BIG, nullable=False),
        sa.Column("components", IDENT, nullable=False),
        sa.Column("components_at", BIG, nullable=False),
        sa.Column("imported", BIG, nullable=False),
        sa.PrimaryKeyConstraint("waba_id", "name", "language", name=op.f("pk_templates")),
    )
    op.create_table(
        "webhook_backlog",
        sa.Column("webhook_id", BIG, autoincrement=False, nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("tries", BIG, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_webhook_backlog")),
    )
    op.create_table(
        "webhook_repeats",
        sa.Column("earlier_id", BIG, autoincrement=False, nullable=False),
        sa.Column("later_id", BIG, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("earlier_id", "later_id", name=op.f("pk_webhook_repeats")),
    )
    op.create_index("ix_webhook_repeats_later_id", "webhook_repeats", ["later_id"], unique=False)

    _create_webhooks()


def _create_webhooks() -> None:
    """PostgreSQL: a partition a day under a default one, so the key has to hold received_at as well."""
    postgres = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "webhooks",
        sa.Column("id", BIG, sa.Identity() if postgres else None, nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("endpoint", IDENT, nullable=False),
        sa.Column("secret", IDENT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("compressed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*(("id", "received_at") if postgres else ("id",)), name="pk_webhooks"),
        sqlite_autoincrement=True,
        postgresql_partition_by="RANGE (received_at)",
    )
    if postgres:
        op.execute("CREATE TABLE webhooks_default PARTITION OF webhooks DEFAULT")
        op.execute("ALTER TABLE webhooks ALTER COLUMN body SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE webhooks_default ALTER COLUMN body SET STORAGE EXTERNAL")
        op.execute("CREATE SEQUENCE feed_batches")


def downgrade() -> None:
    for table in (
        "webhooks",
        "webhook_repeats",
        "webhook_backlog",
        "templates",
        "suppressions",
        "status_updates",
        "sent_twice",
        "sends",
        "send_attempts",
        "receiver_minutes",
        "rate_cells",
        "rate_cards",
        "quarantine",
        "processor_marks",
        "participants",
        "numbers",
        "messages",
        "ledger_entries",
        "installation",
        "inbound_messages",
        "holds",
        "feed",
        "endpoints",
        "charges_due",
        "charges",
        "bulk_runs",
        "bulk_problems",
        "attempt_outcomes",
        "api_tokens",
        "accounts",
        "account_events",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE feed_batches")
