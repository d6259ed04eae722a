"""The table of templates: newest words, accounts, imports beside webhooks; and what stops at the gates."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from store_samples import NOW, new_send, rows

from store import gates, numbers, sends, suppressions, templates
from store.apply import Understood, apply
from store.database import Database, WriteTx
from store.errors import IdempotencyConflict, Refused
from store.outcomes import Claim
from store.records import NumberWord, Parsed, Preference, TemplateWord
from store.templates import Translation, merged, of_account

AT = int(NOW) - 1000
BODY = '[{"text":"Hello {{1}}","type":"BODY"}]'


def word(about: str, value: str, at: int = AT, **more: Any) -> TemplateWord:
    values = {"waba_id": "W1", "name": "order_ready", "language": "en", **more}
    return TemplateWord(about=about, value=value, occurred_at=at, **values)


def template_send(n: int = 1, **changes: Any) -> Any:
    return new_send(n, **{"type": "template", "template": "order_ready", "language": "en", **changes})


def known(database: Database, number: str = "100") -> tuple[Translation, ...]:
    with database.read() as tx:
        return templates.translations(tx, number, "order_ready")


def test_a_number_knows_its_accounts_template_once_a_webhook_told_whose_it_is(database: Database) -> None:
    with database.write() as tx:
        templates.record(tx, [word("status", "APPROVED"), word("status", "PAUSED", waba_id="W2")])
    assert known(database) == ()  # of two accounts, and nobody knows which is the number's
    heard(database, 1, NumberWord("100", "W2", "15550001111"), NumberWord("101", "W1", None))
    assert [one.status for one in known(database)] == ["PAUSED"]
    assert [one.status for one in known(database, "101")] == ["APPROVED"]


def test_the_last_word_of_whose_a_number_is_counts_and_its_pace_and_hold_stay(database: Database) -> None:
    with database.write() as tx:
        numbers.set_rate(tx, "100", 20.0)
        numbers.pause(tx, "100", "asked for", NOW)
    heard(database, 1, NumberWord("100", "W1", "15550001111"))
    heard(database, 2, NumberWord("100", "W2", "15550001111"), NumberWord("100", "W3", None))
    (row,) = rows(database, "numbers")
    assert (row["waba_id"], row["display_number"]) == ("W3", "15550001111")
    assert (row["rate"], row["paused_reason"]) == (20.0, "asked for")


def test_what_is_known_of_a_number_is_not_written_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard(database, 1, NumberWord("100", "W1", "15550001111"))
    monkeypatch.setattr(numbers, "_LEARN", text("no statement"))
    heard(database, 2, NumberWord("100", "W1", "15550001111"), NumberWord("100", "W1", None))


def heard(database: Database, webhook_id: int, *said: NumberWord) -> None:
    with database.write() as tx:
        apply(tx, [Understood(webhook_id, NOW, Parsed(numbers=said))], NOW)


WORDS = st.builds(
    word,
    st.sampled_from(["status", "category", "quality"]),
    st.sampled_from(["APPROVED", "PAUSED", "REJECTED", "UTILITY"]),
    st.integers(AT, AT + 3),
    reason=st.sampled_from(["", "A", "B"]),
    language=st.sampled_from(["en", "hi"]),
)


def test_any_order_and_grouping_gives_the_same_rows(database: Database) -> None:
    @given(st.lists(WORDS, min_size=1, max_size=6), st.randoms(use_true_random=False), st.integers(0, 6))
    def law(words: list[TemplateWord], random: Any, cut: int) -> None:
        shuffled = random.sample(words, len(words))
        found = []
        for groups in ([words], [shuffled[:cut], shuffled[cut:], shuffled]):
            with database.write() as tx:
                tx.run(text("DELETE FROM templates"))
                for group in groups:
                    templates.record(tx, group)
                found.append(templates.listed(tx))
        assert found[0] == found[1]

    law()


def test_in_one_second_a_stop_beats_approved(database: Database) -> None:
    for status in ("PAUSED", "REJECTED", "DISABLED", "PENDING_DELETION", "DELETED"):
        with database.write() as tx:
            tx.run(text("DELETE FROM templates"))
            templates.record(tx, [word("status", status)])
            templates.record(tx, [word("status", "APPROVED")])
        assert [one.status for one in known(database)] == [status]


def test_an_import_without_an_account_and_webhooks_of_one_are_read_together(database: Database) -> None:
    with database.write() as tx:
        templates.record(tx, [word("components", BODY, waba_id="", source="person")])
        templates.record(tx, [word("status", "APPROVED", waba_id="", source="person")])
        templates.record(tx, [word("status", "PAUSED", AT + 5)])
    (one,) = known(database)
    assert (one.status, one.source, one.imported) == ("PAUSED", "meta", True)
    assert one.components == ({"text": "Hello {{1}}", "type": "BODY"},)


def test_another_accounts_template_of_the_same_name_does_not_count() -> None:
    mine = Translation("a", "en", "W1", status="APPROVED", status_at=1)
    others = Translation("a", "en", "W2", status="PAUSED", status_at=2)
    for_all = Translation("a", "en", "", category="UTILITY", category_at=1)
    found = merged(of_account((for_all, mine, others), "W1"))
    assert [(one.status, one.category) for one in found] == [("APPROVED", "UTILITY")]
    assert of_account((for_all, mine, others), None) == (for_all,)
    assert of_account((for_all, others), None) == (for_all, others)


def test_the_account_of_a_number_is_looked_up(database: Database) -> None:
    with database.write() as tx:
        templates.record(tx, [word("status", "PAUSED"), word("status", "APPROVED", waba_id="W2")])
        tx.run(text("INSERT INTO numbers (phone_number_id, waba_id) VALUES ('100', 'W1'), ('200', 'W2')"))
    assert [one.status for one in known(database, "100")] == ["PAUSED"]
    assert [one.status for one in known(database, "200")] == ["APPROVED"]
    assert known(database, "300") == ()


@pytest.fixture
def tx(database: Database) -> Iterator[WriteTx]:
    with database.write() as opened:
        yield opened


def opt_out(tx: WriteTx, identity: str = "15550000001") -> None:
    suppressions.record(tx, [Preference(identity, suppressions.MARKETING, True, AT)])


def queued(tx: WriteTx) -> int:
    return int(tx.value(text("SELECT count(*) FROM sends")))


@pytest.mark.parametrize("status", ["PAUSED", "REJECTED", "DISABLED", "PENDING_DELETION", "DELETED"])
def test_a_stopped_template_is_refused_with_the_reason_and_leaves_nothing(tx: WriteTx, status: str) -> None:
    templates.record(tx, [word("status", status, reason="QUALITY")])
    with pytest.raises(Refused, match=f"order_ready .en. is {status.lower().replace('_', ' ')}.*QUALITY"):
        sends.submit(tx, template_send(idempotency_key="k"), NOW)
    assert queued(tx) == 0
    templates.record(tx, [word("status", "APPROVED", AT + 9)])
    assert sends.submit(tx, template_send(idempotency_key="k"), NOW).created


@pytest.mark.parametrize("status", ["APPROVED", "PENDING", "FLAGGED", "REINSTATED", "SOMETHING_NEW"])
def test_other_statuses_pass(tx: WriteTx, status: str) -> None:
    templates.record(tx, [word("status", status)])
    assert sends.submit(tx, template_send(), NOW).created


def test_another_language_of_a_paused_template_passes(tx: WriteTx) -> None:
    templates.record(tx, [word("status", "PAUSED")])
    assert sends.submit(tx, template_send(language="hi"), NOW).created


@pytest.mark.parametrize("recipient", ["15550000001", "US.13491208655302741918"])
def test_an_opt_out_stops_marketing_and_what_may_be_marketing(tx: WriteTx, recipient: str) -> None:
    opt_out(tx, recipient)
    with pytest.raises(Refused, match=r"opted out.*category"):
        sends.submit(tx, template_send(recipient=recipient), NOW)
    templates.record(tx, [word("category", "MARKETING")])
    with pytest.raises(Refused, match=r"opted out.*is marketing"):
        sends.submit(tx, template_send(recipient=recipient), NOW)
    assert queued(tx) == 0
    assert sends.submit(tx, template_send(2, recipient="15550000002"), NOW).created


@pytest.mark.parametrize("category", ["UTILITY", "AUTHENTICATION"])
def test_an_opt_out_stops_nothing_else(tx: WriteTx, category: str) -> None:
    opt_out(tx)
    assert sends.submit(tx, new_send(1), NOW).created
    templates.record(tx, [word("category", category)])
    assert sends.submit(tx, template_send(2), NOW, Claim("c", NOW + 30)).created
    assert tx.value(text("SELECT category FROM sends WHERE type = 'template'")) == category


def test_the_category_that_the_caller_found_counts_where_none_is_stored(tx: WriteTx) -> None:
    opt_out(tx)
    assert sends.submit(tx, template_send(category="UTILITY"), NOW).created


def test_what_was_taken_in_before_still_answers_under_its_key(tx: WriteTx) -> None:
    first = sends.submit(tx, template_send(1, idempotency_key="k"), NOW)
    templates.record(tx, [word("status", "PAUSED")])
    again = sends.submit(tx, template_send(2, idempotency_key="k"), NOW)
    assert (again.message_id, again.created) == (first.message_id, False)
    with pytest.raises(IdempotencyConflict):
        sends.submit(tx, template_send(3, idempotency_key="k", payload_digest=b"x" * 32), NOW)


def test_many_are_judged_with_one_look(tx: WriteTx) -> None:
    opt_out(tx)
    templates.record(tx, [word("status", "PAUSED", language="hi"), word("category", "MARKETING")])
    found = gates.verdicts(
        tx,
        [
            template_send(1),
            template_send(2, recipient="15550000002"),
            template_send(3, language="hi", recipient="15550000003"),
            new_send(4),
        ],
    )
    assert [(one.about, one.category) for one in found] == [
        ("recipient", "MARKETING"),
        (None, "MARKETING"),
        ("template", None),
        (None, None),
    ]


def test_a_person_s_word_counts_over_what_is_known_whatever_the_clocks_say(tx: WriteTx) -> None:
    suppressions.record(tx, [Preference("1", suppressions.MARKETING, True, int(NOW) + 500)])
    suppressions.set_by_person(tx, "1", False, None, NOW)
    assert not suppressions.stopped(tx, "1")
    suppressions.set_by_person(tx, "1", True, "asked by phone", NOW)
    assert suppressions.stopped(tx, "1")
    (row,) = suppressions.listed(tx, 10)
    assert (row.identity, row.source, row.note) == ("1", "person", "asked by phone")
