"""The names that Meta gives: wamids, user ids, trace ids, profile names, display numbers.

All are made from a seed and what they name, so that the same sends under the same seed give the same
names. A wamid is built as Meta's are seen to be: base64 of a small record that holds the recipient's
digits, the direction (0x11, outbound) and 18 hex characters.
"""

import base64
import hashlib
from random import Random

_PROFILES = ("Asha", "Zoë", "Jürgen", "अनीता", "José", "Li 李", "Olga 🌻", "Sam")


def digits_of(recipient: str) -> str:
    """The digits of a phone number as typed (`+91 (98) 765…` gives `9198765…`)."""
    return "".join(c for c in recipient if c in "0123456789")


def wamid(recipient: str, chance: Random) -> str:
    """A new id for a message to `recipient` (digits, user id or group id; long ones are shortened)."""
    who = recipient.encode()[:16]
    record = b"\x1c\x18" + bytes([len(who)]) + who
    record += b"\x15\x02\x00\x11\x18\x12" + f"{chance.getrandbits(72):018X}".encode() + b"\x00"
    return "wamid." + base64.b64encode(record).decode()


def trace_id(chance: Random) -> str:
    """An `fbtrace_id`, the word that Meta's support asks for."""
    return "A" + base64.urlsafe_b64encode(chance.randbytes(16)).decode().rstrip("=")


def user_id(seed: int, digits: str) -> str:
    """The business-scoped user id behind a phone number: country, dot, digits."""
    return f"{'IN' if digits.startswith('91') else 'US'}.{_number(seed, 'user', digits) % 10**16:016d}"


def profile_name(seed: int, who: str) -> str:
    """The name in a person's profile; some are not ASCII, so that escapes are met."""
    return _PROFILES[_number(seed, "profile", who) % len(_PROFILES)]


def participants(seed: int, group: str, size: int) -> tuple[str, ...]:
    """The phone digits of a group's members, the same at every send to it."""
    return tuple(f"9190{_number(seed, 'member', group, str(n)) % 10**8:08d}" for n in range(size))


def display_number(phone_number_id: str) -> str:
    """The number people see for one of our sending numbers."""
    return f"1555{digits_of(phone_number_id)[-7:]:0>7}"


def stranger(chance: Random) -> str:
    """Digits of somebody whom nobody here wrote to."""
    return f"9191{chance.randrange(10**8):08d}"


def rewritten(digits: str) -> str:
    """A number as Meta writes it: the fifth digit left out, as with Brazil's ninth digit."""
    return digits[:4] + digits[5:]


def _number(seed: int, *words: str) -> int:
    return int.from_bytes(hashlib.sha256("/".join((str(seed), *words)).encode()).digest()[:8])
