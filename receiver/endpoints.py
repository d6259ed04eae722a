"""Callback URLs: what a webhook to each of them must be signed with, and what its handshake must know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`name` is '' for /webhooks/whatsapp. The first secret is current, the others are on their way out."""

    name: str
    verify_tokens: tuple[str, ...] = field(default=(), repr=False)
    app_secrets: tuple[str, ...] = field(default=(), repr=False)


class DirectoryAway(Exception):
    """Whether the endpoint exists cannot be told now: 503, never 401 or 404."""


class Directory(Protocol):
    """Where the door looks endpoints up."""

    async def find(self, name: str) -> Endpoint | None:
        """The endpoint, or None when there is none of this name. Raises DirectoryAway."""


class FixedDirectory:
    """Endpoints known from the settings alone."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._endpoints = dict(endpoints)

    async def find(self, name: str) -> Endpoint | None:
        return self._endpoints.get(name)


def secret_label(index: int) -> str:
    """The name under which a webhook remembers which secret matched; the secret itself is never stored."""
    return "current" if index == 0 else f"previous-{index}"
