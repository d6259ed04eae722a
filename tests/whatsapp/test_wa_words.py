"""Statuses, pricing words and the callback data that joins a status to its send."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp import pricing, statuses
from whatsapp.callback_data import LIMIT, join, split

MESSAGE_ID = "0197a3c4-5b6d-7e8f-9012-3456789abcde"


def uuid7(number: int) -> str:
    """A UUID of version 7 from 128 bits."""
    bits = number & ~(0xF << 76) & ~(0x3 << 62) | (0x7 << 76) | (0x2 << 62)
    return str(uuid.UUID(int=bits))


IDS = st.integers(0, 2**128 - 1).map(uuid7)


@given(message_id=IDS, callers=st.none() | st.text(max_size=LIMIT - 37))
def test_what_was_joined_splits_into_the_same_parts(message_id: str, callers: str | None) -> None:
    assert split(join(message_id, callers)) == (message_id, callers)


@given(st.none() | st.text())
def test_what_is_not_ours_comes_back_whole(value: str | None) -> None:
    assert split(value) == (None, value)


@pytest.mark.parametrize(
    "value",
    [
        MESSAGE_ID.upper(),
        MESSAGE_ID + "x",
        MESSAGE_ID + "\n",
        " " + MESSAGE_ID,
        MESSAGE_ID[:-1],
        MESSAGE_ID.replace("-", ""),
        str(uuid.UUID(int=7, version=4)),
        "0197a3c4-5b6d-7e8f-c012-3456789abcde",
    ],
)
def test_only_a_canonical_version_7_id_is_ours(value: str) -> None:
    assert split(value) == (None, value)


def test_the_callers_part_may_hold_anything() -> None:
    assert split(f"{MESSAGE_ID}:a:b\nc") == (MESSAGE_ID, "a:b\nc")
    assert split(f"{MESSAGE_ID}:") == (MESSAGE_ID, "")
    assert split(MESSAGE_ID) == (MESSAGE_ID, None)


def test_both_together_fit_metas_limit_or_are_refused() -> None:
    assert len(join(MESSAGE_ID, "x" * 475)) == 512
    with pytest.raises(ValueError, match="has 476 characters, but at most 475 fit"):
        join(MESSAGE_ID, "x" * 476)


def test_the_ranks_order_metas_statuses() -> None:
    assert [statuses.rank(word) for word in ("sent", "delivered", "read", "played", "failed")] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert list(statuses.RANK) == list(statuses.KNOWN)


@given(st.text())
def test_a_word_that_is_not_known_has_no_rank(word: str) -> None:
    assert statuses.rank(word) == (statuses.RANK[word] if word in statuses.KNOWN else 0)
    assert statuses.rank(word.upper() + "X") == 0


def test_every_status_that_people_see_is_explained() -> None:
    seen = "queued sending unknown refused cancelled accepted sent delivered read played failed"
    assert set(statuses.MEANING) == set(seen.split())
    assert "30 days" in statuses.MEANING[statuses.SENT]
    assert all(text.endswith(".") and "\n" not in text for text in statuses.MEANING.values())


@pytest.mark.parametrize(
    ("pricing_type", "subtype", "free"),
    [
        ("free_customer_service", None, True),
        ("free_entry_point", None, True),
        ("free_group_customer_service", None, True),
        ("free_of_a_new_kind", None, True),
        ("regular", None, False),
        ("regular", "paid_exempt", True),
        ("regular", "other", False),
        (None, None, False),
        ("freedom", None, False),
    ],
)
def test_free_is_what_meta_calls_free_or_exempt(
    pricing_type: str | None, subtype: str | None, free: bool
) -> None:
    assert pricing.is_free(pricing_type, subtype) is free


def test_the_types_called_free_are_free() -> None:
    assert [word for word in pricing.TYPES if not pricing.is_free(word, None)] == [pricing.REGULAR]
    assert pricing.AUTHENTICATION_INTERNATIONAL in pricing.CATEGORIES
