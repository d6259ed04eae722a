"""The control pages under `/_simulator/`: what was seen and done, and levers for demonstrations and tests."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.payload import Message
from simulator.world import World

NO_CALLBACK = "This simulator has no callback address, so nothing can be posted; start it with one."


def routes() -> list[BaseRoute]:
    """All control pages."""
    return [
        Route("/_simulator/messages", _messages),
        Route("/_simulator/posts", _posts),
        Route("/_simulator/webhooks", _webhooks),
        Route("/_simulator/idle", _idle),
        Route("/_simulator/handshake", _handshake, methods=["POST"]),
        Route("/_simulator/release", _release, methods=["POST"]),
        Route("/_simulator/webhook", _webhook, methods=["POST"]),
    ]


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


async def _messages(request: Request) -> Response:
    """Everything Meta took, oldest first; `posts` and `taken` count by the message's callback data."""
    world = _world(request)
    return JSONResponse([_listed(world, message) for message in world.messages])


def _listed(world: World, message: Message) -> dict[str, Any]:
    data = message.send.callback_data
    return {
        "wamid": message.wamid,
        "phone_number_id": message.phone_number_id,
        "to": message.send.to,
        "type": message.send.type,
        "callback_data": data,
        "accepted_at": message.accepted_at,
        "fate": message.fate.about,
        "posts": 1 if data is None else world.posts_by_callback_data[data],
        "taken": 1 if data is None else world.taken_by_callback_data[data],
        "body": message.send.body,
    }


async def _posts(request: Request) -> Response:
    """Every request to the wrapper; `status` is null when it was not answered (yet)."""
    return JSONResponse([asdict(post) for post in _world(request).posts])


async def _webhooks(request: Request) -> Response:
    """Every webhook body that was due, with the last answer and how often it was tried."""
    return JSONResponse([webhook.listed() for webhook in _world(request).courier.webhooks])


async def _idle(request: Request) -> Response:
    return JSONResponse({"idle": _world(request).idle})


async def _handshake(request: Request) -> Response:
    world = _world(request)
    if world.scenario.callback_url is None:
        return JSONResponse({"error": NO_CALLBACK}, 409)
    return JSONResponse(await world.courier.handshake(world.challenges))


async def _release(request: Request) -> Response:
    return JSONResponse({"released": _world(request).lanes.release()})


async def _webhook(request: Request) -> Response:
    """Sign and post the request's body, once, whatever it is."""
    world = _world(request)
    if world.scenario.callback_url is None:
        return JSONResponse({"error": NO_CALLBACK}, 409)
    webhook = world.courier.webhook(await request.body())
    await world.courier.carry(webhook)
    return JSONResponse({"id": webhook.id, "answer": webhook.answer, "trouble": webhook.trouble})
