"""One person under all their names, to be found in any text and replaced there. Pure.

Phones are found in any spelling, user ids as they are, and message ids (wamids) by being known or because
what they encode holds a name. What replaces them is made with a secret that is thrown away in the end: the
same text becomes the same, wherever it stands, as long as the erasure runs, and nobody can tell it later.
"""

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from whatsapp.erased import erased_id, erased_name
from whatsapp.market import market
from whatsapp.masking import BETWEEN, BSUID, calling_code

_PHONE = re.compile(r"[0-9]{7,15}")
_TOKEN = re.compile(r"[\w.+/=%-]{8,}", re.ASCII)
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_NO_DIGIT = re.compile("[^0-9]+")
_NATIONAL_SHORTEST = 9  # fewer digits without a country code are found in too many other things


def is_name(value: object) -> bool:
    """Whether this can be a person's phone (digits alone) or user id; a group's id is none."""
    return isinstance(value, str) and bool(_PHONE.fullmatch(value) or BSUID.fullmatch(value))


@dataclass(frozen=True)
class Person:
    """`names`: phone digits and user ids. `wamids`: of messages to and from them. `day`: 2026-11-27."""

    names: frozenset[str]
    wamids: frozenset[str]
    secret: bytes
    day: str

    def also(self, names: Iterable[str] = (), wamids: Iterable[str] = ()) -> "Person":
        return replace(self, names=self.names | set(names), wamids=self.wamids | set(wamids))

    def name(self, value: str) -> str:
        """What stands for a name of theirs from now on."""
        return erased_name(market(value), self.day, self._token(value))

    def message(self, wamid: str) -> str:
        """What stands for a wamid of theirs from now on."""
        return erased_id(self.day, self._token(wamid)[:24])

    def wrote_or_got(self, wamid: str) -> bool:
        """Whether this is the id of a message of theirs."""
        return wamid in self.wamids or self._encodes(wamid)

    def text(self, value: str) -> str:
        """The text without them; the same object when they are not in it."""
        if len(value) < 7:
            return value
        if value in self.wamids:
            return self.message(value)
        plain = value.removeprefix("+")
        if plain in self.names:
            return self.name(plain)
        if len(value) >= 8 and _TOKEN.search(value):
            value = _replaced(_TOKEN, value, self._token_of_text)
        if not self._may_be_in(value):
            return value
        return _replaced(self._spellings, value, lambda found: erased_id(self.day, self._token(found)[:16]))

    def _may_be_in(self, value: str) -> bool:
        """Quick: most texts hold neither a user id nor, with all else left out, the digits after the code."""
        if not value.isascii():
            return True
        plain = _NO_DIGIT.sub("", value)
        return any(end in (plain if end.isdigit() else value) for end in self._ends)

    def _token_of_text(self, found: str) -> str:
        if found in self.wamids:
            return self.message(found)
        other = self.addresses.get(found)
        if other is not None:
            return other
        if len(found) >= 16 and self._encodes(found):
            return self.message(found)
        return found

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Old address of a page -> new one, for messages whose address is a digest of the wamid."""
        return {_address(wamid): _address(self.message(wamid)) for wamid in self.wamids}

    def _encodes(self, wamid: str) -> bool:
        return any(self._in_bytes.search(decoded) for decoded in _decoded(wamid))

    def _token(self, value: str) -> str:
        return hmac.new(self.secret, value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    @cached_property
    def _in_bytes(self) -> re.Pattern[bytes]:
        """A name inside what a wamid encodes, where long ones are cut to sixteen bytes."""
        names = (re.escape(name.encode()[:16]) for name in sorted(self.names) if len(name) >= 7)
        return re.compile(rb"(?<![0-9])(?:" + b"|".join(names) + rb")(?![0-9])")

    @cached_property
    def _ends(self) -> tuple[str, ...]:
        return tuple(
            name[len(calling_code(name)) :] if _PHONE.fullmatch(name) else name for name in sorted(self.names)
        )

    @cached_property
    def _spellings(self) -> re.Pattern[str]:
        return re.compile("|".join(spelling for name in sorted(self.names) for spelling in _spelled(name)))


def _replaced(pattern: re.Pattern[str], value: str, by: "object") -> str:
    changed = pattern.sub(lambda match: by(match.group()), value)  # type: ignore[operator]
    return value if changed == value else changed


def _address(wamid: str) -> str:
    return "w-" + hashlib.sha256(wamid.encode()).hexdigest()[:20]  # as in store/strangers.py


def _decoded(wamid: str) -> Iterator[bytes]:
    for found in _ENCODED.findall(wamid.removeprefix("wamid.")):
        plain = found.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(plain[: len(plain) - (len(plain) % 4 == 1)] + "=" * (-len(plain) % 4))
        except (binascii.Error, ValueError):
            continue


def _spelled(name: str) -> Iterator[str]:
    """Patterns for a name in texts."""
    if not _PHONE.fullmatch(name):
        yield rf"(?<!\w){re.escape(name)}(?!\w)"
        return
    code = calling_code(name)
    rest = name[len(code) :]
    trunk = rf"(?:{BETWEEN}{{0,3}}0{BETWEEN}{{0,3}})?" if code else ""
    yield rf"(?<!\d)(?:\+|00)?{_signs(code)}{trunk}{BETWEEN}{{0,3}}{_signs(rest)}(?!\d)"
    if code and len(rest) >= _NATIONAL_SHORTEST:
        yield rf"(?<!\w)0?{BETWEEN}{{0,3}}{_signs(rest)}(?!\w)"


def _signs(digits: str) -> str:
    return f"{BETWEEN}{{0,3}}".join(f"[{_scripts()[int(digit)]}]" for digit in digits)


@lru_cache(maxsize=1)
def _scripts() -> tuple[str, ...]:
    """For 0 to 9, that digit in every script."""
    found = [""] * 10
    for point in range(0x20000):  # beyond are only ideographs
        if chr(point).isdecimal():
            found[unicodedata.decimal(chr(point))] += chr(point)
    return tuple(found)
