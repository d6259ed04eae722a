"""Text messages. Meta's page: messages/text-messages."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from sender.payload_problem import Part, Path, Problem, member, problem

_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


class Text(Part):
    """`text`: the body, 1 to 4,096 characters (code points), and whether its first link is previewed."""

    body: Annotated[str, Field(min_length=1, max_length=4096)]
    preview_url: bool | None = None


def text_rules(text: Any, path: Path) -> Iterator[Problem]:
    """A preview needs an address to preview."""
    body = member(text, "body")
    if member(text, "preview_url") is not True or not isinstance(body, str):
        return
    if not any(_has_host_name(found) for found in _ADDRESS.findall(body)):
        yield problem(
            (*path, "preview_url"),
            "true, but the body has no http:// or https:// address with a host name (an IP address gives no "
            "preview); put one in the body or leave preview_url out",
        )


def _has_host_name(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return False
    try:
        ip_address(host)
    except ValueError:
        return any(sign.isalpha() for sign in host)
    return False
