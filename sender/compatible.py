"""The compatible API: whoever calls Kaleyra's wrapper today changes only host and key.

`POST /v1/{sid}/wrapper/{phone_number_id}/messages` is checked, written down, throttled and posted; the
wrapper's answer goes back unchanged. It needs nothing else of the console.
"""

import hmac
from dataclasses import replace
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sender import callers, request_body
from sender import compatible_answers as answers
from sender import compatible_errors as errors
from sender.compatible_errors import Answer
from sender.desk import Desk
from sender.intake import Taken
from sender.outcome import outcome_of
from sender.payload_receipt import check_read_receipt, is_read_receipt
from sender.single import OverLimit
from store.errors import DatabaseAway, IdempotencyConflict, Refused, TooSlow
from store.records import NewSend

WAIT_AT_MOST = 5.0  # seconds for the limits
AWAY = 5  # seconds until a database that is away is asked again
_WAITS = {"wait": WAIT_AT_MOST, "reject": 0.0}
_OFF = (
    "Sending is not set up here: WAMTRAIL_WRAPPER_SID and WAMTRAIL_WRAPPER_API_KEY are missing; whoever runs"
    " this has to set them."
)
_AWAY = "The database cannot be reached, so this request sent nothing."
_SLOW = "The database did not answer in time, so this request sent nothing."

log = structlog.get_logger("sender.compatible")


def routes(desk: Desk) -> list[BaseRoute]:
    """For the top level of the console's port."""

    async def messages(request: Request) -> Response:
        try:
            return _response(await _answer(desk, request))
        except (DatabaseAway, TooSlow) as problem:
            said = _AWAY if isinstance(problem, DatabaseAway) else _SLOW
            return _response(errors.not_sent(said, again_in=AWAY))

    return [Route("/v1/{sid}/wrapper/{phone_number_id}/messages", messages, methods=["POST"])]


async def _answer(desk: Desk, request: Request) -> Answer:
    number = str(request.path_params["phone_number_id"])
    bearer = await callers.bearer_of(desk.database, request.headers.get("api-key", ""))
    if not callers.may_send(bearer) or not _our_sid(desk, str(request.path_params["sid"])):
        return errors.wrong_key()
    if desk.sid is None:
        return errors.not_sent(_OFF, transient=False)
    if not callers.may_send(bearer, number):
        return errors.foreign_number(number)
    try:
        raw = await request_body.read(request)
        body = request_body.parse(raw)
    except request_body.TooLong as problem:
        return errors.failure(413, 100, problem.sentence, outcome="refused")
    except (request_body.NotJson, ClientDisconnect) as problem:
        return _invalid(str(problem) or "The body ended early.")
    if is_read_receipt(body):
        return await _receipt(desk, number, body, raw)
    wait = request.headers.get("x-wamtrail-on-limit", "wait").strip().lower()
    if wait not in _WAITS:
        return _invalid("X-Wamtrail-On-Limit takes wait or reject.")
    try:
        taken = await desk.taken(body, number, idempotency_key=request.headers.get("idempotency-key"))
    except Refused as refused:
        return _invalid(str(refused))
    answer = await _send(desk, taken.new, _WAITS[wait])
    return replace(answer, headers={**answer.headers, **_warned(taken)})


def _warned(taken: Taken) -> dict[str, str]:
    """What does not stop a message, in a header, because the body is the wrapper's."""
    said = " ".join(one.message for one in taken.warnings)
    return {"X-Wamtrail-Warning": said.encode("ascii", "replace").decode()} if said else {}


async def _send(desk: Desk, new: NewSend, wait_at_most: float) -> Answer:
    try:
        sent = await desk.send(new, wait_at_most=wait_at_most)
    except OverLimit as over:
        return errors.over_limit(over)
    except IdempotencyConflict as problem:
        return errors.conflict(str(problem))
    except Refused as problem:  # a gate that was shut since it was looked at
        return _invalid(str(problem))
    except DatabaseAway:
        raise
    except Exception as problem:  # whatever it is, the caller must not take it for "not sent"
        log.error("send_failed", error=type(problem).__name__)
        return errors.unknown(new.message_id)
    if sent.created and new.idempotency_key is not None and answers.may_be_repeated(sent):
        await desk.free_key(sent.message_id)
    return answers.answer_for(sent, new)


async def _receipt(desk: Desk, number: str, body: Any, raw: bytes) -> Answer:
    """Read receipts and typing indicators are no messages: they pass, and nothing is written down."""
    problems = check_read_receipt(body)
    if problems:
        return _invalid("; ".join(one.message.rstrip(".") for one in problems) + ".")
    reply = await desk.pass_through(number, raw)
    if reply.kind == "answered" and reply.http_status is not None:
        return answers.as_it_came(reply.http_status, reply.body)
    error = outcome_of(reply, desk.clock()).error
    said = (error.title if error else None) or "No answer came."
    if reply.kind == "unreachable":
        return errors.not_sent(said, outcome="unreachable", again_in=AWAY)
    details = f"{said} To say once more that it was read does no harm."
    return errors.failure(504, 131000, details, outcome="unknown", is_transient=True)


def _invalid(details: str) -> Answer:
    return errors.failure(400, 100, details, outcome="refused")


def _our_sid(desk: Desk, sid: str) -> bool:
    return desk.sid is None or hmac.compare_digest(sid.encode(), desk.sid.encode())


def _response(answer: Answer) -> Response:
    headers = {**answer.headers, "Cache-Control": "no-store"}
    return Response(answer.body, answer.status, headers, answer.media_type)
