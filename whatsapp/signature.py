"""Meta's webhook signature: X-Hub-Signature-256, HMAC-SHA256 of the raw body under the app secret.

Always over the bytes as they came: Meta signs its own escaped form of the JSON, so a body that was
parsed and written again does not verify. Every comparison takes the same time wherever it differs and
whichever secret fits. Source: Meta, "Create a webhook endpoint", section on validating payloads.
"""

import hashlib
import hmac
from collections.abc import Sequence

_FORM = b"sha256="


def sign(secret: str, body: bytes) -> str:
    """The header value for these bytes: "sha256=" and 64 lower-case hexadecimal digits."""
    return (_FORM + _hex(secret, body)).decode("ascii")


def matching_secret(secrets: Sequence[str], body: bytes, header: str | None) -> int | None:
    """The index of the first secret that made this header for this body; None when there is none.

    The header may hold anything at all. Blanks around it and upper-case digits are accepted; the older
    `sha1=` form is not. An empty secret never matches, because anybody could sign with it.
    """
    given = _bytes(header or "").strip()
    if not given.startswith(_FORM):
        return None
    digits = given[len(_FORM) :].lower()
    found: int | None = None
    for index, secret in enumerate(secrets):
        equal = hmac.compare_digest(_hex(secret, body), digits)  # all are tried: the time tells nothing
        if equal and secret and found is None:
            found = index
    return found


def tokens_match(tokens: Sequence[str], given: str | None) -> bool:
    """Whether the given verify token is one of ours. Empty tokens never match."""
    digest = hashlib.sha256(_bytes(given or "")).digest()  # equal lengths: the time tells no length
    found = False
    for token in tokens:
        equal = hmac.compare_digest(hashlib.sha256(_bytes(token)).digest(), digest)
        found = found or (equal and bool(token))
    return found


def _hex(secret: str, body: bytes) -> bytes:
    return hmac.digest(_bytes(secret), body, "sha256").hex().encode("ascii")


def _bytes(text: str) -> bytes:
    # A lone surrogate can come out of a mangled header; it must be compared, not raise.
    return text.encode("utf-8", "surrogatepass")
