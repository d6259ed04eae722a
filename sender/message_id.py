"""Our own id of a message: a UUIDv7, so that ids sort by the time at which they were made (RFC 9562)."""

import uuid

RANDOM_BYTES = 10


def message_id(now: float, random_bytes: bytes) -> str:
    """Canonical, lower case. `now`: Unix seconds; `random_bytes`: at least 10, of which 74 bits are used."""
    if len(random_bytes) < RANDOM_BYTES:
        raise ValueError(f"a message id needs {RANDOM_BYTES} random bytes")
    milliseconds = int(now * 1000) & (1 << 48) - 1
    chance = int.from_bytes(random_bytes[:RANDOM_BYTES], "big")
    value = (
        milliseconds << 80 | 0x7 << 76 | (chance >> 62 & 0xFFF) << 64 | 0b10 << 62 | chance & (1 << 62) - 1
    )
    return str(uuid.UUID(int=value))
