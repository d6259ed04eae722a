"""The wrapper's address and key as people set them."""

import pytest

from sender.wrapper import WrapperConfig
from sender.wrapper_url import messages_url

KEY = "key-that-nobody-may-see"
GOOD = "https://cloud-api.in.kaleyra.io/v1/SID1/wrapper/106/messages"


@pytest.mark.parametrize(
    "url",
    [
        "https://cloud-api.in.kaleyra.io",
        " https://cloud-api.in.kaleyra.io/ ",
        "https://cloud-api.in.kaleyra.io/v1",
        "https://cloud-api.in.kaleyra.io/v1//",
        "https://cloud-api.in.kaleyra.io/v1/SID1",
        "https://cloud-api.in.kaleyra.io/v1/SID1/",
        "https://cloud-api.in.kaleyra.io/v1/SID1/wrapper/55/messages",
    ],
)
def test_the_address_is_understood_as_the_guide_prints_it(url):
    assert messages_url(url, "SID1", "106") == GOOD


def test_a_path_before_the_version_is_kept_and_parts_are_escaped():
    assert messages_url("http://proxy:8080/kaleyra/v1", "S/1", "1?x") == (
        "http://proxy:8080/kaleyra/v1/S%2F1/wrapper/1%3Fx/messages"
    )


@pytest.mark.parametrize(
    ("url", "sid", "word"),
    [
        ("cloud-api.in.kaleyra.io", "SID1", "https://"),
        ("ftp://a.com", "SID1", "https://"),
        ("https://", "SID1", "https://"),
        ("https://a.com:port", "SID1", "https://"),
        ("https://user:secret@a.com", "SID1", "https://"),
        ("", "SID1", "https://"),
        ("https://a.com/?x=1", "SID1", "path"),
        ("https://a.com/v1/OTHER", "SID1", "SID"),
        ("https://a.com", " ", "SID"),
    ],
)
def test_a_wrong_address_is_refused_with_one_plain_sentence(url, sid, word):
    with pytest.raises(ValueError, match=word) as caught:
        WrapperConfig(url, sid, KEY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "two words", "line\n", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match="API key") as caught:
        WrapperConfig("https://a.com", "SID1", key)
    assert not key or key not in str(caught.value)
