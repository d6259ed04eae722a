"""Plays Kaleyra's wrapper: `POST /v1/{sid}/wrapper/{phone_number_id}/messages`, and Meta behind it."""

import asyncio
import contextlib
import hmac
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from simulator import mistakes, payload
from simulator.fates import Fate
from simulator.identities import trace_id
from simulator.payload import Message
from simulator.plan import Plan
from simulator.request import Receipt, Refusal, Send, read_request
from simulator.transport import Cut, Half, Hang, Reset
from simulator.world import Post, World

EARLY_PATIENCE = 5.0  # how long an answer waits for the status that is to overtake it
GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


async def messages(request: Request) -> Response:
    """The endpoint. Notes every request, whatever becomes of it."""
    world: World = request.app.state.world
    number = request.path_params["phone_number_id"]
    post = world.saw(number)
    if world.closes_unread():
        return Cut()
    try:
        raw = await request.body()
    except ClientDisconnect:
        return Cut()
    asked = read_request(raw)
    if isinstance(asked, Send):
        post.to, post.callback_data = asked.to, asked.callback_data
        if asked.callback_data is not None:
            world.posts_by_callback_data[asked.callback_data] += 1
    if not _known(world, request):
        return _wrong_key(post)
    if number not in world.scenario.phone_number_ids:
        body = mistakes.unknown_number_body(number, trace_id(world.traces))
        return _answered(post, "refused", JSONResponse(body, 400))
    if isinstance(asked, Receipt):
        return _answered(post, "read receipt", JSONResponse({"success": True}))
    if isinstance(asked, Refusal):
        return _refused(world, post, asked.code, 400, asked.details)
    return await _meet_fate(world, post, asked, raw)


def _known(world: World, request: Request) -> bool:
    sid = request.path_params["sid"].encode()
    key = request.headers.get("api-key", "").encode()
    right_sid = hmac.compare_digest(sid, world.scenario.sid.encode())
    return hmac.compare_digest(key, world.scenario.api_key.encode()) and right_sid


async def _meet_fate(world: World, post: Post, send: Send, raw: bytes) -> Response:
    number = post.phone_number_id
    if world.over_rate(number):
        return _refused(world, post, 130429, 400)
    fate, fixed = world.fate_of(send)
    if fate.refusals is not None and world.tries(number, raw) <= fate.refusals:
        return _refused(world, post, fate.code, fate.http)
    if not fate.taken:
        await asyncio.sleep(world.scenario.answer_delay)
        return _not_taken(world, post, fate)
    message, plan = world.take(number, send, fate, fixed)
    post.wamid, post.outcome = message.wamid, "taken"
    return await _taken(world, post, message, plan)


async def _taken(world: World, post: Post, message: Message, plan: Plan) -> Response:
    launched = plan.early or message.fate.answer in ("hang", "cut", "half")
    if launched:
        first = world.launch(message, plan)
        if plan.early:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(first.wait(), EARLY_PATIENCE)
    await asyncio.sleep(world.scenario.answer_delay)
    response = _answer(world, post, message)
    if not launched:
        response.background = BackgroundTask(_launch, world, message, plan)
    return response


async def _launch(world: World, message: Message, plan: Plan) -> None:
    world.launch(message, plan)


def _answer(world: World, post: Post, message: Message) -> Response:
    fate, body = message.fate, payload.accepted(message)
    if fate.answer == "cut":
        return Cut()
    if fate.answer == "half":
        return Half(JSONResponse(body).body, media_type="application/json")
    if fate.answer == "hang":
        late = JSONResponse(body, background=BackgroundTask(_note_late, post))
        return Hang(late, world.scenario.hang_seconds, world.stopping)
    if fate.answer == "empty":
        return _answered(post, "taken", Response())
    if fate.answer == "html":
        return _answered(post, "taken", Response(GATEWAY_PAGE, fate.http, media_type="text/html"))
    return _answered(post, "accepted", JSONResponse(body))


async def _note_late(post: Post) -> None:
    post.outcome, post.status = "accepted", 200


def _not_taken(world: World, post: Post, fate: Fate) -> Response:
    if fate.answer == "reset":
        post.outcome = "reset"
        return Reset()
    if fate.answer == "html":
        return _answered(post, "not taken", Response(GATEWAY_PAGE, fate.http, media_type="text/html"))
    if fate.answer == "unauthorised":
        return _wrong_key(post)
    if fate.answer == "error_in_200":
        return _refused(world, post, fate.code, 200)
    return _refused(world, post, fate.code, fate.http)


def _wrong_key(post: Post) -> Response:
    return _answered(post, "unauthorised", Response(mistakes.WRONG_KEY, 401, media_type="application/json"))


def _refused(world: World, post: Post, code: int, http: int, details: str | None = None) -> Response:
    body: dict[str, Any] = mistakes.answer_body(code, trace_id(world.traces), details)
    return _answered(post, "throttled" if code in (130429, 131056) else "refused", JSONResponse(body, http))


def _answered(post: Post, outcome: str, response: Response) -> Response:
    post.outcome, post.status = outcome, response.status_code
    return response
