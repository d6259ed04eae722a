"""What came back from one POST to the wrapper, before anybody reads it.

Kept apart from the client so that deciding (`sender.outcome`) does not need the HTTP library.
"""

from dataclasses import dataclass
from typing import Literal

ReplyKind = Literal["answered", "unreachable", "no_answer"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One exchange. `unreachable`: not one byte of the request left. `no_answer`: some may have left."""

    kind: ReplyKind
    http_status: int | None = None  # set as soon as the head of an answer came, also when its body did not
    body: bytes = b""  # at most 1 MB; may be a part only when kind is no_answer
    retry_after: str | None = None  # the Retry-After header as it came
    error_class: str | None = None  # the name of the exception, never its text: that may carry addresses
