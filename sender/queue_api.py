"""`POST /api/v1/messages`: take a message in for `run sender`, and answer at once. Errors as in RFC 9457."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sender import callers, queue_request, request_body
from sender.desk import Desk
from sender.intake import Taken
from sender.payload_problem import Problem, pointer
from sender.prepare import Refused
from store import errors
from store.errors import DatabaseAway, IdempotencyConflict, TooSlow

AGAIN_AFTER = 5  # seconds until a database that is away is asked again
LONGEST_SHOWN = 60  # characters of a parameter's name
_CHALLENGE = 'Bearer realm="wamtrail"'
Count = Callable[[Request, str], None]


def _uncounted(_request: Request, _token_id: str) -> None:
    """Nobody limits the calls."""


def routes(desk: Desk, count: Count = _uncounted) -> list[BaseRoute]:
    """Relative to /api. `count` is told each call's token id, and raises what answers one call too many."""

    async def messages(request: Request) -> Response:
        try:
            return await _answer(desk, request, count)
        except DatabaseAway:  # perhaps in the middle of a commit
            how = "with the same idempotency key, so that the message is queued once"
            return _not_now("Database away", "The database cannot be reached", how)
        except TooSlow:
            return _not_now("Too slow", "The database did not answer in time", "nothing was queued")

    return [Route("/v1/messages", messages, methods=["POST"])]


async def _answer(desk: Desk, request: Request, count: Count) -> Response:
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    token = shown if scheme.lower() == "bearer" else ""
    bearer = await callers.bearer_of(desk.database, token)
    if bearer is None:
        return _stranger(bool(token.strip()))
    count(request, bearer.token_id)
    if not callers.may_send(bearer):
        detail = f"A {bearer.role} token may not send; ask for a sender token."
        return _problem(403, "Forbidden", detail)
    if request.query_params:
        return _no_parameters(request.query_params)
    try:
        body = request_body.parse(await request_body.read(request))
    except request_body.TooLong as problem:
        return _problem(413, "Body too long", problem.sentence)
    except (request_body.NotJson, ClientDisconnect) as problem:
        return _problem(400, "Not JSON", str(problem) or "The body ended early.")
    asked, problems = queue_request.read(body, request.headers.get("idempotency-key"))
    if asked is None:
        return _invalid(problems)
    if not callers.may_send(bearer, asked.phone_number_id):
        detail = "This token may not send from this PHONE_NUMBER_ID; use another number, or another token."
        return _problem(403, "Forbidden", detail, [{"pointer": "/from", "detail": detail}])
    try:
        taken = await _taken(desk, asked)
    except Refused as refused:
        return _invalid([queue_request.placed(one) for one in refused.problems])
    return await _queue(desk, taken)


async def _queue(desk: Desk, taken: Taken) -> Response:
    try:
        found = await desk.queue(taken.new)
    except IdempotencyConflict as problem:
        return _problem(409, "Idempotency conflict", str(problem))
    except errors.Refused as problem:  # a gate that was shut since it was looked at
        return _problem(400, "Invalid message", str(problem))
    # A repeat hears what the first request heard; how the message stands is told at its address.
    body: dict[str, Any] = {"message_id": found.message_id, "status": "queued"}
    if taken.warnings:
        placed = [queue_request.placed(one) for one in taken.warnings]
        body["warnings"] = [{"pointer": one.pointer, "detail": one.message} for one in placed]
    headers = {"Location": f"/api/v1/messages/{found.message_id}", "Cache-Control": "no-store"}
    return JSONResponse(body, 202, headers)


async def _taken(desk: Desk, asked: queue_request.QueueRequest) -> Taken:
    taken = await desk.taken(
        asked.payload,
        asked.phone_number_id,
        reference=asked.reference,
        idempotency_key=asked.idempotency_key,
        valid_for=asked.valid_for,
        priority=asked.priority,
    )
    digest = asked.digest(taken.new.payload_digest)
    return replace(taken, new=replace(taken.new, payload_digest=digest))


def _not_now(title: str, said: str, how: str) -> Response:
    detail = f"{said}; ask again in {AGAIN_AFTER} seconds, {how}."
    return _problem(503, title, detail, headers={"Retry-After": str(AGAIN_AFTER)})


def _stranger(showed_something: bool) -> Response:
    if not showed_something:
        detail, challenge = "Send a token: Authorization: Bearer wt_…", _CHALLENGE
    else:
        detail = "This token is not known here, or it was revoked; ask an administrator for another."
        challenge = f'{_CHALLENGE}, error="invalid_token"'
    return _problem(401, "Unauthorized", detail, headers={"WWW-Authenticate": challenge})


def _no_parameters(given: Iterable[str]) -> Response:
    """What belongs into the body would be lost, and the message go out without it."""
    said = "stands in the address, where this call takes nothing; put what it reads into the body"
    names = [name[:LONGEST_SHOWN] for name in given]
    errors = [{"parameter": name, "pointer": pointer((name,)), "detail": said} for name in names]
    return _problem(400, "Invalid parameters", "; ".join(f"{name}: {said}" for name in names) + ".", errors)


def _invalid(problems: Sequence[Problem]) -> Response:
    errors = [{"pointer": one.pointer, "detail": one.message} for one in problems]
    detail = "; ".join(one.message.rstrip(".") for one in problems) + "."
    return _problem(400, "Invalid message", detail, errors)


def _problem(
    status: int,
    title: str,
    detail: str,
    errors: Sequence[dict[str, str]] = (),
    *,
    headers: dict[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {"title": title, "status": status, "detail": detail}
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(
        body, status, {**(headers or {}), "Cache-Control": "no-store"}, "application/problem+json"
    )
