"""Passwords: argon2id, made and checked in a thread, at the same cost whether the user exists or not."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.concurrency import run_in_threadpool

SHORTEST = 12
LONGEST = 1024
_HASHER = PasswordHasher()  # argon2id, RFC 9106's parameters for little memory
_AT_ONCE = asyncio.Semaphore(2)  # each takes 64 MiB and all of a core


class WeakPassword(Exception):
    """The text is one sentence for the person who chose it."""


def checked(password: str, name: str) -> str:
    """The password, if it may be one."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"A password has at least {SHORTEST} signs; a few words make a good one.")
    if len(password) > LONGEST:
        raise WeakPassword(f"A password has at most {LONGEST} signs.")
    if len(set(password)) < 4 or password.strip().casefold() == name.strip().casefold():
        raise WeakPassword("This password is too easy to guess; a few words make a good one.")
    return password


def made(password: str) -> str:
    return _HASHER.hash(password.encode(errors="replace"))


def matches(kept: str | None, password: str) -> bool:
    """`kept` is None when there is nobody of that name: as much work, and never right."""
    try:
        _HASHER.verify(kept or _nobodys(), password[: LONGEST + 1].encode(errors="replace"))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def dated(kept: str) -> bool:
    """Whether it was made under parameters that are no longer ours."""
    return _HASHER.check_needs_rehash(kept)


async def make(password: str) -> str:
    async with _AT_ONCE:
        return await run_in_threadpool(made, password)


async def check(kept: str | None, password: str) -> bool:
    async with _AT_ONCE:
        return await run_in_threadpool(matches, kept, password)


@cache
def _nobodys() -> str:
    return made("nobody has this password")
