"""Everything that can be chosen about the world the simulator plays; fixed once the server runs.

Shares and probabilities are numbers from 0 to 1, durations are seconds. The defaults are a quiet,
honest Meta: nothing is repeated, shuffled or refused, and what was chosen by chance comes from `seed`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """One account at Kaleyra, its numbers at Meta, where statuses go, and how well-behaved all that is."""

    # Who may send, and as whom
    sid: str = "HXSIMULATED00IN"
    api_key: str = "simulated-api-key"
    phone_number_ids: tuple[str, ...] = ("106540352242922",)  # any other: Meta's 400, code 100, subcode 33
    waba_id: str = "102290129340398"

    # Where webhooks go
    callback_url: str | None = None  # None: webhooks are made and listed, but posted nowhere
    app_secret: str = "simulated-app-secret"  # noqa: S105  a stand-in, known to everybody
    verify_token: str = "simulated-verify-token"  # noqa: S105
    callback_timeout: float = 20.0

    # Chance and time
    seed: int = 0
    answer_delay: float = 0.0  # the wrapper's latency, after Meta took the message and before the answer
    status_delay: float = 0.5  # from one status of a message to its next
    hang_seconds: float = 60.0  # how late the answer of a hanging request comes

    # How webhooks misbehave
    repeat: float = 0.0  # probability that a webhook is posted once more, byte for byte
    shuffle: float = 0.0  # probability that the statuses of a message arrive in a random order
    batch: int = 1  # most statuses gathered in one POST (a group's statuses always travel together)
    before_answer: float = 0.0  # probability that `sent` is posted before the send is answered
    strangers: float = 0.0  # probability, a message, of a status for a message nobody here sent
    retry: int = 6  # further tries of a webhook that was not answered 200
    retry_after: float = 1.0  # wait before the first of them, doubled each time, at most 60

    # How the wrapper misbehaves
    rate_limit: int | None = None  # sends a second and number; those over it get 130429
    unread_share: float = 0.0  # probability that a connection is closed before the request body is read

    # What becomes of recipients without a fixed fate
    fail_share: float = 0.05
    sent_only_share: float = 0.03  # sent, and nothing more is ever heard
    read_share: float = 0.6  # of those that were delivered
    group_size: int = 3  # participants of every group

    remember: int = 200_000  # how many messages, POSTs and webhooks the control pages can list

    def __post_init__(self) -> None:
        """Refuse what cannot be played. Raises ValueError with one sentence."""
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"The scenario's {name} is a share: choose a number from 0 to 1.")
        for name in _DURATIONS:
            if not getattr(self, name) >= 0:
                raise ValueError(f"The scenario's {name} is in seconds: choose 0 or more.")
        for name in ("batch", "group_size", "remember"):
            if getattr(self, name) < 1:
                raise ValueError(f"The scenario's {name} is a count: choose 1 or more.")
        if self.retry < 0 or (self.rate_limit is not None and self.rate_limit < 1):
            raise ValueError(
                "The scenario's retry must be 0 or more, and its rate_limit 1 or more, or absent."
            )
        if self.fail_share + self.sent_only_share > 1:
            raise ValueError("The scenario's fail_share and sent_only_share together are more than 1.")


_SHARES = (
    *("repeat", "shuffle", "before_answer", "strangers", "unread_share"),
    *("fail_share", "sent_only_share", "read_share"),
)
_DURATIONS = ("answer_delay", "status_delay", "hang_seconds", "retry_after", "callback_timeout")
