"""What stands for an erased person: it tells the day and the country, and is shown as it is."""

import pytest

from store.rollup_days import country
from whatsapp.erased import erased_id, erased_name, erased_on
from whatsapp.market import market
from whatsapp.masking import mask, mask_wamid
from whatsapp.person import Person, is_name

DAY, TOKEN = "2026-11-27", "0a1b2c3d4e5f60718293a4b5"
PERSON = Person(frozenset({"919876543210"}), frozenset(), b"secret", DAY)


@pytest.mark.parametrize(
    "value", [erased_id(DAY, TOKEN), erased_name("IN", DAY, TOKEN), erased_name(None, DAY, TOKEN)]
)
def test_it_tells_the_day_and_no_mask_hides_it(value: str):
    assert erased_on(value) == DAY
    assert mask(value) == mask_wamid(value) == value


@pytest.mark.parametrize(
    "value", [None, "", "wamid.HBgLMTU1NTAwMDAwMDE1", "IN.erased", "erased-2026-11-27-", "IN.4711"]
)
def test_nothing_else_is_taken_for_it(value: str | None):
    assert erased_on(value) is None


@pytest.mark.parametrize(
    "number", ["919876543210", "4915123456789", "15550000002", "77011234567", "447911123456"]
)
def test_the_country_by_which_figures_count_stays(number: str):
    name = PERSON.name(number)
    assert market(name) == market(number)
    assert country(name) == country(number)


def test_a_group_is_nobodys_name():
    assert is_name("919876543210")
    assert is_name("US.1234567890")
    assert not is_name("Y2FwaV9ncm91cDoxMjM0NTY")
    assert not is_name("120363040468224422")
    assert not is_name(None)


def test_without_the_secret_the_same_name_becomes_another():
    other = Person(PERSON.names, PERSON.wamids, b"another", DAY)
    assert PERSON.name("919876543210") == PERSON.text("+919876543210")
    assert PERSON.name("919876543210") != other.name("919876543210")
