"""The receiver's app: what the internet may reach on port 8080, and nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from receiver.admission import Admission, Limits
from receiver.door import Door
from receiver.endpoints import Directory
from receiver.figures import DoorFigures
from receiver.keeper import Keeper
from receiver.minutes import Minutes
from store.database import Database

PATH = "/webhooks/whatsapp"


def create(
    database: Database,
    directory: Directory,
    clock: Callable[[], float],
    registry: CollectorRegistry,
    *,
    limits: Limits | None = None,
    kept: Callable[[], None] = lambda: None,
    minutes: Minutes | None = None,
) -> ASGIApp:
    """`kept` is called after each commit, to wake a processor in the same process."""
    limits = limits or Limits()
    figures = DoorFigures(registry)
    keeper = Keeper(database, figures, queue_age=limits.queue_age, kept=kept)
    door = Door(directory, Admission(limits, figures), keeper, figures, clock, minutes)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        keeper.start()
        yield
        await keeper.stop()

    paths = (PATH, f"{PATH}/", f"{PATH}/{{endpoint}}", f"{PATH}/{{endpoint}}/")
    routes = [Route("/healthz", _alive)]
    routes += [Route(path, door.handshake, methods=["GET"]) for path in paths]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False

    async def posts_first(scope: Scope, receive: Receive, send: Send) -> None:
        """Webhooks go straight to the door; Starlette's routing costs as much as checking the signature."""
        name = _endpoint_in(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if name is None:
            await app(scope, receive, send)
        else:
            await door.receive(scope, receive, send, name)

    return posts_first


def _endpoint_in(path: str) -> str | None:
    """The endpoint's name in the path of a callback URL, '' for the plain one; None for any other path."""
    if path in (PATH, f"{PATH}/"):
        return ""
    name = path.removeprefix(f"{PATH}/").removesuffix("/")
    return name if path.startswith(f"{PATH}/") and name and "/" not in name else None


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
