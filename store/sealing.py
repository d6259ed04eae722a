"""Secrets at rest: sealed with WAMTRAIL_SECRET_KEY, so that a copy of the database does not tell them."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from store.errors import StoreError

SHORTEST_KEY = 16  # characters


class CannotUnseal(StoreError):
    """What is stored was sealed with a key that is not given any more."""


class Sealer:
    """Seals with the first key, unseals with any; so keys can be rotated."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise CannotUnseal(
                "WAMTRAIL_SECRET_KEY is not set; it seals stored secrets. Make one with"
                " `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'` and keep it."
            )
        if any(len(key) < SHORTEST_KEY for key in keys):
            raise CannotUnseal(
                f"WAMTRAIL_SECRET_KEY is shorter than {SHORTEST_KEY} characters; make a longer one."
            )
        self._fernet = MultiFernet([Fernet(_derived(key)) for key in keys])

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Raises CannotUnseal."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise CannotUnseal(
                "A stored secret was sealed with another WAMTRAIL_SECRET_KEY; add the old key behind a comma."
            ) from None


def _derived(key: str) -> bytes:
    """A person's key of any length as the 32 bytes that Fernet wants."""
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"wamtrail sealing")
    return base64.urlsafe_b64encode(hkdf.derive(key.encode()))
