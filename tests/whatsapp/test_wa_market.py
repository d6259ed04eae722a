"""The market that a message is priced in, out of its recipient."""

import pytest

from whatsapp.market import market


@pytest.mark.parametrize(
    ("recipient", "country"),
    [
        ("919812345678", "IN"),
        ("+919812345678", "IN"),
        ("4915112345678", "DE"),
        ("14165550123", "CA"),
        ("12125550123", "US"),
        ("77011234567", "KZ"),
        ("79161234567", "RU"),
        ("5215512345678", "MX"),  # with the old 1 of Mexico: valid nowhere, and Mexico's
        ("19995550001", "US"),  # valid in none of the countries that share +1
        ("US.13491208655302741918", "US"),
        ("IN.ENT.11815799212886844830", "IN"),
        ("88212345678", None),  # a satellite's
        ("Y2FwaV9ncm91cDox", None),
        ("120363-group", None),
        ("", None),
        ("٩١", None),
    ],
)
def test_the_country_of_a_recipient(recipient: str, country: str | None):
    assert market(recipient) == country
