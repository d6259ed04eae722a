"""Decides how an attempt ended. Pure, and total over every code, status and body.

The order of trust: a wamid in a 2xx answer, then the error code (the catalogue says what it means for
a send), then the HTTP status. `throttled` and `unreachable` may be sent again by itself, so they are
only said when the request was certainly not processed. Whatever is left over is `unknown`.
"""

from dataclasses import asdict, dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

from sender.errors import Answer, ProviderError, Source, read_answer
from sender.reply import Reply
from whatsapp.catalogue import catalogue

Kind = Literal["accepted", "refused", "throttled", "unreachable", "unknown"]
Stops = Literal["none", "number", "account"]

# 4xx by which a gateway may give up on a request that it had already passed on: 408 it waited too long,
# 409 the request is there already. Above 451 every vendor has its own, 499 "the client went away" among them.
_UNCLEAR_4XX = frozenset({408, 409})
_LAST_NAMED_4XX = 451
_ELSEWHERE = frozenset({301, 302, 307, 308})  # not followed: answered by the address, not by the wrapper
_STOPS_ACCOUNT = _ELSEWHERE | {401, 404, 405, 407}  # key or address are wrong: the next send fails as well
LONGEST_RETRY_AFTER = 86_400.0


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """What people see of an error. `code` is None when the answer carried none."""

    code: int | str | None
    title: str | None = None
    details: str | None = None
    fbtrace_id: str | None = None
    subcode: int | None = None  # Meta's 100 means many things; with 33 it means one

    def as_dict(self) -> dict[str, int | str | None]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended, and what that means for the number or the account."""

    kind: Kind
    wamid: str | None = None
    message_status: str | None = None
    refused_by: Literal["wrapper", "meta"] | None = None
    error: ErrorInfo | None = None
    stops: Stops = "none"
    http_status: int | None = None
    retry_after: float | None = None  # seconds from the moment of the answer
    recipient_wa_id: str | None = None  # how Meta spells the number; may differ from what was sent
    recipient_user_id: str | None = None


def outcome_of(reply: Reply, now: float) -> Outcome:
    """Decide from the raw exchange. `now` (Unix seconds) is when the answer came, for Retry-After dates."""
    if reply.kind == "unreachable":
        error = ErrorInfo(None, f"The wrapper could not be reached ({reply.error_class or 'no connection'}).")
        return Outcome("unreachable", error=error)
    if reply.http_status is None:
        return Outcome("unknown", error=_no_answer(reply.error_class))
    answer = read_answer(reply.http_status, reply.body)
    if reply.kind == "no_answer" and not answer.readable:
        return Outcome("unknown", error=_no_answer(reply.error_class), http_status=reply.http_status)
    return decide(answer, retry_after_seconds(reply.retry_after, now))


def decide(answer: Answer, retry_after: float | None = None) -> Outcome:
    """Decide from a read answer. Never raises."""
    status = answer.http_status
    if 200 <= status < 300 and answer.wamid is not None:
        return Outcome(
            "accepted",
            wamid=answer.wamid,
            message_status=answer.message_status,
            http_status=status,
            recipient_wa_id=answer.recipient_wa_id,
            recipient_user_id=answer.recipient_user_id,
        )
    if answer.wamid is not None:  # an id under an error status: somebody may have taken it
        return Outcome("unknown", error=_shown(answer), http_status=status)
    kind, stops = _by_code(answer) or _by_status(answer)
    refused_by = _source(answer.error) if kind == "refused" else None
    return Outcome(
        kind,
        refused_by=refused_by,
        error=_shown(answer),
        stops=stops,
        http_status=status,
        retry_after=retry_after if kind == "throttled" else None,
    )


def _by_code(answer: Answer) -> tuple[Kind, Stops] | None:
    error = answer.error
    if error is None or error.code is None:
        return None
    entry = catalogue().lookup(error.code, http_status=answer.http_status, subcode=error.subcode)
    if not entry.known:
        return None
    if entry.on_send == "refused":
        return "refused", entry.stops
    if entry.on_send == "throttled":
        return "throttled", entry.stops
    return "unknown", "none"  # also Kaleyra's "success": without a wamid nothing can be followed


def _by_status(answer: Answer) -> tuple[Kind, Stops]:
    status = answer.http_status
    stops: Stops = "account" if status in _STOPS_ACCOUNT else "none"
    if status in _ELSEWHERE:
        return "refused", stops
    if not 400 <= status < 500 or answer.cut:
        return "unknown", "none"
    if answer.error is not None and answer.error.source == "meta":
        return "refused", "account" if status == 401 else "none"  # a code that is newer than the catalogue
    if status == 429:
        return "throttled", "none"
    if status in _UNCLEAR_4XX or status > _LAST_NAMED_4XX:
        return "unknown", "none"
    return "refused", stops


def _source(error: ProviderError | None) -> Source:
    return error.source if error else "wrapper"


def _shown(answer: Answer) -> ErrorInfo:
    error = answer.error
    if error is not None:
        return ErrorInfo(error.code, error.title, error.details, error.fbtrace_id, error.subcode)
    if answer.http_status in _ELSEWHERE:
        return ErrorInfo(None, f"The wrapper's address redirects (HTTP {answer.http_status}); correct it.")
    what = "neither a message id nor an error in it" if answer.readable else "no readable answer"
    return ErrorInfo(None, f"HTTP {answer.http_status} with {what}.")


def _no_answer(error_class: str | None) -> ErrorInfo:
    return ErrorInfo(None, f"The request left but no whole answer came ({error_class or 'cut off'}).")


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Seconds asked for by a Retry-After header (seconds or an HTTP date); None when absent or unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST_RETRY_AFTER)
    try:
        when = parsedate_to_datetime(text)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
