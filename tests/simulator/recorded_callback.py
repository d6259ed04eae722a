"""What a callback of the tests saw, and what it is to answer."""

from dataclasses import dataclass, field


@dataclass
class Callback:
    """Answers 200, or what `answers` holds, one after the other; echoes challenges for its token."""

    url: str = ""
    token: str = "simulated-verify-token"
    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
